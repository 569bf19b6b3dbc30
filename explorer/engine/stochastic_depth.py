"""Stochastic depth: F(x) of random blocks is dropped in training (Huang et al. 2016)."""

from typing import Any

import numpy as np

from explorer.engine.arrays import frozen
from explorer.errors import InputError, check_real
from explorer.model.network import NetworkSpec, Parts
from explorer.model.variants import VARIANTS


def check_survival(survival: Any, variant: str) -> float:
    """Return `survival` as a float.

    Raises:
        InputError: it is not above 0 and at most 1, or blocks would be dropped that have no
            shortcut.
    """
    value = check_real("survival", survival)
    if not 0 < value <= 1:
        raise InputError(f"survival must be above 0 and at most 1, got {value:g}.")
    if value < 1 and VARIANTS[variant].shortcut is None:
        raise InputError(
            f"survival must be 1 for “{VARIANTS[variant].title}”, got {value:g}: without a "
            "shortcut nothing is left of a block whose F(x) is dropped."
        )
    return value


def survival_of(blocks: int, last: float) -> np.ndarray:
    """Return the probability that each block is kept, 1 − l / L · (1 − last), `(blocks,)`."""
    return 1 - np.arange(1, blocks + 1) / blocks * (1 - last)


def expected(spec: NetworkSpec, parameters: Parts, survival: np.ndarray) -> Parts:
    """Return the parameters of the expectation at test time: F(x) times its probability.

    The branch's last layer with parameters is linear in them, and only ReLUs follow it, so
    scaling its parameters scales F(x) (Huang et al. 2016, eq. 5).

    Args:
        spec: the network's layers.
        parameters: of the network, by part.
        survival: probability that each block is kept, `(blocks,)`, above 0 and at most 1.
    """
    if np.all(survival == 1):
        return parameters
    found = dict(parameters)
    for name, probability in zip(spec.names, survival, strict=True):
        block = parameters[name]
        last = [layer for layer, _ in spec.block.branch if layer in block][-1]
        factor = np.float32(probability)
        scaled = {variable: factor * array for variable, array in block[last].items()}
        found[name] = {**block, last: frozen(scaled)}
    return found
