"""Checks that a loaded checkpoint computes what the torch network does."""

from pathlib import Path
from typing import Any

import numpy as np

from explorer import load_checkpoint
from explorer.engine.class_gradient import class_gradient
from explorer.model.checkpoint import Conventions
from tests.parity.peer import picture, run, save

TOLERANCE = 1e-4  # of the largest absolute value of an array
LABEL = 3
# Halved to odd and to even sizes on the way. Most networks run on it, and share compiled programs.
ODD = (75, 66)
PICTURES = 6  # for a gradient


def difference(received: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest difference of two arrays, as a share of the largest expected value."""
    assert received.shape == expected.shape
    assert received.dtype == np.float32
    largest = float(np.abs(expected).max())
    return float(np.abs(received - expected).max()) / (largest or 1.0)  # F(x) may be all zeros


def check_forward(peer: Any, network: Any, pictures: np.ndarray) -> None:
    """Compare every block's input, F(x), sum and output, and the logits."""
    expected, trace = run(peer, pictures), network.trace(pictures)
    assert tuple(network.blocks) == tuple(expected.blocks)
    for block, stages in expected.blocks.items():
        for stage, array in stages.items():
            error = difference(trace[block][stage], array)
            assert error <= TOLERANCE, f"{stage} of {block} differs by {error:.1e}"
    error = difference(trace.logits, expected.logits)
    assert error <= TOLERANCE, f"the logits differ by {error:.1e}"


def check_gradient(peer: Any, network: Any, *shape: int) -> None:
    """Compare the gradient of one logit by a picture `(H, W, 3)`.

    Where the input of a ReLU is zero up to rounding, either side may be taken, and then two right
    gradients differ by far more than rounding. In deep networks that happens with one picture of
    five. So a few pictures are tried, and one must agree; a wrong gradient agrees with none.
    """
    errors = []
    for seed in range(PICTURES):
        image = picture(*shape, seed=seed)
        expected = run(peer, image, LABEL).gradient
        assert expected is not None
        errors.append(difference(class_gradient(network, image, LABEL).picture, expected))
        if errors[-1] <= TOLERANCE:
            return
    raise AssertionError(f"the gradients differ by {errors}")


def check_file(
    peer: Any, folder: Path, *shape: int, conventions: Conventions | None = None
) -> None:
    """Save a torch network and compare the loaded one with it, on pictures of `shape` (H, W)."""
    path = save(peer, folder)
    network = load_checkpoint(path, conventions=conventions)
    check_forward(peer, network, picture(*shape))
    check_gradient(peer, network, *shape)
