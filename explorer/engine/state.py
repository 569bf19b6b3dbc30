"""The NNX variables of a block, and how calls change them in place."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import nnx

from explorer.errors import check_type
from explorer.model.arguments import check_input
from explorer.model.record import Record
from explorer.model.weights import Model


@dataclass(frozen=True)
class StateVariable(Record):
    """One variable of a block.

    Attributes:
        path: its path in the module, such as "bn1.mean".
        kind: its NNX type: "Param" is trained, "BatchStat" is updated by train-mode calls.
        initial: its value in the model, read-only.
        after_train: its value after a train-mode call on x.
        after_eval: its value after a subsequent eval-mode call.
    """

    path: str
    kind: str
    initial: np.ndarray
    after_train: np.ndarray
    after_eval: np.ndarray


def state_variables(model: Model, x: Any) -> tuple[StateVariable, ...]:
    """Return the variables of one block before and after two calls.

    The block is called directly, so its variables change in place.

    Args:
        model: the model; it is not changed.
        x: real array `(H, W, C)` or `(N, H, W, C)` with the model's C.

    Raises:
        InputError: `x` does not fit the model.
    """
    block = check_type("model", model, Model).block()
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
    """Return the type and a copy of the value of every variable, by path."""
    found = {}
    for path, variable in nnx.to_flat_state(nnx.state(block)):
        value = np.array(variable[...])
        value.setflags(write=False)
        found[tuple(str(part) for part in path)] = (type(variable).__name__, value)
    return found
