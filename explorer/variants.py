"""The block's variants: every placement, shortcut and relative that the papers name.

A new one is an entry of `VARIANTS`; nothing else changes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from types import MappingProxyType

from flax import nnx

from explorer.block import BasicBlock
from explorer.layers import (
    GELU,
    Attention,
    BatchNorm,
    Conv,
    Crop,
    Dense,
    Layer,
    LayerNorm,
    PadChannels,
    ReLU,
    Scale,
)
from explorer.recipes import Recipe, RecipeBlock

HE2015 = "He et al. 2015, Table 3 (ImageNet top-1 error in %, 34 layers)"
HE2016 = "He et al. 2016, Table 2 (CIFAR-10 test error in %, ResNet-110)"
HE2016_SHORTCUTS = "He et al. 2016, Table 1 (CIFAR-10 test error in %, ResNet-110)"

V1 = Recipe(
    title="The basic block, v1",
    lesson="The reference: the identity reaches the sum untouched, the last ReLU cuts the sum.",
    source=f"He et al. 2015, Fig. 2, eq. 1–2; {HE2016}: 6.61",
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
    is_v1 = recipe.program() == V1.program() and recipe.values() == V1.values()
    return BasicBlock(features, rngs) if is_v1 else RecipeBlock(recipe, features, rngs)


def scaled_skip(factor: float = 0.5) -> Recipe:
    """Both paths scaled by `factor` before the sum; 1 is v1."""
    return replace(
        V1,
        title="Scaled skip",
        lesson="The shortcut is no longer clean: through a stack of n such blocks the identity is "
        "multiplied by the factor n times.",
        source=f"{HE2016_SHORTCUTS}: constant scaling 0.5/0.5 gives 12.35 against 6.61",
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
        source=f"{HE2015}: 24.52 where shapes change, 24.19 everywhere; {HE2016_SHORTCUTS}: 12.22 "
        "where every shortcut is a 1×1 convolution, against 6.61",
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
        source=f"{HE2015}: 25.03 against 28.54 without shortcuts",
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


def saturated(recipe: Recipe, stage: str, shift: float) -> Recipe:
    """The recipe with the bias of the branch's convolution or norm `stage` set to `shift`."""

    def shifted(layer: Layer) -> Layer:
        match layer:
            case Conv():
                return replace(layer, bias=shift)
            case BatchNorm():
                return replace(layer, beta=shift)
            case _:
                return layer

    return replace(
        recipe,
        branch=tuple((n, shifted(layer) if n == stage else layer) for n, layer in recipe.branch),
    )


CONV1, BN1, RELU1, CONV2, BN2 = V1.branch
RELU2: tuple[str, Layer] = ("relu2", ReLU())

VARIANTS: Mapping[str, Recipe] = MappingProxyType(
    {
        "v1": V1,
        "no_skip": replace(
            V1,
            title="No skip",
            lesson="out = ReLU(F(x)): the picture of the input is gone.",
            source=f"{HE2015}: 28.54 without shortcuts, 25.03 to 24.19 with them",
            shortcut=None,
        ),
        "relu_before_add": replace(
            V1,
            title="ReLU before the addition",
            lesson="F(x) is never negative, so the sum can only grow: no cell is ever lowered.",
            source=f"{HE2016}: 7.84 against 6.61",
            branch=(*V1.branch, RELU2),
            after=(),
        ),
        "bn_after_add": replace(
            V1,
            title="BatchNorm after the addition",
            lesson="The norm touches the identity: what passes depends on what F(x) is.",
            source=f"{HE2016}: 8.17 against 6.61",
            branch=(CONV1, BN1, RELU1, CONV2),
            after=(BN2, ("out", ReLU())),
        ),
        "relu_only_preact": replace(
            V1,
            title="ReLU-only pre-activation",
            lesson="Nothing comes after the sum: the identity reaches the output untouched.",
            source=f"{HE2016}: 6.71 against 6.61",
            branch=(RELU1, CONV1, BN1, RELU2, CONV2, BN2),
            after=(),
        ),
        "full_preact": replace(
            V1,
            title="Full pre-activation",
            lesson="Norm and ReLU come first: the identity reaches the output untouched and every "
            "convolution gets a normalised input.",
            source=f"{HE2016}: 6.37 against 6.61",
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
            lesson="Running statistics start at mean 0 and variance 1, where a norm does nothing. "
            "Each train-mode pass before moves them towards this input's.",
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


@dataclass(frozen=True)
class Family:
    """Recipes that differ in numbers: `make` takes the `parameters` by name."""

    make: Callable[..., Recipe]
    parameters: tuple[str, ...]


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "scaled_skip": Family(scaled_skip, ("factor",)),
        "projection": Family(projection, ("out", "stride")),
        "zero_pad": Family(zero_pad, ("out", "stride")),
        "zero_gamma": Family(zero_gamma, ("gamma",)),
    }
)

# The usual workaround for a branch without padding: the identity loses its rim.
CROPPED_IDENTITY = replace(
    VARIANTS["valid_padding"],
    title="Without padding, identity cropped",
    lesson="The usual workaround: crop the identity to F(x)'s size. The sum runs again, with an "
    "identity that lost two rows and columns a side.",
    shortcut=(("crop", Crop(2)),),
)

PROJECTED_IDENTITY = replace(
    VARIANTS["wrong_channels"],
    title="Unequal channels, identity projected",
    lesson="A 1×1 convolution brings x to F(x)'s channels and the sum runs, but weights now "
    "multiply the identity.",
    shortcut=(("proj", Conv(size=1, out=Fraction(2))), ("bn_proj", BatchNorm())),
)

# What makes a variant run that does not, by its name: what is done, and the recipe.
WAYS_OUT: Mapping[str, tuple[str, Recipe]] = MappingProxyType(
    {
        "valid_padding": ("crop the identity", CROPPED_IDENTITY),
        "wrong_channels": ("project the identity", PROJECTED_IDENTITY),
    }
)
