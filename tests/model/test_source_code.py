"""The code that the page shows is run, and must give what the page draws."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from explorer import VARIANTS, Model, trace_block, trace_model
from explorer.model.layers import BatchNormSettings
from explorer.model.source_code import nnx_source, source_diff
from explorer.model.variants import (
    CROPPED_IDENTITY,
    FAMILIES,
    FIXES,
    V1,
    projection,
    scaled_skip,
    zero_gamma,
    zero_pad,
)
from tests.helpers import SMALL, noise

SEED, SHAPE = 4, SMALL
X = noise(SHAPE, 2)
SPECS = {name: spec for name, spec in VARIANTS.items() if name not in FIXES}
SPECS |= {f"{name}: {words}": spec for name, (words, spec) in FIXES.items()}
SPECS |= {
    "scaled 0.15": scaled_skip(0.15),
    "to 12, stride 2": projection(12, 2),
    "padded to 11, stride 2": zero_pad(11, 2),
    "gamma 0.3": zero_gamma(0.3),
}


def run_code(code: str, x: np.ndarray = X) -> np.ndarray:
    names: dict[str, Any] = {"features": SHAPE[2], "seed": SEED, "x": jnp.asarray(x)}
    exec(code, names)
    return np.asarray(names["out"])


@pytest.mark.parametrize("name", SPECS)
def test_the_code_shown_gives_the_traced_output(name: str) -> None:
    spec = SPECS[name]
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


@pytest.mark.parametrize("name", SPECS)
def test_the_difference_turns_one_code_into_the_other(name: str) -> None:
    before, after = nnx_source(V1).splitlines(), nnx_source(SPECS[name]).splitlines()
    lines = source_diff(V1, SPECS[name]).splitlines()
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


@pytest.mark.parametrize("name", ["v1", "zero_pad", "transformer_attention", "cropped"])
def test_the_code_shown_runs_on_a_batch(name: str) -> None:
    spec = CROPPED_IDENTITY if name == "cropped" else VARIANTS[name]
    batch = np.stack([X, noise(SHAPE, 3)])
    trace = trace_block(SEED, batch, SHAPE[2], variant=spec)
    np.testing.assert_allclose(run_code(nnx_source(spec), batch), trace["out"], atol=1e-5)


@pytest.mark.parametrize("name", ["v1", "projection"])
def test_the_code_shown_has_the_models_epsilon_and_momentum(name: str) -> None:
    settings = BatchNormSettings(1e-2, 0.9)
    code = nnx_source(VARIANTS[name], batch_norm=settings)
    assert "epsilon=0.01, momentum=0.9" in code
    assert "epsilon" not in nnx_source(VARIANTS[name])
    trace = trace_model(Model.from_seed(SEED, SHAPE[2], name, settings), X)
    np.testing.assert_allclose(run_code(code), trace["out"], atol=1e-5)
