"""The oracle for gradients against central differences of the oracle for stages."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.checkpoint_gradients import PartGradient, logit_gradient
from tests.checkpoints import (
    NETWORKS,
    Architecture,
    State,
    run_block,
    run_network,
    run_stem,
    state_of,
)

# In eval mode a network is linear around almost every picture, so that a central difference errs
# by rounding alone.
STEP, TOLERANCE, LABEL = 1e-7, 1e-6, 1


def expect_slope(gradient: np.ndarray, f: Callable[[np.ndarray], float]) -> None:
    """Compare the gradient of f at 0 with central differences along random directions."""
    rng = np.random.default_rng(2)
    for _ in range(3):
        direction = rng.standard_normal(gradient.shape)
        slope = (f(STEP * direction) - f(-STEP * direction)) / (2 * STEP)
        largest = np.abs(gradient).max()
        assert (gradient * direction).sum() == pytest.approx(
            slope, rel=TOLERANCE, abs=TOLERANCE * largest
        )


def expect_slopes_of_block(
    net: Architecture, state: State, block: str, stride: int, h: np.ndarray, found: PartGradient
) -> None:
    def score(into_branch: np.ndarray, into_shortcut: np.ndarray) -> float:
        out = run_block(net, state, block, stride, into_branch, into_shortcut)["out"]
        return float((out * found.out).sum())

    expect_slope(found.residual, lambda change: score(h + change, h))
    expect_slope(found.identity, lambda change: score(h, h + change))
    expect_slope(found.x, lambda change: score(h + change, h + change))


@pytest.mark.parametrize("net", [net for net, _ in NETWORKS.values()], ids=NETWORKS)
def test_gradients_are_slopes_of_the_logit_and_of_both_paths(net: Architecture) -> None:
    state = {name: tensor.astype(np.float64) for name, tensor in state_of(net).items()}
    x = np.random.default_rng(1).standard_normal((9, 11, net.channels))
    stages = run_network(net, state, x)
    found = logit_gradient(net, state, stages, LABEL)
    expect_slope(
        found["stem"].x,
        lambda change: run_network(net, state, x + change)["head"]["logits"][LABEL],
    )
    at_stem = found["stem"].out
    expect_slope(
        found["stem"].x,
        lambda change: float((run_stem(net, state, x + change)["out"] * at_stem).sum()),
    )
    for block, _, stride in net.places():
        expect_slopes_of_block(net, state, block, stride, stages[block]["x"], found[block])
