"""The gradient of a class's score through a whole network, split by path at every block."""

from functools import partial
from types import MappingProxyType
from typing import Any

import jax
import numpy as np

from explorer.engine.arrays import frozen
from explorer.engine.forward import trace_chain
from explorer.engine.gradients import path_gradient
from explorer.engine.network import Network
from explorer.engine.network_parts import run_head
from explorer.errors import check_integer, check_type
from explorer.model.weights import Model
from explorer.records import NetworkGradient, PathGradient


def class_gradient(network: Network, image: Any, label: int) -> NetworkGradient:
    """Compute the gradient of one logit, in eval mode, at the x of every block.

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
    inputs, last = _inputs(network, given)
    logits = run_head(network.final, network.head, last, True)
    cotangent: np.ndarray = frozen(jax.grad(partial(_score, network, chosen))(last))
    found: dict[str, PathGradient] = {}
    for name in reversed(network.blocks):
        found[name] = path_gradient(network.models[name], inputs.pop(name), cotangent)
        cotangent = found[name].total
    return NetworkGradient(
        label=chosen,
        logits=frozen(logits),
        stem=path_gradient(network.stem, given, cotangent),
        blocks=MappingProxyType({name: found[name] for name in network.blocks}),
    )


def _inputs(network: Network, image: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the residual stream that reaches every block, by name, and that after the last.

    A block's other stages are dropped before the next block runs: those of all blocks of a deep
    network take hundreds of MB.
    """
    # As `Network.trace` does, so that its compiled programs serve and the bits are the same.
    h, found = _out(network.stem, image), {}
    for name, model in network.models.items():
        found[name] = h
        h = _out(model, h)
    return found, h


def _out(model: Model, x: np.ndarray) -> np.ndarray:
    return trace_chain([model], x, True)[0]["out"]


def _score(network: Network, label: int, h: jax.Array) -> jax.Array:
    return run_head(network.final, network.head, h, True)[label]
