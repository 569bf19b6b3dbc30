"""The fresh weights of a network."""

import math
from functools import partial
from typing import Any, Literal

import jax
import numpy as np
from flax import nnx

from explorer.inputs.random_streams import Purpose, random_stream
from explorer.model.network import HEAD, NetworkSpec, Parts, ResidualNetwork, split_parts
from explorer.model.weights import COMPILER_OPTIONS, draw_weights

Initialiser = Literal["he", "lecun"]


def draw_network(spec: NetworkSpec, seed: int, initialiser: Initialiser) -> tuple[Parts, Parts]:
    """Draw the weights of a network.

    In two networks with one seed, block l has the same kernels where their names and shapes are
    the same, for instance in a residual and a plain network. NNX draws kernels as LeCun et al.
    1998 do, with variance 1 / fan-in; those of He et al. 2015b have variance 2 / fan-in, so they
    are √2 times as large.

    Args:
        spec: the network's layers.
        seed: integer 0 … 2³²−1.
        initialiser: "he" or "lecun", for the kernels of all convolutions; the head's is LeCun's.

    Returns:
        Parameters and running statistics by part; all arrays are read-only.
    """
    seeds = random_stream(seed, Purpose.NETWORK).integers(2**32, size=1 + spec.blocks)
    parameters, statistics = jax.tree.map(np.asarray, _draw_ends(np.uint32(seeds[0]), spec.ends()))
    if spec.blocks:
        drawn = draw_weights(spec.block_structure(), seeds[1:], spec.block)
        for index, name in enumerate(spec.names):
            own, running = jax.tree.map(lambda array, at=index: array[at], drawn)
            parameters[name] = own
            if running:
                statistics[name] = running
    if initialiser == "he":
        for name, part in parameters.items():
            if name != HEAD:
                _scale_kernels(part)
    return jax.tree.map(_frozen, (parameters, statistics))


@partial(jax.jit, static_argnames="spec", compiler_options=COMPILER_OPTIONS)
def _draw_ends(seed: jax.Array, spec: NetworkSpec) -> tuple[Any, Any]:
    """Draw stem and head: a network without blocks."""
    return split_parts(ResidualNetwork(spec, nnx.Rngs(jax.random.key(seed))))


def _scale_kernels(part: dict[str, dict[str, Any]]) -> None:
    """Multiply the kernels of a part's convolutions by √2."""
    for layer in part.values():
        if "kernel" in layer and np.ndim(layer["kernel"]) == 4:
            layer["kernel"] = np.float32(math.sqrt(2)) * layer["kernel"]


def _frozen(array: Any) -> np.ndarray:
    found = np.array(array)
    found.setflags(write=False)
    return found
