"""The layers of block specs: frozen records that build an NNX module and apply it."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Protocol, Self

import jax
import jax.numpy as jnp
from flax import nnx

from explorer.errors import InputError, check_choice, check_integer, check_real, describe


@dataclass(frozen=True)
class Times:
    """A number of channels: the block's features times `factor`, at least one channel.

    It is a type of its own because `Fraction(2) == 2`: layers with 2 channels and with twice the
    features would be equal, and would share a compiled program.
    """

    factor: Fraction


Width = int | Times


def check_width(out: Any) -> Width:
    """Return a layer's channels; InputError unless `out` is an integer or a Fraction above 0."""
    if isinstance(out, Fraction) and out > 0:
        return Times(out)
    if isinstance(out, Times):
        return out
    try:
        return check_integer("out", out, 1, None)
    except InputError:
        raise InputError(
            "out must be a number of channels, an integer of at least 1, or a positive Fraction "
            f"of the block's features; got {describe(out)}."
        ) from None


def check_integers(layer: Any, low: int, *names: str) -> None:
    """Set these attributes to integers; InputError unless each is one of at least `low`."""
    for name in names:
        object.__setattr__(layer, name, check_integer(name, getattr(layer, name), low, None))


def _check_reals(layer: Any, *names: str) -> None:
    for name in names:
        object.__setattr__(layer, name, check_real(name, getattr(layer, name)))


@dataclass(frozen=True)
class BatchNormSettings:
    """ε and momentum of a model's BatchNorms; NNX's defaults.

    In train mode `running = momentum · running + (1 − momentum) · batch`.
    """

    epsilon: float = 1e-5
    momentum: float = 0.99

    def __post_init__(self) -> None:
        _check_reals(self, "epsilon", "momentum")


DEFAULT_BATCH_NORM = BatchNormSettings()


class Layer(Protocol):
    """How a stage is computed from its source, in a block of `features` channels.

    Row n of the output depends on the input's rows from `margin + stride · n − reach[0]` to
    `margin + stride · n + reach[1]`; likewise its columns.
    """

    @property
    def label(self) -> str:
        """The layer's name in a panel's title."""

    @property
    def reach(self) -> tuple[int, int]: ...

    @property
    def stride(self) -> int: ...

    @property
    def margin(self) -> int: ...

    def constants(self) -> dict[str, float]:
        """Return the layer's constants by variable; compiled programs take them as arguments."""

    def with_default_constants(self) -> "Layer":
        """Return this layer with the default values of its constants."""

    def build(
        self, channels: int, features: int, rngs: nnx.Rngs, batch_norm: BatchNormSettings
    ) -> nnx.Module | None:
        """Return the module for an input of `channels` channels; None without state."""

    def width(self, channels: int, features: int) -> int:
        """Return the number of output channels."""

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        """Apply the layer to its input `(…, H, W, C)`."""


class _PerPixel:
    """Defaults for layers: pixels and channels stay the same, and `apply` calls the module."""

    @property
    def radius(self) -> int:
        return 0

    @property
    def reach(self) -> tuple[int, int]:
        return self.radius, self.radius

    @property
    def stride(self) -> int:
        return 1

    @property
    def margin(self) -> int:
        return 0

    def constants(self) -> dict[str, float]:
        return {}

    def with_default_constants(self) -> Self:
        return self

    def width(self, channels: int, features: int) -> int:
        return channels

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        return jnp.asarray(module(x))


@dataclass(frozen=True)
class Conv(_PerPixel):
    """A size×size convolution.

    `out` is the number of output channels: an integer, a Fraction of the block's features,
    which becomes a `Times`, or None for the number of input channels. `padding` "SAME" pads
    by (size − 1)/2 on each side, also at stride 2, as torchvision's `padding=1`; NNX's own
    "SAME" would pad unevenly at stride 2. `bias` is the bias's initial value.
    """

    size: int = 3
    out: Width | Fraction | None = None
    stride: int = 1
    padding: str = "SAME"
    bias: float = 0.0

    def __post_init__(self) -> None:
        check_integers(self, 1, "size", "stride")
        _check_reals(self, "bias")
        if self.out is not None:
            object.__setattr__(self, "out", check_width(self.out))
        check_choice("padding", self.padding, ("SAME", "VALID"))

    def constants(self) -> dict[str, float]:
        return {"bias": self.bias}

    def with_default_constants(self) -> "Conv":
        return replace(self, bias=0.0)

    @property
    def label(self) -> str:
        step = f" /{self.stride}" if self.stride > 1 else ""  # as in He et al. 2015, Fig. 3
        return f"{self.size}×{self.size} conv{step}"

    @property
    def radius(self) -> int:
        return (self.size - 1) // 2

    @property
    def margin(self) -> int:
        return self.radius if self.padding == "VALID" else 0

    def build(
        self, channels: int, features: int, rngs: nnx.Rngs, batch_norm: BatchNormSettings
    ) -> nnx.Module:
        even = self.stride > 1 and self.padding == "SAME"
        padding: Any = self.radius if even else self.padding
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
        height, width = x.shape[-3:-1]
        if self.padding == "VALID" and min(height, width) < self.size:
            raise InputError(
                f"A {self.size}×{self.size} convolution without padding needs at least "
                f"{self.size} rows and {self.size} columns; its input has {height}×{width}. Choose "
                "a larger input."
            )
        return super().apply(module, x, use_running_average)


@dataclass(frozen=True)
class BatchNorm(_PerPixel):
    """Batch normalisation; `gamma` and `beta` are the initial values of its scale γ and shift β."""

    gamma: float = 1.0
    beta: float = 0.0

    label = "BatchNorm"

    def __post_init__(self) -> None:
        _check_reals(self, "gamma", "beta")

    def constants(self) -> dict[str, float]:
        return {"scale": self.gamma, "bias": self.beta}

    def with_default_constants(self) -> "BatchNorm":
        return BatchNorm()

    def build(
        self, channels: int, features: int, rngs: nnx.Rngs, batch_norm: BatchNormSettings
    ) -> nnx.Module:
        return nnx.BatchNorm(
            channels,
            epsilon=batch_norm.epsilon,
            momentum=batch_norm.momentum,
            scale_init=nnx.initializers.constant(self.gamma),
            bias_init=nnx.initializers.constant(self.beta),
            rngs=rngs,
        )

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        return jnp.asarray(module(x, use_running_average=use_running_average))


def _channels(out: Any, features: int) -> int:
    return max(1, int(out.factor * features)) if isinstance(out, Times) else int(out)


class Stateless(_PerPixel):
    """Defaults for layers without a module."""

    def build(
        self, channels: int, features: int, rngs: nnx.Rngs, batch_norm: BatchNormSettings
    ) -> None:
        return None


@dataclass(frozen=True)
class ReLU(Stateless):
    """max(0, v)."""

    label = "ReLU"

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        return nnx.relu(x)


class Constant(nnx.Variable[Any]):
    """A variable that training does not change."""


class Scaling(nnx.Module):
    """factor · v, with the factor as a variable of the module."""

    def __init__(self, factor: float):
        self.factor = Constant(jnp.float32(factor))


@dataclass(frozen=True)
class Scale(_PerPixel):
    """factor · v."""

    factor: float = 0.5

    def __post_init__(self) -> None:
        _check_reals(self, "factor")

    @property
    def label(self) -> str:
        return f"× {self.factor:g}"

    def constants(self) -> dict[str, float]:
        return {"factor": self.factor}

    def with_default_constants(self) -> "Scale":
        return Scale(1.0)

    def build(
        self, channels: int, features: int, rngs: nnx.Rngs, batch_norm: BatchNormSettings
    ) -> nnx.Module:
        return Scaling(self.factor)

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        return module.factor[...] * x


@dataclass(frozen=True)
class Crop(Stateless):
    """Removal of `margin` rows and columns on every side."""

    margin: int = 1

    def __post_init__(self) -> None:
        check_integers(self, 1, "margin")

    @property
    def label(self) -> str:
        return f"cropped by {self.margin}"

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        return x[..., self.margin : -self.margin, self.margin : -self.margin, :]


@dataclass(frozen=True)
class PadChannels(Stateless):
    """Every `stride`-th pixel, with zero channels added up to `out` (option A).

    `zeros` is "after", for zero channels that follow the input's, or "around", for one half of
    them before (the smaller one, if their number is odd) and the other half after.
    """

    out: Width | Fraction
    stride: int = 1
    zeros: str = "after"

    label = "zero channels"

    def __post_init__(self) -> None:
        check_integers(self, 1, "stride")
        check_choice("zeros", self.zeros, ("after", "around"))
        object.__setattr__(self, "out", check_width(self.out))

    def width(self, channels: int, features: int) -> int:
        return _channels(self.out, features)

    def before(self, missing: int) -> int:
        """Return how many of `missing` zero channels stand before the input's channels."""
        return missing // 2 if self.zeros == "around" else 0

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        channels = x.shape[-1]
        missing = _channels(self.out, channels) - channels
        if missing < 0:
            raise InputError(
                f"Zero channels can only be added: x has {channels} channels and the output "
                f"{channels + missing}. Set the channels of out to {channels} or more, or choose "
                "the projection shortcut."
            )
        strided = x[..., :: self.stride, :: self.stride, :]
        before = self.before(missing)
        return jnp.pad(strided, [(0, 0)] * (x.ndim - 1) + [(before, missing - before)])


@dataclass(frozen=True)
class LayerNorm(_PerPixel):
    """Normalisation of each pixel over its channels; ε is NNX's default."""

    epsilon: float = 1e-6

    label = "LayerNorm"

    def __post_init__(self) -> None:
        _check_reals(self, "epsilon")

    def build(
        self, channels: int, features: int, rngs: nnx.Rngs, batch_norm: BatchNormSettings
    ) -> nnx.Module:
        return nnx.LayerNorm(channels, epsilon=self.epsilon, rngs=rngs)


@dataclass(frozen=True)
class Dense(_PerPixel):
    """A linear map of each pixel's C channels to C · `times` / `over` channels."""

    times: int = 1
    over: int = 1

    label = "linear"

    def __post_init__(self) -> None:
        check_integers(self, 1, "times", "over")

    def build(
        self, channels: int, features: int, rngs: nnx.Rngs, batch_norm: BatchNormSettings
    ) -> nnx.Module:
        return nnx.Linear(channels, self.width(channels, features), rngs=rngs)

    def width(self, channels: int, features: int) -> int:
        return channels * self.times // self.over


@dataclass(frozen=True)
class GELU(Stateless):
    """v · Φ(v), in NNX's tanh approximation."""

    label = "GELU"

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        return nnx.gelu(x)


@dataclass(frozen=True)
class Attention(_PerPixel):
    """Self-attention with one head, with every pixel as a token."""

    max_tokens: int = 4096

    label = "attention"

    def __post_init__(self) -> None:
        check_integers(self, 1, "max_tokens")

    @property
    def radius(self) -> int:
        return self.max_tokens

    def build(
        self, channels: int, features: int, rngs: nnx.Rngs, batch_norm: BatchNormSettings
    ) -> nnx.Module:
        return nnx.MultiHeadAttention(1, channels, decode=False, rngs=rngs)

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        *images, height, width, channels = x.shape
        if height * width > self.max_tokens:
            raise InputError(
                f"Attention treats every pixel as a token: {height}×{width} are "
                f"{height * width:,} tokens, the limit is {self.max_tokens:,}. Choose a smaller "
                "input; for a picture, set a smaller longest side."
            )
        return jnp.asarray(module(x.reshape(*images, -1, channels))).reshape(x.shape)
