"""The accuracy of a network in hand-written NNX, independent of the explorer's modules."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from explorer import Network


def plain_accuracy(
    network: Network, images: np.ndarray, labels: np.ndarray, order: Sequence[str]
) -> float:
    """Return the accuracy in eval mode with the blocks in this order, all pictures at once.

    The blocks are `v1` or `no_skip`.
    """
    stem, head = network.parameters["stem"], network.parameters["head"]
    h = jax.nn.relu(_norm(network, "stem", "bn")(_conv(stem["conv"])(jnp.asarray(images))))
    for name in order:
        variables = network.parameters[name], network.statistics[name]
        h = _block(*variables, h, network.variant == "v1")
    linear = nnx.Linear(*head["kernel"].shape, rngs=nnx.Rngs(0))
    _set(linear, head)
    predicted = np.asarray(linear(h.mean(axis=(1, 2)))).argmax(axis=1)
    return float(np.mean(predicted == labels))


@partial(jax.jit, static_argnames="is_residual")
def _block(parameters: Any, statistics: Any, h: jax.Array, is_residual: bool) -> jax.Array:
    def norm(layer: str, value: jax.Array) -> jax.Array:
        return _norm_of({**parameters[layer], **statistics[layer]})(value)

    branch = norm("bn1", _conv(parameters["conv1"])(h))
    branch = norm("bn2", _conv(parameters["conv2"])(jax.nn.relu(branch)))
    return jax.nn.relu(branch + h if is_residual else branch)


def _conv(variables: Any) -> nnx.Conv:
    height, width, channels, features = variables["kernel"].shape
    layer = nnx.Conv(channels, features, (height, width), padding="SAME", rngs=nnx.Rngs(0))
    _set(layer, variables)
    return layer


def _norm(network: Network, part: str, layer: str) -> nnx.BatchNorm:
    return _norm_of({**network.parameters[part][layer], **network.statistics[part][layer]})


def _norm_of(variables: Any) -> nnx.BatchNorm:
    norm = nnx.BatchNorm(variables["mean"].size, use_running_average=True, rngs=nnx.Rngs(0))
    _set(norm, variables)
    return norm


def _set(layer: nnx.Module, variables: Any) -> None:
    for name, array in variables.items():
        variable = getattr(layer, name)
        assert variable.get_value().shape == np.shape(array)
        variable.set_value(jnp.asarray(array))
