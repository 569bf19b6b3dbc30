"""The gradient of a class's score through a whole network, split by path at every block."""

from functools import partial
from types import MappingProxyType
from typing import Any

import jax
import numpy as np

from explorer.engine.arrays import frozen
from explorer.engine.gradients import split_trace
from explorer.engine.network import Network
from explorer.engine.network_parts import run_head
from explorer.errors import check_integer, check_type
from explorer.records import GradientSplit, NetworkGradient


def class_gradient(network: Network, image: Any, label: int) -> NetworkGradient:
    """Compute the gradient of one logit, in eval mode, at every stage of every block.

    Block by block from the last to the first, the cotangent of a block being the gradient at x of
    the next one.

    Args:
        network: the network.
        image: one picture `(H, W, channels)`, as for `Network.trace`.
        label: the class, 0 … classes − 1.

    Raises:
        InputError: an argument is outside its documented range.
    """
    check_type("network", network, Network)
    given = network.check_images(image, 3)
    chosen = check_integer("label", label, 0, network.classes - 1)
    trace = network.trace(given)

    last = trace.stream[list(trace.stream)[-1]]
    score = partial(_score, network, chosen)
    cotangent: np.ndarray = frozen(jax.grad(score)(last))
    splits: dict[str, GradientSplit] = {}
    for name in reversed(network.blocks):
        splits[name] = split_trace(trace[name], cotangent)
        cotangent = splits[name].total
    return NetworkGradient(
        trace=trace,
        label=chosen,
        stem=split_trace(trace.stem, cotangent),
        blocks=MappingProxyType({name: splits[name] for name in network.blocks}),
    )


def _score(network: Network, label: int, h: jax.Array) -> jax.Array:
    return run_head(network.final, network.head, h, True)[label]
