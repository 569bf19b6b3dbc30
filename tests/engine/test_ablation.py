"""Ablation against loops over plain NNX blocks."""

import numpy as np
import pytest

from explorer import InputError
from explorer.engine.ablation import ablate
from explorer.engine.stack import Stack
from explorer.records import AblationKind
from tests.stacks import SEED, STACKS, Step, X, loop


@pytest.mark.parametrize(("variant", "step"), STACKS)
@pytest.mark.parametrize("kind", ["delete", "swap"])
def test_ablation_equals_a_loop(variant: str, step: Step, kind: AblationKind) -> None:
    found = ablate(Stack.from_seed(SEED, 4, 5, variant), X, kind=kind)
    seeds = [SEED + block for block in range(5)]
    intact = np.asarray(loop(X, seeds, step)[-1])
    expected = []
    for block in range(5 if kind == "delete" else 4):
        order = list(seeds)
        if kind == "delete":
            del order[block]
        else:
            order[block : block + 2] = order[block + 1], order[block]
        end = np.asarray(loop(X, order, step)[-1])
        expected.append(np.linalg.norm(end - intact) / np.linalg.norm(intact))
    np.testing.assert_allclose(found.change, expected, rtol=1e-3)


def test_only_the_first_run_is_changed() -> None:
    several, one = (Stack.from_seed(SEED, 4, 5, runs=runs) for runs in (3, 1))
    np.testing.assert_array_equal(
        ablate(several, X, kind="delete").change, ablate(one, X, kind="delete").change
    )


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match="kind must be one of delete, swap; got 'burn'"):
        ablate(Stack.from_seed(0, 4, 4), X, kind="burn")  # type: ignore[arg-type]
