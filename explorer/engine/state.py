"""What a block holds, as NNX sees it, and what a call changes in place."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import nnx

from explorer.model.arguments import check_input
from explorer.model.weights import Model


@dataclass(frozen=True)
class StateVariable:
    """One variable of a block.

    Attributes:
        path: its place in the tree, as "bn1.mean".
        kind: NNX's type of it: "Param" is trained, "BatchStat" is moved by train-mode calls.
        initial: its value in the model, read-only, and `after_train` after a train-mode
            call on x, `after_eval` after an eval-mode call thereafter.
    """

    path: str
    kind: str
    initial: np.ndarray
    after_train: np.ndarray
    after_eval: np.ndarray


def state_variables(model: Model, x: Any) -> tuple[StateVariable, ...]:
    """Return the variables of one block object, before and after two calls of it.

    The block is called as anyone would call it, so what changes has changed in place.

    Args:
        model: what to call; it is not changed.
        x: real array `(H, W, C)` or `(N, H, W, C)` with the model's C.

    Raises:
        InputError: `x` does not fit the model.
    """
    block = model.block()
    given = jnp.asarray(check_input(x, model.features))
    states = [_values(block)]
    for use_running_average in (False, True):
        block(given, use_running_average)
        states.append(_values(block))
    return tuple(
        StateVariable(".".join(path), kind, *(state[path][1] for state in states))
        for path, (kind, _) in states[0].items()
    )


def _values(block: nnx.Module) -> dict[tuple[str, ...], tuple[str, np.ndarray]]:
    """Return type and value, copied, of every variable by path."""
    found = {}
    for path, variable in nnx.to_flat_state(nnx.state(block)):
        value = np.array(variable[...])
        value.setflags(write=False)
        found[tuple(str(part) for part in path)] = (type(variable).__name__, value)
    return found
