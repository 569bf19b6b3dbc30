"""The code that the page shows is run, and must give what the page draws."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from explorer import VARIANTS, trace_block
from explorer.model.source_code import nnx_source, source_diff
from explorer.model.variants import (
    FAMILIES,
    FIXES,
    V1,
    projection,
    scaled_skip,
    zero_gamma,
    zero_pad,
)
from tests.helpers import noise

SEED, SHAPE = 4, (9, 6, 8)
X = noise(SHAPE, 2)
RECIPES = {name: spec for name, spec in VARIANTS.items() if name not in FIXES}
RECIPES |= {f"{name}: {words}": spec for name, (words, spec) in FIXES.items()}
RECIPES |= {
    "scaled 0.15": scaled_skip(0.15),
    "to 12, stride 2": projection(12, 2),
    "padded to 11, stride 2": zero_pad(11, 2),
    "gamma 0.3": zero_gamma(0.3),
}


def run_code(code: str) -> np.ndarray:
    names: dict[str, Any] = {"features": SHAPE[2], "seed": SEED, "x": jnp.asarray(X)}
    exec(code, names)
    return np.asarray(names["out"])


@pytest.mark.parametrize("name", RECIPES)
def test_the_code_shown_gives_the_traced_output(name: str) -> None:
    spec = RECIPES[name]
    trace = trace_block(SEED, X, SHAPE[2], variant=spec)
    np.testing.assert_allclose(run_code(nnx_source(spec)), trace["out"], atol=1e-5)


@pytest.mark.parametrize("name", FIXES)
def test_the_code_of_what_does_not_run_does_not_run(name: str) -> None:
    with pytest.raises(TypeError, match="add got incompatible shapes"):
        run_code(nnx_source(VARIANTS[name]))


def test_the_code_follows_the_mode() -> None:
    trace = trace_block(SEED, X, SHAPE[2], use_running_average=True)
    found = run_code(nnx_source(V1, use_running_average=True))
    np.testing.assert_allclose(found, trace["out"], atol=1e-5)


@pytest.mark.parametrize("name", RECIPES)
def test_the_difference_turns_one_code_into_the_other(name: str) -> None:
    before, after = nnx_source(V1).splitlines(), nnx_source(RECIPES[name]).splitlines()
    lines = source_diff(V1, RECIPES[name]).splitlines()
    gone = [line[1:] for line in lines if line.startswith("-")]
    new = [line[1:] for line in lines if line.startswith("+")]
    assert bool(lines) == (name != "v1")
    for line in gone:
        before.remove(line)
    for line in new:
        after.remove(line)
    assert before == after


def test_families_start_at_the_variant_of_their_name() -> None:
    for name, family in FAMILIES.items():
        assert family.make() == VARIANTS[name]
