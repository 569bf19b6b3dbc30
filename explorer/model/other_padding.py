"""Padding as other libraries choose it, with the weights of `Conv` and `MaxPool`."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from explorer.model.layers import BatchNormSettings, Conv
from explorer.model.pooling import MaxPool


@dataclass(frozen=True)
class UnevenConv(Conv):
    """A convolution with the "SAME" of NNX and TensorFlow.

    At stride 2 it adds as few zeros as give every second pixel, the odd one after the input.
    """

    def build(
        self, channels: int, features: int, rngs: nnx.Rngs, batch_norm: BatchNormSettings
    ) -> nnx.Module:
        return nnx.Conv(
            channels,
            self.width(channels, features),
            kernel_size=(self.size, self.size),
            strides=self.stride,
            padding="SAME",
            rngs=rngs,
        )


@dataclass(frozen=True)
class UnevenMaxPool(MaxPool):
    """A max pooling with the "SAME" of NNX and TensorFlow, as `UnevenConv` has it."""

    padding = "SAME"

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        window, strides = (self.size, self.size), (self.stride, self.stride)
        found = nnx.max_pool(x, window, strides, self.padding)  # type: ignore[no-untyped-call]
        return jnp.asarray(found)


@dataclass(frozen=True)
class UnpaddedMaxPool(UnevenMaxPool):
    """A max pooling of the windows that lie within the input."""

    padding = "VALID"
