"""The parts of a network, each compiled on its own: one program serves every depth."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import numpy as np

from explorer.errors import InputError, as_array
from explorer.model.network import NetworkSpec, Parts, split_parts
from explorer.model.weights import Arrays, Structure

BATCH = 256  # pictures at once in eval mode
MAX_STREAM_VALUES = 2**24  # of the residual stream of all pictures at once


def without(arrays: Parts, names: Sequence[str]) -> Parts:
    """Return the arrays of all parts but these."""
    return {name: part for name, part in arrays.items() if name not in names}


def check_labels(labels: Any, count: int) -> np.ndarray:
    """Return labels as integers `(count,)`; InputError if they are not."""
    array = as_array("labels", labels)
    if array.shape != (count,) or array.dtype.kind not in "iu":
        raise InputError(
            f"labels must be {count} integers, one for each picture; got shape {array.shape} of "
            f"{array.dtype.name}."
        )
    return array


def batch_size(spec: NetworkSpec, shape: tuple[int, ...]) -> int:
    """Return how many pictures `(…, H, W, channels)` are run at once in eval mode.

    It is `BATCH`, whatever their number, so that one compiled program serves all; fewer if they
    are large.
    """
    height, width = shape[-3:-1]
    return max(1, min(BATCH, MAX_STREAM_VALUES // (height * width * spec.width)))


def padded(images: np.ndarray, count: int) -> np.ndarray:
    """Return `count` pictures: these, and zeros."""
    return np.pad(images, [(0, count - len(images)), (0, 0), (0, 0), (0, 0)])


@partial(jax.jit, static_argnames=("ends", "use_running_average"))
def run_stem(
    ends: NetworkSpec, parameters: Parts, statistics: Parts, x: jax.Array, use_running_average: bool
) -> jax.Array:
    """Return the residual stream after the stem, `(…, H, W, width)`.

    Args:
        ends: the spec without blocks, `NetworkSpec.ends()`.
        parameters, statistics: of all parts but the blocks.
        x: pictures `(…, H, W, channels)`.
        use_running_average: True is eval mode, False is train mode.
    """
    return ends.network(parameters, statistics).stem(x, use_running_average)


@partial(jax.jit, static_argnames=("ends", "use_running_average"))
def run_head(
    ends: NetworkSpec, parameters: Parts, statistics: Parts, h: jax.Array, use_running_average: bool
) -> jax.Array:
    """Return the logits `(…, classes)` of the stream `h`; the others are as for `run_stem`."""
    return ends.network(parameters, statistics).logits(h, use_running_average)


@partial(jax.jit, static_argnames="structure")
def run_block(
    structure: Structure, parameters: Arrays, statistics: Arrays, h: jax.Array
) -> jax.Array:
    """Return a block's `out` in eval mode, for the stream `h` that reaches it."""
    return structure.block(parameters, statistics)(h, True)


@partial(jax.jit, static_argnames="spec")
def batch_statistics(
    spec: NetworkSpec, parameters: Parts, statistics: Parts, images: jax.Array
) -> Parts:
    """Return the running statistics after the pictures have passed once in train mode."""
    module = spec.network(parameters, statistics)
    module(images, False)
    found: Parts = split_parts(module)[1]
    return found
