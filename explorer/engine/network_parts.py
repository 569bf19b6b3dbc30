"""The parts of a network, each compiled on its own: one program serves every depth."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import numpy as np

from explorer.errors import InputError, as_array
from explorer.model.network import NetworkSpec, Parts, split_parts
from explorer.model.weights import Arrays, Structure


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


def without_blocks(spec: NetworkSpec) -> NetworkSpec:
    return replace(spec, blocks=0)


@partial(jax.jit, static_argnames=("spec", "use_running_average"))
def run_stem(
    spec: NetworkSpec, parameters: Parts, statistics: Parts, x: jax.Array, use_running_average: bool
) -> jax.Array:
    return without_blocks(spec).network(parameters, statistics).stem(x, use_running_average)


@partial(jax.jit, static_argnames=("spec", "use_running_average"))
def run_head(
    spec: NetworkSpec, parameters: Parts, statistics: Parts, h: jax.Array, use_running_average: bool
) -> jax.Array:
    return without_blocks(spec).network(parameters, statistics).logits(h, use_running_average)


@partial(jax.jit, static_argnames="structure")
def run_block(
    structure: Structure, parameters: Arrays, statistics: Arrays, h: jax.Array
) -> jax.Array:
    return structure.block(parameters, statistics)(h, True)


@partial(jax.jit, static_argnames="spec")
def batch_statistics(
    spec: NetworkSpec, parameters: Parts, statistics: Parts, images: jax.Array
) -> Parts:
    module = spec.network(parameters, statistics)
    module(images, False)
    found: Parts = split_parts(module)[1]
    return found
