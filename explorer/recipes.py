"""Variants of the block as data: `out = after(shortcut(x) + branch(x))`.

A recipe lists named layers for the branch, the shortcut and what comes after the
sum. One class, `RecipeBlock`, runs them all; the canonical block is the recipe
"v1". Layers that variants have in common get the same weights from the same seed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Protocol

import jax
import jax.numpy as jnp
from flax import nnx

from explorer.block import BasicBlock
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


Stages = tuple[tuple[str, Layer], ...]


@dataclass(frozen=True)
class Recipe:
    """A variant of the block.

    Attributes:
        title: its name in words.
        lesson: one or two sentences on what it shows.
        source: paper and place, with the published figure where there is one.
        branch, after: named layers, in order; F(x) is the branch's last stage.
        shortcut: likewise; empty for the identity, None for no shortcut and no sum.
        always_eval: runs with running statistics, whatever was asked for.
    """

    title: str
    lesson: str
    source: str
    branch: Stages
    shortcut: Stages | None = ()
    after: Stages = (("out", ReLU()),)
    always_eval: bool = False

    @property
    def residual(self) -> str:
        """The stage that is F(x)."""
        return self.branch[-1][0]

    def inputs(self) -> dict[str, str]:
        """For every layer's stage, the stage that it is computed from."""
        sources: dict[str, str] = {}
        start = "add" if self.shortcut is not None else self.residual
        for layers, source in ((self.branch, "x"), (self.shortcut or (), "x"), (self.after, start)):
            for name, _ in layers:
                sources[name], source = source, name
        return sources

    def stages(self) -> tuple[str, ...]:
        """The names of all stages, in dataflow order, from "x" to "out"."""
        names = ["x", *(name for name, _ in (*self.branch, *(self.shortcut or ())))]
        names += [] if self.shortcut is None else ["add"]
        names += [name for name, _ in self.after]
        return tuple(names if names[-1] == "out" else [*names, "out"])

    def norms(self) -> list[str]:
        """The stages that are BatchNorms."""
        return [name for name, layer in self.layers().items() if isinstance(layer, BatchNorm)]

    def layers(self) -> dict[str, Layer]:
        """Every layer by its stage's name."""
        return dict((*self.branch, *(self.shortcut or ()), *self.after))


class RecipeBlock(nnx.Module):
    """The block of a recipe.

    Kernels that a canonical block of this seed has under the same name and of the
    same shape are the same; what the recipe adds is drawn after them.

    Args:
        recipe: what to build.
        features: channels of the input.
        rngs: NNX's random streams.
    """

    def __init__(self, recipe: Recipe, features: int, rngs: nnx.Rngs):
        self.recipe = recipe
        canonical = BasicBlock(features, rngs)
        widths = {"x": features}
        for name, source in recipe.inputs().items():
            if source == "add":
                widths["add"] = widths[recipe.residual]
            layer = recipe.layers()[name]
            widths[name] = layer.width(widths[source], features)
            module = layer.build(widths[source], features, rngs)
            twin = getattr(canonical, name, None)
            if module is None:
                continue
            setattr(self, name, module)
            if isinstance(module, nnx.Conv) and isinstance(twin, nnx.Conv):
                _share_kernel(twin, module)

    def stages(self, x: jax.Array, use_running_average: bool) -> dict[str, jax.Array]:
        """Every stage by name, in dataflow order, from "x" to "out".

        Raises:
            InputError: F(x) and the shortcut have shapes that cannot be added.
        """
        values = {"x": x}

        def run(layers: Stages, value: jax.Array) -> jax.Array:
            for name, layer in layers:
                module = getattr(self, name, None)
                value = values[name] = layer.apply(module, value, use_running_average)
            return value

        total = run(self.recipe.branch, x)
        if self.recipe.shortcut is not None:
            identity = run(self.recipe.shortcut, x)
            total = values["add"] = _add(total, identity)
        values["out"] = run(self.recipe.after, total)
        return values

    def __call__(self, x: jax.Array, use_running_average: bool) -> jax.Array:
        """The last of `stages`."""
        return self.stages(x, use_running_average)["out"]


def _share_kernel(one: nnx.Conv, other: nnx.Conv) -> None:
    """Gives `other` the kernel of `one` where the shapes agree."""
    if one.kernel.shape == other.kernel.shape:
        other.kernel[...] = one.kernel[...]


def _add(residual: jax.Array, identity: jax.Array) -> jax.Array:
    """F(x) + shortcut, or InputError where their shapes differ."""
    shapes = f"F(x) has shape {residual.shape} and the shortcut {identity.shape}"
    try:
        total = residual + identity
    except (TypeError, ValueError) as error:
        raise InputError(
            f"The addition does not run: {shapes}, and a sum needs equal shapes. JAX says: {error}"
        ) from error
    if residual.shape != identity.shape:
        raise InputError(
            f"The addition is no sum: {shapes}, and + would quietly spread the single channel over "
            "all; a sum needs equal shapes."
        )
    return total


V1 = Recipe(
    title="The basic block, v1",
    lesson="The reference: the identity reaches the sum untouched, the last ReLU cuts the sum.",
    source="He et al. 2015, Fig. 2, eq. 1–2; He et al. 2016, Table 2: 6.61 (ResNet-110)",
    branch=(
        ("conv1", Conv()),
        ("bn1", BatchNorm()),
        ("relu1", ReLU()),
        ("conv2", Conv()),
        ("bn2", BatchNorm()),
    ),
)


def build(recipe: Recipe, features: int, rngs: nnx.Rngs) -> BasicBlock | RecipeBlock:
    """The block of a recipe; for v1 the literal one, so that its trace and
    `resnet_basic_forward` come from the same forward pass."""
    return BasicBlock(features, rngs) if recipe == V1 else RecipeBlock(recipe, features, rngs)


def scaled_skip(factor: float = 0.5) -> Recipe:
    """Both paths scaled by `factor` before the sum; 1 is v1."""
    return replace(
        V1,
        title="Scaled skip",
        lesson="The shortcut is no longer clean: through a stack of n such blocks the identity is "
        "multiplied by the factor n times.",
        source="He et al. 2016, Table 1: constant scaling 0.5/0.5 gives 12.35 against 6.61",
        branch=(*V1.branch, ("scaled_f", Scale(factor))),
        shortcut=(("scaled_x", Scale(factor)),),
    )


def projection(out: int | Fraction = Fraction(1), stride: int = 1) -> Recipe:
    """A 1×1 convolution and a norm on the shortcut, to `out` channels."""
    return replace(
        V1,
        title="Projection shortcut",
        lesson="Shapes may change, but the identity path is no longer the identity: weights "
        "multiply it.",
        source="He et al. 2015, Table 3, B and C; He et al. 2016, Table 1: 12.22 where every "
        "shortcut is a 1×1 convolution",
        branch=(("conv1", Conv(out=out, stride=stride)), *V1.branch[1:]),
        shortcut=(("proj", Conv(size=1, out=out, stride=stride)), ("bn_proj", BatchNorm())),
    )


def zero_pad(out: int | Fraction = Fraction(2), stride: int = 1) -> Recipe:
    """More channels without parameters: the shortcut appends zeros (option A)."""
    return replace(
        projection(out, stride),
        title="Zero-padded shortcut",
        lesson="Channels grow without a weight on the shortcut: the old channels pass, the new "
        "ones get F(x) alone.",
        source="He et al. 2015, Table 3, A: 25.03 against 28.54 without shortcuts (34 layers)",
        shortcut=(("pad", PadChannels(out, stride)),),
    )


def zero_gamma(gamma: float = 0.0) -> Recipe:
    """The last norm's scale γ₂ set to `gamma`; at 0 the block is ReLU(x)."""
    return replace(
        V1,
        title="γ₂ towards zero",
        lesson="The branch fades out with γ₂. At 0 the block is ReLU(x): the identity only where "
        "x is not negative.",
        source="Goyal et al. 2017, who start training so",
        branch=(*V1.branch[:-1], ("bn2", BatchNorm(gamma))),
    )


CONV1, BN1, RELU1, CONV2, BN2 = V1.branch
RELU2: tuple[str, Layer] = ("relu2", ReLU())
HE2016 = "He et al. 2016, Table 2"

VARIANTS: Mapping[str, Recipe] = MappingProxyType(
    {
        "v1": V1,
        "no_skip": replace(
            V1,
            title="No skip",
            lesson="out = ReLU(F(x)): the picture of the input is gone.",
            source="He et al. 2015, Table 3: plain 28.54 against 25.03 and less with shortcuts",
            shortcut=None,
        ),
        "relu_before_add": replace(
            V1,
            title="ReLU before the addition",
            lesson="F(x) is never negative, so the sum can only grow: no cell is ever lowered.",
            source=f"{HE2016}: 7.84 against 6.61 (ResNet-110)",
            branch=(*V1.branch, RELU2),
            after=(),
        ),
        "bn_after_add": replace(
            V1,
            title="BatchNorm after the addition",
            lesson="The norm touches the identity: what passes depends on what F(x) is.",
            source=f"{HE2016}: 8.17 against 6.61 (ResNet-110)",
            branch=(CONV1, BN1, RELU1, CONV2),
            after=(BN2, ("out", ReLU())),
        ),
        "relu_only_preact": replace(
            V1,
            title="ReLU-only pre-activation",
            lesson="Nothing comes after the sum: the identity reaches the output untouched.",
            source=f"{HE2016}: 6.71 against 6.61 (ResNet-110)",
            branch=(RELU1, CONV1, BN1, RELU2, CONV2, BN2),
            after=(),
        ),
        "full_preact": replace(
            V1,
            title="Full pre-activation",
            lesson="Norm and ReLU come first: the identity reaches the output untouched and every "
            "convolution gets a normalised input.",
            source=f"{HE2016}: 6.37 against 6.61 (ResNet-110)",
            branch=(BN1, RELU1, CONV1, BN2, RELU2, CONV2),
            after=(),
        ),
        "scaled_skip": scaled_skip(),
        "projection": projection(),
        "zero_pad": zero_pad(),
        "zero_gamma": zero_gamma(),
        "no_bn": replace(
            V1,
            title="No BatchNorm",
            lesson="Without the norms F(x) keeps whatever size the weights give it.",
            source="He et al. 2015, Section 3.4, put a norm after every convolution",
            branch=(CONV1, RELU1, CONV2),
        ),
        "valid_padding": replace(
            V1,
            title="Without padding",
            lesson="Each 3×3 convolution without padding takes off one row and column a side, so "
            "F(x) no longer fits x. SAME padding keeps the shapes equal.",
            source="He et al. 2015, eq. 1, needs F(x) and x of equal shape",
            branch=(
                ("conv1", Conv(padding="VALID")),
                BN1,
                RELU1,
                ("conv2", Conv(padding="VALID")),
                BN2,
            ),
        ),
        "wrong_channels": replace(
            V1,
            title="Unequal channels",
            lesson="F(x) has twice the channels of x, so there is nothing to add it to. The way "
            "out is a projection on the shortcut.",
            source="He et al. 2015, eq. 2",
            branch=(CONV1, BN1, RELU1, ("conv2", Conv(out=Fraction(2))), BN2),
        ),
        "eval_untrained": replace(
            V1,
            title="Eval mode, untrained",
            lesson="The running statistics still stand at mean 0 and variance 1, so the norms do "
            "nothing. Train-mode passes before move them towards this input's.",
            source="Ioffe & Szegedy 2015, Algorithm 2",
            always_eval=True,
        ),
        "bottleneck": replace(
            V1,
            title="Bottleneck",
            lesson="The deeper nets' block: 1×1 convolutions narrow and widen the branch around "
            "one 3×3; the shortcut is the same.",
            source="He et al. 2015, Fig. 5",
            branch=(
                ("conv1", Conv(size=1, out=Fraction(1, 4))),
                BN1,
                RELU1,
                CONV2,
                BN2,
                RELU2,
                ("conv3", Conv(size=1, out=Fraction(1))),
                ("bn3", BatchNorm()),
            ),
        ),
        "transformer_mlp": replace(
            V1,
            title="Transformer: MLP",
            lesson="The same x + Sublayer(x), pixels as tokens: norm, widen by 4, GELU, narrow; no "
            "ReLU after the sum.",
            source="Vaswani et al. 2017; pre-LN: Xiong et al. 2020",
            branch=(
                ("ln", LayerNorm()),
                ("dense1", Dense(times=4)),
                ("gelu", GELU()),
                ("dense2", Dense(over=4)),
            ),
            after=(),
        ),
        "transformer_attention": replace(
            V1,
            title="Transformer: attention",
            lesson="The same x + Sublayer(x), pixels as tokens: each takes from all others; no "
            "ReLU after the sum.",
            source="Vaswani et al. 2017; pre-LN: Xiong et al. 2020",
            branch=(("ln", LayerNorm()), ("attention", Attention())),
            after=(),
        ),
    }
)

# The usual workaround for a branch without padding: the identity loses its rim.
CROPPED_IDENTITY = replace(
    VARIANTS["valid_padding"],
    title="Without padding, identity cropped",
    lesson="The sum runs again, with an identity that lost two rows and columns a side.",
    shortcut=(("crop", Crop(2)),),
)
