"""Stem and blocks of a checkpoint as specs with weights."""

from typing import Literal

from explorer.errors import InputError
from explorer.model.checkpoint_names import Block, ConvNorm, Naming
from explorer.model.checkpoint_record import CheckpointPart, Conventions
from explorer.model.checkpoint_tensors import CheckpointTensors, Weights, wrong_shape
from explorer.model.layers import BatchNorm, Conv, Layer, PadChannels, ReLU
from explorer.model.pooling import AvgPool, MaxPool
from explorer.model.safetensors_header import printable_name
from explorer.model.spec import BlockSpec, Layers

_VARIABLES = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
_SHORTCUT_WORDS = {
    "identity": "The shortcut is the identity.",
    "projection": "A 1×1 convolution and a norm on the shortcut change the shape of x.",
    "pooled projection": "An average pooling, a 1×1 convolution and a norm on the shortcut change "
    "the shape of x.",
    "zero channels": "The shortcut takes every stride-th pixel of x and adds zero channels "
    "(option A).",
}


def read_stem(
    tensors: CheckpointTensors, names: tuple[ConvNorm, ...], max_pool: bool | None
) -> CheckpointPart:
    """Return the stem: one 7×7 or 3×3 convolution, or three of 3×3.

    Raises:
        InputError: a tensor is missing or has another shape.
    """
    first = f"{names[0][0]}.weight"
    shape = tensors.shape(first)
    is_deep = len(names) > 1
    sizes = (3,) if is_deep else (3, 7)
    if len(shape) != 4 or shape[2] != shape[3] or shape[3] not in sizes or shape[1] < 1:
        sides = " or ".join(f"{size}×{size}" for size in sizes)
        raise wrong_shape(first, shape, f"outputs×channels and {sides}")
    if f"{names[-1][1]}.weight" not in tensors:
        raise InputError(
            f"The file has no tensor {printable_name(names[-1][1])}.weight, the norm after the "
            "stem's convolution; networks with pre-activation, whose norms come before the "
            "convolutions, are not read: choose a network with BatchNorm after each convolution."
        )
    size, features = shape[2], shape[1]
    stride = 2 if is_deep or size == 7 else 1
    has_pool = is_deep or size == 7 if max_pool is None else max_pool
    weights, branch, channels = Weights(), list[tuple[str, Layer]](), features
    for number, each in enumerate(names, start=1):
        layers = f"conv{number}", f"bn{number}"
        out = tensors.add_conv_norm(weights, layers, each, channels, size)
        if number > 1:
            branch.append((f"relu{number - 1}", ReLU()))
        branch += _conv_norm(layers, size, channels, out, stride if number == 1 else 1)
        channels = out
    after: Layers = (("out", ReLU()),)
    if has_pool:
        after = ((f"relu{len(names)}", ReLU()), ("out", MaxPool()))
    what = f"three {size}×{size} convolutions" if is_deep else f"a {size}×{size} convolution"
    step = f", stride {stride}" if stride > 1 else ""
    pool = ", then max pooling" if has_pool else ""
    source = "He et al. 2015, Table 1" if size == 7 else "He et al. 2015, Section 4.2"
    if is_deep:
        source = "T. He et al. 2018, Fig. 2 (ResNet-C)"
    spec = BlockSpec(
        title=f"Stem: {what}{step}{pool}",
        description="It turns a picture's channels into those of the residual stream.",
        source=source,
        branch=tuple(branch),
        shortcut=None,
        after=after,
    )
    return CheckpointPart("stem", spec, features, weights.parameters, weights.statistics)


def read_block(
    tensors: CheckpointTensors,
    naming: Naming,
    place: tuple[int, int],
    own_names: set[str],
    features: int,
    stride: int,
    conventions: Conventions,
) -> CheckpointPart:
    """Return a basic block or a bottleneck.

    Args:
        tensors: of the file.
        naming: their names.
        place: stage and index of the block, both from 0.
        own_names: the names of the block's tensors.
        features: channels of its input.
        stride: of the block.
        conventions: what the shapes do not tell.

    Raises:
        InputError: a tensor is missing, unknown or has another shape.
    """
    names, is_bottleneck = _names_of_block(tensors, naming, place)
    projection, is_pooled = _projection(names, own_names)
    _check_known(names, projection, own_names)
    weights, branch, channels = Weights(), list[tuple[str, Layer]](), features
    sizes = (1, 3, 1) if is_bottleneck else (3, 3)
    strided = 1 if is_bottleneck and conventions.stride_in == "3x3" else 0
    for number, (size, each) in enumerate(zip(sizes, names.branch, strict=True), start=1):
        layers = f"conv{number}", f"bn{number}"
        out = tensors.add_conv_norm(weights, layers, each, channels, size)
        if number > 1:
            branch.append((f"relu{number - 1}", ReLU()))
        step = stride if number - 1 == strided else 1
        branch += _conv_norm(layers, size, channels, out, step)
        channels = out
    kind: Literal["identity", "projection", "pooled projection", "zero channels"] = "identity"
    shortcut: Layers = ()
    if projection is not None:
        layers = "proj", "bn_proj"
        width = tensors.add_conv_norm(weights, layers, projection, features, 1)
        if width != channels:
            raise InputError(
                f"The tensor {printable_name(projection[0])}.weight has {width} output channels "
                f"and the block's branch has {channels}; expected equal numbers, since both are "
                "added."
            )
        kind, pool = "projection", list[tuple[str, Layer]]()
        if is_pooled and stride > 1:
            kind, pool = "pooled projection", [("pool", AvgPool(stride))]
        step = 1 if pool else stride
        shortcut = (*pool, *_conv_norm(layers, 1, features, width, step))
    elif channels != features or stride > 1:
        kind = "zero channels"
        if channels < features:
            raise InputError(
                f"The block {names.name} has {features} input channels and {channels} output "
                "channels but no tensors on its shortcut; expected a projection, such as "
                f"{printable_name(names.projections[0][0])}.weight."
            )
        shortcut = (("pad", PadChannels(channels, stride, conventions.zero_channels)),)
    spec = _block_spec(is_bottleneck, kind, stride, tuple(branch), shortcut)
    return CheckpointPart(names.name, spec, features, weights.parameters, weights.statistics)


def _names_of_block(
    tensors: CheckpointTensors, naming: Naming, place: tuple[int, int]
) -> tuple[Block, bool]:
    """Return the names in a block, and whether it is a bottleneck."""
    names = naming.block(*place, 3)
    first, last = names.branch[0][0], names.branch[2][0]
    shape = tensors.shape(f"{first}.weight")
    is_bottleneck = f"{last}.weight" in tensors or shape[2:] == (1, 1)
    return (names if is_bottleneck else naming.block(*place, 2)), is_bottleneck


def _projection(names: Block, own_names: set[str]) -> tuple[ConvNorm | None, bool]:
    """Return the shortcut's convolution and norm, if there are, and whether pooling precedes."""
    pooled = names.pooled_projection
    if pooled and f"{pooled[1]}.weight" in own_names:
        return pooled, True
    for each in names.projections:
        if any(f"{layer}.weight" in own_names for layer in each):
            return each, False
    return None, False


def _check_known(names: Block, projection: ConvNorm | None, own_names: set[str]) -> None:
    """Raise InputError for a tensor in the block that is part of none of its layers."""
    pairs = (*names.branch, *([projection] if projection else []))
    known = {f"{layer}.{variable}" for pair in pairs for layer in pair for variable in _VARIABLES}
    if unknown := sorted(own_names - known):
        raise unknown_tensor(unknown[0])


def unknown_tensor(name: str) -> InputError:
    """Return the error of a tensor within a stage that is not part of a known block."""
    return InputError(
        f"The tensor {printable_name(name)} is not part of a basic block or a bottleneck; "
        "blocks with squeeze-excitation, attention or other layers are not read: choose a plain "
        "ResNet."
    )


def _conv_norm(
    layers: tuple[str, str], size: int, channels: int, out: int, stride: int
) -> list[tuple[str, Layer]]:
    # Without a number of channels, a block that keeps them is v1 at any width.
    conv = Conv(size=size, out=None if out == channels else out, stride=stride)
    return [(layers[0], conv), (layers[1], BatchNorm())]


def _block_spec(
    is_bottleneck: bool, kind: str, stride: int, branch: Layers, shortcut: Layers
) -> BlockSpec:
    what = "Bottleneck" if is_bottleneck else "Basic block"
    shortcut_name = "" if kind == "identity" else f" with {kind}"
    step = f", stride {stride}" if stride > 1 else ""
    convolutions = "1×1, 3×3 and 1×1" if is_bottleneck else "two 3×3"
    return BlockSpec(
        title=f"{what}{shortcut_name}{step}",
        description=f"The branch has {convolutions} convolutions. {_SHORTCUT_WORDS[kind]}",
        source="T. He et al. 2018, Fig. 2 (ResNet-D)"
        if "pooled" in kind
        else "He et al. 2015, Fig. 5",
        branch=branch,
        shortcut=shortcut,
    )
