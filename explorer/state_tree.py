"""What a block holds, as NNX sees it, and what a call changes in place."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import nnx

from explorer.block import check_features, check_input, check_seed
from explorer.recipes import Recipe
from explorer.trace import check_variant
from explorer.variants import build


@dataclass(frozen=True)
class Leaf:
    """One variable of a block.

    Attributes:
        path: its place in the tree, as "bn1.mean".
        kind: NNX's type of it: "Param" is trained, "BatchStat" is moved by train-mode calls.
        fresh: its value in the fresh block, read-only, and `trained` after a train-mode
            call on x, `evaluated` after an eval-mode call thereafter.
    """

    path: str
    kind: str
    fresh: np.ndarray
    trained: np.ndarray
    evaluated: np.ndarray


def state_tree(
    seed: float, x: Any, features: float, *, variant: str | Recipe = "v1"
) -> tuple[Leaf, ...]:
    """The variables of one block object, before and after two calls of it.

    The block is called as anyone would call it, so what changes has changed in place.

    Args:
        seed: whole number 0 … 2³²−1, fixes the weights.
        x: real array `(H, W, C)` with C equal to `features`.
        features: whole number ≥ 1.
        variant: a key of `VARIANTS`, or a recipe.

    Raises:
        InputError: an argument is outside what is said above.
    """
    width = check_features(features)
    block = build(check_variant(variant), width, nnx.Rngs(check_seed(seed)))
    given = jnp.asarray(check_input(x, width))
    states = [_values(block)]
    for use_running_average in (False, True):
        block(given, use_running_average)
        states.append(_values(block))
    kinds = {path: kind for path, (kind, _) in states[0].items()}
    return tuple(
        Leaf(".".join(path), kind, *(state[path][1] for state in states))
        for path, kind in kinds.items()
    )


def _values(block: nnx.Module) -> dict[tuple[str, ...], tuple[str, np.ndarray]]:
    """Type and value, copied, of every variable by path."""
    found = {}
    for path, variable in nnx.to_flat_state(nnx.state(block)):
        value = np.array(variable[...])
        value.setflags(write=False)
        found[tuple(str(part) for part in path)] = (type(variable).__name__, value)
    return found
