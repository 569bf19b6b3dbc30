"""The accuracy of a network in hand-written NNX, independent of the explorer's modules."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from explorer import Network

RNGS = nnx.Rngs(0)  # of weights that are replaced at once


def plain_accuracy(
    network: Network, images: np.ndarray, labels: np.ndarray, order: Sequence[str]
) -> float:
    """Return the accuracy in eval mode with the blocks in this order, all pictures at once.

    The blocks are `v1` or `no_skip`.
    """
    stem, head = network.parameters["stem"], network.parameters["head"]
    h = jax.nn.relu(_norm(network, "stem", "bn")(_conv(stem["conv"])(jnp.asarray(images))))
    for name in order:
        parameters = network.parameters[name]
        branch = _norm(network, name, "bn1")(_conv(parameters["conv1"])(h))
        branch = _conv(parameters["conv2"])(jax.nn.relu(branch))
        branch = _norm(network, name, "bn2")(branch)
        h = jax.nn.relu(branch + h if network.variant == "v1" else branch)
    linear = nnx.Linear(*head["kernel"].shape, rngs=RNGS)
    _set(linear, head)
    predicted = np.asarray(linear(h.mean(axis=(1, 2)))).argmax(axis=1)
    return float(np.mean(predicted == labels))


def _conv(variables: Any) -> nnx.Conv:
    height, width, channels, features = variables["kernel"].shape
    layer = nnx.Conv(channels, features, (height, width), padding="SAME", rngs=RNGS)
    _set(layer, variables)
    return layer


def _norm(network: Network, part: str, layer: str) -> nnx.BatchNorm:
    variables = {**network.parameters[part][layer], **network.statistics[part][layer]}
    norm = nnx.BatchNorm(network.spec.width, use_running_average=True, rngs=RNGS)
    _set(norm, variables)
    return norm


def _set(layer: nnx.Module, variables: Any) -> None:
    for name, array in variables.items():
        variable = getattr(layer, name)
        assert variable.get_value().shape == np.shape(array)
        variable.set_value(jnp.asarray(array))
