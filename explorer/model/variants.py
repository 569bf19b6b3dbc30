"""The named variants of the block.

To add a variant, add an entry to `VARIANTS`, and its name to a group of `variant_groups.GROUPS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from types import MappingProxyType

from explorer.errors import check_choice, check_type
from explorer.model.layers import (
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
from explorer.model.spec import BlockSpec

HE2015 = "He et al. 2015, Table 3 (ImageNet top-1 error in %, 34 layers)"
HE2016 = "He et al. 2016, Table 2 (CIFAR-10 test error in %, ResNet-110)"
HE2016_SHORTCUTS = "He et al. 2016, Table 1 (CIFAR-10 test error in %, ResNet-110)"

V1 = BlockSpec(
    title="The basic block, v1",
    description=(
        "The reference block: the identity reaches the sum unchanged, and the last ReLU zeroes "
        "the sum where it is negative."
    ),
    source=f"He et al. 2015, Fig. 2, eq. 1; {HE2016}: 6.61",
    branch=(
        ("conv1", Conv()),
        ("bn1", BatchNorm()),
        ("relu1", ReLU()),
        ("conv2", Conv()),
        ("bn2", BatchNorm()),
    ),
)


def scaled_skip(factor: float = 0.5) -> BlockSpec:
    """Return v1 with both paths scaled by `factor` before the sum; 1 is v1."""
    return replace(
        V1,
        title="Scaled skip",
        description=(
            "Both paths are scaled by λ: through a stack of n such blocks the identity is "
            "multiplied by λ n times."
        ),
        source=f"{HE2016_SHORTCUTS}: constant scaling 0.5/0.5 gives 12.35 against 6.61",
        branch=(*V1.branch, ("scaled_f", Scale(factor))),
        shortcut=(("scaled_x", Scale(factor)),),
    )


def projection(out: int | Fraction = Fraction(1), stride: int = 1) -> BlockSpec:
    """Return v1 with a 1×1 convolution and a norm on the shortcut, to `out` channels."""
    return replace(
        V1,
        title="Projection shortcut",
        description=(
            "The shapes of x and out may differ, but the shortcut is no longer the identity: "
            "weights multiply it."
        ),
        source=f"{HE2015}: 24.52 where shapes change, 24.19 everywhere; {HE2016_SHORTCUTS}: 12.22 "
        "where every shortcut is a 1×1 convolution, against 6.61",
        branch=(("conv1", Conv(out=out, stride=stride)), *V1.branch[1:]),
        shortcut=(("proj", Conv(size=1, out=out, stride=stride)), ("bn_proj", BatchNorm())),
    )


def zero_pad(out: int | Fraction = Fraction(2), stride: int = 1) -> BlockSpec:
    """Return a block with more channels: the shortcut appends zeros (option A)."""
    return replace(
        projection(out, stride),
        title="Zero-padded shortcut",
        description=(
            "More channels without weights on the shortcut: the old channels pass unchanged, the "
            "new ones receive F(x) alone."
        ),
        source=f"{HE2015}: 25.03 against 28.54 without shortcuts",
        shortcut=(("pad", PadChannels(out, stride)),),
    )


def zero_gamma(gamma: float = 0.0) -> BlockSpec:
    """Return v1 with the last norm's scale γ₂ set to `gamma`; at 0 the block is ReLU(x)."""
    return replace(
        V1,
        title="γ₂ towards zero",
        description=(
            "γ₂ scales the branch. At 0 the block is ReLU(x): the identity only where x is not "
            "negative."
        ),
        source="Goyal et al. 2017, who initialise γ₂ with 0",
        branch=(*V1.branch[:-1], ("bn2", BatchNorm(gamma))),
    )


def with_bias(spec: BlockSpec, stage: str, bias: float) -> BlockSpec:
    """Return the spec with the bias of the branch's convolution or norm `stage` set to `bias`.

    Raises:
        InputError: the branch has no such convolution or norm, or `bias` is not a real number.
    """
    layers = check_type("spec", spec, BlockSpec).branch
    check_choice("stage", stage, [n for n, layer in layers if isinstance(layer, Conv | BatchNorm)])

    def shifted(layer: Layer) -> Layer:
        match layer:
            case Conv():
                return replace(layer, bias=bias)
            case BatchNorm():
                return replace(layer, beta=bias)
            case _:
                return layer

    return replace(
        spec,
        branch=tuple((n, shifted(layer) if n == stage else layer) for n, layer in layers),
    )


CONV1, BN1, RELU1, CONV2, BN2 = V1.branch
RELU2: tuple[str, Layer] = ("relu2", ReLU())

VARIANTS: Mapping[str, BlockSpec] = MappingProxyType(
    {
        "v1": V1,
        "no_skip": replace(
            V1,
            title="No skip",
            description=("out = ReLU(F(x)): x has no path of its own to the output."),
            source=f"{HE2015}: 28.54 without shortcuts, 25.03 to 24.19 with them",
            shortcut=None,
        ),
        "relu_before_add": replace(
            V1,
            title="ReLU before the addition",
            description=("F(x) is never negative, so the addition can only increase x."),
            source=f"{HE2016}: 7.84 against 6.61",
            branch=(*V1.branch, RELU2),
            after=(),
        ),
        "bn_after_add": replace(
            V1,
            title="BatchNorm after the addition",
            description=(
                "BatchNorm acts on the sum: the identity is rescaled by statistics that "
                "depend on F(x)."
            ),
            source=f"{HE2016}: 8.17 against 6.61",
            branch=(CONV1, BN1, RELU1, CONV2),
            after=(BN2, ("out", ReLU())),
        ),
        "relu_only_preact": replace(
            V1,
            title="ReLU-only pre-activation",
            description=("Nothing follows the sum: the identity reaches the output unchanged."),
            source=f"{HE2016}: 6.71 against 6.61",
            branch=(RELU1, CONV1, BN1, RELU2, CONV2, BN2),
            after=(),
        ),
        "full_preact": replace(
            V1,
            title="Full pre-activation",
            description=(
                "BatchNorm and ReLU come before each convolution: the identity reaches the output "
                "unchanged and every convolution gets a normalised input."
            ),
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
            description=("Without BatchNorm the scale of F(x) depends on the weights."),
            source="He et al. 2015, Section 3.4, who use BatchNorm after every convolution",
            branch=(CONV1, RELU1, CONV2),
        ),
        "valid_padding": replace(
            V1,
            title="Without padding",
            description=(
                "Each 3×3 convolution without padding removes one row and one column from every "
                "side, so F(x) is smaller than x and the two cannot be added. SAME padding keeps "
                "the shapes equal."
            ),
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
            description=(
                "F(x) has twice the channels of x, so the two cannot be added. A projection on the "
                "shortcut makes the shapes equal."
            ),
            source="He et al. 2015, eq. 2",
            branch=(CONV1, BN1, RELU1, ("conv2", Conv(out=Fraction(2))), BN2),
        ),
        "eval_untrained": replace(
            V1,
            title="Eval mode, untrained",
            description=(
                "Running statistics start at mean 0 and variance 1, where BatchNorm only divides "
                "by √(1 + 10⁻⁵). Each train-mode pass moves them towards this input's statistics."
            ),
            source="Ioffe & Szegedy 2015, Algorithm 2",
            always_eval=True,
        ),
        "bottleneck": replace(
            V1,
            title="Bottleneck",
            description=(
                "The block of the deeper networks: 1×1 convolutions narrow and widen the branch "
                "around one 3×3 convolution; the shortcut is the same."
            ),
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
            description=(
                "The same x + Sublayer(x) with pixels as tokens: LayerNorm, a linear layer that "
                "widens by 4, GELU, and a linear layer that narrows again; no ReLU after the sum."
            ),
            source="Vaswani et al. 2017, with ReLU and LayerNorm after the sum; LayerNorm before "
            "the branch: Xiong et al. 2020; GELU: Hendrycks & Gimpel 2016",
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
            description=(
                "The same x + Sublayer(x) with pixels as tokens: LayerNorm, then self-attention; "
                "no ReLU after the sum."
            ),
            source="Vaswani et al. 2017, with LayerNorm after the sum; LayerNorm before the "
            "branch: Xiong et al. 2020",
            branch=(("ln", LayerNorm()), ("attention", Attention())),
            after=(),
        ),
    }
)


@dataclass(frozen=True)
class Family:
    """Specs with parameters: `make` takes the `parameters` by keyword and returns a spec."""

    make: Callable[..., BlockSpec]
    parameters: tuple[str, ...]


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "scaled_skip": Family(scaled_skip, ("factor",)),
        "projection": Family(projection, ("out", "stride")),
        "zero_pad": Family(zero_pad, ("out", "stride")),
        "zero_gamma": Family(zero_gamma, ("gamma",)),
    }
)

CROPPED_IDENTITY = replace(
    VARIANTS["valid_padding"],
    title="Without padding, identity cropped",
    description=(
        "The usual fix: crop the identity to the size of F(x). The sum runs, but two rows and two "
        "columns of the identity are removed on every side."
    ),
    shortcut=(("crop", Crop(2)),),
)

PROJECTED_IDENTITY = replace(
    VARIANTS["wrong_channels"],
    title="Unequal channels, identity projected",
    description=(
        "A 1×1 convolution projects x to the channels of F(x). The sum runs, but weights now "
        "multiply the identity."
    ),
    shortcut=(("proj", Conv(size=1, out=Fraction(2))), ("bn_proj", BatchNorm())),
)

# Fixes of variants that do not run, by the variant's name: a label and the fixed spec.
FIXES: Mapping[str, tuple[str, BlockSpec]] = MappingProxyType(
    {
        "valid_padding": ("crop the identity", CROPPED_IDENTITY),
        "wrong_channels": ("project the identity", PROJECTED_IDENTITY),
    }
)
