"""The parts of a network, each compiled on its own: one program serves every depth."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from explorer.errors import InputError, as_array
from explorer.model.network import NetworkSpec, Parts, split_parts
from explorer.model.weights import Arrays, Model, Structure

BATCH = 256  # pictures at once in eval mode
MAX_STREAM_VALUES = 2**24  # of the residual stream of all pictures at once


def check_labels(labels: Any, count: int) -> np.ndarray:
    """Return labels as integers `(count,)`; InputError if they are not."""
    array = as_array("labels", labels)
    if array.shape != (count,) or array.dtype.kind not in "iu":
        raise InputError(
            f"labels must be {count} integers, one for each picture; got shape {array.shape} of "
            f"{array.dtype.name}."
        )
    return array


def padded(images: np.ndarray, count: int) -> np.ndarray:
    """Return `count` pictures: these, and zeros."""
    return np.pad(images, [(0, count - len(images)), (0, 0), (0, 0), (0, 0)])


def run_block(model: Model, h: jax.Array | np.ndarray) -> jax.Array:
    """Return a stem's or a block's `out` in eval mode, for the stream `h` that reaches it."""
    return _run_block(model.structure, model.parameters, model.statistics, h)


@partial(jax.jit, static_argnames="structure")
def _run_block(
    structure: Structure, parameters: Arrays, statistics: Arrays, h: jax.Array
) -> jax.Array:
    return structure.block(parameters, statistics)(h, True)


def run_head(
    final: Model | None,
    head: Mapping[str, np.ndarray],
    h: jax.Array | np.ndarray,
    use_running_average: bool,
) -> jax.Array:
    """Return the logits `(…, classes)` of the residual stream `h` `(…, H, W, width)`.

    Args:
        final: what follows the last block before the pooling, if anything does.
        head: the linear map's "kernel" and "bias".
        h: the stream.
        use_running_average: True is eval mode, False is train mode.
    """
    structure = final.structure if final else None
    weights = (final.parameters, final.statistics) if final else ()
    return _run_head(structure, weights, head, h, use_running_average)


@partial(jax.jit, static_argnames=("structure", "use_running_average"))
def _run_head(
    structure: Structure | None,
    weights: tuple[Arrays, ...],
    head: Mapping[str, jax.Array],
    h: jax.Array,
    use_running_average: bool,
) -> jax.Array:
    if structure is not None:
        h = structure.block(*weights)(h, use_running_average)
    return jnp.mean(h, axis=(-3, -2)) @ head["kernel"] + head["bias"]


@partial(jax.jit, static_argnames="spec")
def batch_statistics(
    spec: NetworkSpec, parameters: Parts, statistics: Parts, images: jax.Array
) -> Parts:
    """Return the running statistics after the pictures have passed once in train mode."""
    module = spec.network(parameters, statistics)
    module(images, False)
    found: Parts = split_parts(module)[1]
    return found
