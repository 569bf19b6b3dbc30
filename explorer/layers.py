"""The layers that blocks are made of, as data: each knows its module, its width and its formula."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

import jax
import jax.numpy as jnp
from flax import nnx

from explorer.errors import InputError


class Layer(Protocol):
    """What a stage computes from another, in a block of `features` channels.

    `build` makes its NNX module, or None where it has no state, for an input of
    `channels` channels; `width` tells the channels of the output.
    """

    def build(self, channels: int, features: int, rngs: nnx.Rngs) -> nnx.Module | None:
        """The layer's module."""

    def width(self, channels: int, features: int) -> int:
        """Channels of the output."""

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        """The stage's value from its input's."""


@dataclass(frozen=True)
class Conv:
    """A convolution, size×size, to `out` channels: a number, a fraction of the block's
    features (at least one), or None for as many as come in.

    `padding` "SAME" pads by (size − 1)/2 on each side, at stride 2 too: that is
    torchvision's `padding=1`, while NNX's own "SAME" would pad unevenly there.
    """

    size: int = 3
    out: int | Fraction | None = None
    stride: int = 1
    padding: str = "SAME"

    def build(self, channels: int, features: int, rngs: nnx.Rngs) -> nnx.Module:
        even = self.stride > 1 and self.padding == "SAME"
        padding: Any = (self.size - 1) // 2 if even else self.padding
        return nnx.Conv(
            channels,
            self.width(channels, features),
            kernel_size=(self.size, self.size),
            strides=self.stride,
            padding=padding,
            rngs=rngs,
        )

    def width(self, channels: int, features: int) -> int:
        return channels if self.out is None else _channels(self.out, features)

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        return jnp.asarray(module(x))


@dataclass(frozen=True)
class BatchNorm:
    """Batch normalisation; `gamma` is the initial value of its scale γ."""

    gamma: float = 1.0

    def build(self, channels: int, features: int, rngs: nnx.Rngs) -> nnx.Module:
        initial = nnx.initializers.constant(self.gamma)
        return nnx.BatchNorm(channels, scale_init=initial, rngs=rngs)

    def width(self, channels: int, features: int) -> int:
        return channels

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        return jnp.asarray(module(x, use_running_average=use_running_average))


def _channels(out: int | Fraction, features: int) -> int:
    return out if isinstance(out, int) else max(1, int(out * features))


@dataclass(frozen=True)
class _Stateless:
    def build(self, channels: int, features: int, rngs: nnx.Rngs) -> None:
        return None

    def width(self, channels: int, features: int) -> int:
        return channels


@dataclass(frozen=True)
class ReLU(_Stateless):
    """max(0, v)."""

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        return nnx.relu(x)


@dataclass(frozen=True)
class Scale(_Stateless):
    """factor · v."""

    factor: float = 0.5

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        return self.factor * x


@dataclass(frozen=True)
class Crop(_Stateless):
    """Cuts `margin` rows and columns off every side."""

    margin: int

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        return x[self.margin : -self.margin, self.margin : -self.margin]


@dataclass(frozen=True)
class PadChannels:
    """Takes every `stride`-th pixel and appends channels of zeros up to `out` (option A)."""

    out: int | Fraction
    stride: int = 1

    def build(self, channels: int, features: int, rngs: nnx.Rngs) -> None:
        return None

    def width(self, channels: int, features: int) -> int:
        return _channels(self.out, features)

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        kept = x[:: self.stride, :: self.stride]
        missing = _channels(self.out, x.shape[2]) - x.shape[2]
        return jnp.pad(kept, ((0, 0), (0, 0), (0, missing)))


@dataclass(frozen=True)
class LayerNorm:
    """Normalises each pixel over its channels."""

    def build(self, channels: int, features: int, rngs: nnx.Rngs) -> nnx.Module:
        return nnx.LayerNorm(channels, rngs=rngs)

    def width(self, channels: int, features: int) -> int:
        return channels

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        return jnp.asarray(module(x))


@dataclass(frozen=True)
class Dense:
    """A linear map of each pixel's channels, to `times` / `over` as many."""

    times: int = 1
    over: int = 1

    def build(self, channels: int, features: int, rngs: nnx.Rngs) -> nnx.Module:
        return nnx.Linear(channels, self.width(channels, features), rngs=rngs)

    def width(self, channels: int, features: int) -> int:
        return channels * self.times // self.over

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        return jnp.asarray(module(x))


@dataclass(frozen=True)
class GELU(_Stateless):
    """v · Φ(v), in NNX's tanh approximation."""

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        return nnx.gelu(x)


@dataclass(frozen=True)
class Attention:
    """Self-attention with one head; every pixel is a token."""

    max_tokens: int = 4096

    def build(self, channels: int, features: int, rngs: nnx.Rngs) -> nnx.Module:
        return nnx.MultiHeadAttention(1, channels, decode=False, rngs=rngs)

    def width(self, channels: int, features: int) -> int:
        return channels

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        height, width, channels = x.shape
        if height * width > self.max_tokens:
            raise InputError(
                f"Attention makes a token of every pixel and was given {height}×{width} = "
                f"{height * width:,}; accepted are at most {self.max_tokens:,} pixels."
            )
        return jnp.asarray(module(x.reshape(-1, channels))).reshape(x.shape)
