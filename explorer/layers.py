"""The layers that blocks are made of, as data: each knows its module, its width and its formula."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Protocol, Self

import jax
import jax.numpy as jnp
from flax import nnx

from explorer.errors import InputError


class Layer(Protocol):
    """What a stage computes from another, in a block of `features` channels.

    `build` makes its NNX module, or None where it has no state, for an input of
    `channels` channels; `width` tells the channels of the output. A pixel of the output
    stands for every `stride`-th of the input, begins `margin` pixels inside it and sees
    `reach` pixels around its own there. `values` are constants that do not change the
    program, by the name of the module's variable.
    """

    @property
    def words(self) -> str:
        """What a panel's title says it is."""

    @property
    def reach(self) -> int: ...

    @property
    def stride(self) -> int: ...

    @property
    def margin(self) -> int: ...

    def values(self) -> dict[str, float]:
        """Constants that are data of the same program."""

    def plain(self) -> "Layer":
        """This layer with its `values` as a fresh module has them."""

    def build(self, channels: int, features: int, rngs: nnx.Rngs) -> nnx.Module | None:
        """The layer's module."""

    def width(self, channels: int, features: int) -> int:
        """Channels of the output."""

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        """The stage's value from its input's."""


class _PerPixel:
    """A layer that keeps every pixel and channel in its place and calls its module."""

    @property
    def reach(self) -> int:
        return 0

    @property
    def stride(self) -> int:
        return 1

    @property
    def margin(self) -> int:
        return 0

    def values(self) -> dict[str, float]:
        return {}

    def plain(self) -> Self:
        return self

    def width(self, channels: int, features: int) -> int:
        return channels

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        return jnp.asarray(module(x))


@dataclass(frozen=True)
class Conv(_PerPixel):
    """A convolution, size×size, to `out` channels: a number, a fraction of the block's
    features (at least one), or None for as many as come in.

    `padding` "SAME" pads by (size − 1)/2 on each side, at stride 2 too: that is
    torchvision's `padding=1`, while NNX's own "SAME" would pad unevenly there. `bias` is
    the initial value of its bias.
    """

    size: int = 3
    out: int | Fraction | None = None
    stride: int = 1
    padding: str = "SAME"
    bias: float = 0.0

    def values(self) -> dict[str, float]:
        return {"bias": self.bias}

    def plain(self) -> "Conv":
        return replace(self, bias=0.0)

    @property
    def words(self) -> str:
        step = f" /{self.stride}" if self.stride > 1 else ""  # as in He et al. 2015, Fig. 3
        return f"{self.size}×{self.size} conv{step}"

    @property
    def reach(self) -> int:
        return (self.size - 1) // 2

    @property
    def margin(self) -> int:
        return self.reach if self.padding == "VALID" else 0

    def build(self, channels: int, features: int, rngs: nnx.Rngs) -> nnx.Module:
        even = self.stride > 1 and self.padding == "SAME"
        padding: Any = (self.size - 1) // 2 if even else self.padding
        return nnx.Conv(
            channels,
            self.width(channels, features),
            kernel_size=(self.size, self.size),
            strides=self.stride,
            padding=padding,
            bias_init=nnx.initializers.constant(self.bias),
            rngs=rngs,
        )

    def width(self, channels: int, features: int) -> int:
        return channels if self.out is None else _channels(self.out, features)

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        height, width = x.shape[:2]
        if self.padding == "VALID" and min(height, width) < self.size:
            raise InputError(
                f"A {self.size}×{self.size} convolution without padding needs at least as many "
                f"rows and columns, and {height}×{width} come in. Take a larger input."
            )
        return super().apply(module, x, use_running_average)


@dataclass(frozen=True)
class BatchNorm(_PerPixel):
    """Batch normalisation; `gamma` and `beta` are the initial values of its scale γ and shift β."""

    gamma: float = 1.0
    beta: float = 0.0

    words = "BatchNorm"

    def values(self) -> dict[str, float]:
        return {"scale": self.gamma, "bias": self.beta}

    def plain(self) -> "BatchNorm":
        return BatchNorm()

    def build(self, channels: int, features: int, rngs: nnx.Rngs) -> nnx.Module:
        gamma, beta = (nnx.initializers.constant(value) for value in (self.gamma, self.beta))
        return nnx.BatchNorm(channels, scale_init=gamma, bias_init=beta, rngs=rngs)

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        return jnp.asarray(module(x, use_running_average=use_running_average))


def _channels(out: int | Fraction, features: int) -> int:
    return out if isinstance(out, int) else max(1, int(out * features))


class _Stateless(_PerPixel):
    def build(self, channels: int, features: int, rngs: nnx.Rngs) -> None:
        return None


@dataclass(frozen=True)
class ReLU(_Stateless):
    """max(0, v)."""

    words = "ReLU"

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        return nnx.relu(x)


class Constant(nnx.Variable[Any]):
    """A number that a module holds and no training moves."""


class Scaling(nnx.Module):
    """factor · v, with the factor in the state."""

    def __init__(self, factor: float):
        self.factor = Constant(jnp.float32(factor))


@dataclass(frozen=True)
class Scale(_PerPixel):
    """factor · v."""

    factor: float = 0.5

    @property
    def words(self) -> str:
        return f"× {self.factor:g}"

    def values(self) -> dict[str, float]:
        return {"factor": self.factor}

    def plain(self) -> "Scale":
        return Scale(1.0)

    def build(self, channels: int, features: int, rngs: nnx.Rngs) -> nnx.Module:
        return Scaling(self.factor)

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        return module.factor[...] * x


@dataclass(frozen=True)
class Crop(_Stateless):
    """Cuts `margin` rows and columns off every side."""

    margin: int = 1

    @property
    def words(self) -> str:
        return f"cropped by {self.margin}"

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        return x[self.margin : -self.margin, self.margin : -self.margin]


@dataclass(frozen=True)
class PadChannels(_Stateless):
    """Takes every `stride`-th pixel and appends channels of zeros up to `out` (option A)."""

    out: int | Fraction
    stride: int = 1

    words = "zero channels"

    def width(self, channels: int, features: int) -> int:
        return _channels(self.out, features)

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        kept = x[:: self.stride, :: self.stride]
        missing = _channels(self.out, x.shape[2]) - x.shape[2]
        if missing < 0:
            raise InputError(
                f"Zero channels can only be added: x has {x.shape[2]} channels and "
                f"{_channels(self.out, x.shape[2])} are asked for. Ask for as many or more, or "
                "project the shortcut."
            )
        return jnp.pad(kept, ((0, 0), (0, 0), (0, missing)))


@dataclass(frozen=True)
class LayerNorm(_PerPixel):
    """Normalises each pixel over its channels."""

    words = "LayerNorm"

    def build(self, channels: int, features: int, rngs: nnx.Rngs) -> nnx.Module:
        return nnx.LayerNorm(channels, rngs=rngs)


@dataclass(frozen=True)
class Dense(_PerPixel):
    """A linear map of each pixel's channels, to `times` / `over` as many."""

    times: int = 1
    over: int = 1

    words = "linear"

    def build(self, channels: int, features: int, rngs: nnx.Rngs) -> nnx.Module:
        return nnx.Linear(channels, self.width(channels, features), rngs=rngs)

    def width(self, channels: int, features: int) -> int:
        return channels * self.times // self.over


@dataclass(frozen=True)
class GELU(_Stateless):
    """v · Φ(v), in NNX's tanh approximation."""

    words = "GELU"

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        return nnx.gelu(x)


@dataclass(frozen=True)
class Attention(_PerPixel):
    """Self-attention with one head; every pixel is a token and sees all others."""

    max_tokens: int = 4096

    words = "attention"

    @property
    def reach(self) -> int:
        return self.max_tokens

    def build(self, channels: int, features: int, rngs: nnx.Rngs) -> nnx.Module:
        return nnx.MultiHeadAttention(1, channels, decode=False, rngs=rngs)

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        height, width, channels = x.shape
        if height * width > self.max_tokens:
            raise InputError(
                f"Attention makes a token of every pixel and was given {height}×{width} = "
                f"{height * width:,}; accepted are at most {self.max_tokens:,} pixels. Take a "
                "smaller input, or let a picture be resized to a shorter side."
            )
        return jnp.asarray(module(x.reshape(-1, channels))).reshape(x.shape)
