"""Checkpoints of residual networks: from tensors by name to specs and weights."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from explorer.errors import InputError, check_type
from explorer.model.checkpoint_names import Naming, find_naming
from explorer.model.checkpoint_parts import read_block, read_stem, unknown_tensor
from explorer.model.checkpoint_record import Checkpoint, CheckpointPart, Conventions
from explorer.model.checkpoint_tensors import CheckpointTensors
from explorer.model.layers import BatchNormSettings, Conv, PadChannels
from explorer.model.pooling import MaxPool
from explorer.model.safetensors_header import printable_name
from explorer.model.tensor_file import read_tensors

__all__ = ["Checkpoint", "CheckpointPart", "Conventions", "read_checkpoint", "read_tensors"]

DEFAULT_CONVENTIONS = Conventions()
MOMENTUM = 0.9  # torch's 0.1, which is the weight of the batch
_COUNTER = ".num_batches_tracked"


def read_checkpoint(
    tensors: Mapping[str, np.ndarray], conventions: Conventions = DEFAULT_CONVENTIONS
) -> Checkpoint:
    """Return the network that a file's tensors are the weights of.

    Its architecture follows from names and shapes: a stem, stages of basic blocks or bottlenecks,
    and a linear head, named as in torchvision, timm or transformers. Values may be NaN or
    infinite, and variances zero or negative, which the notes tell.

    Args:
        tensors: by name, of `read_tensors`.
        conventions: what shapes do not tell.

    Raises:
        InputError: the tensors are not those of such a network, or one is missing or has an
            unexpected shape.
    """
    check_type("tensors", tensors, Mapping)  # type: ignore[type-abstract]
    given = check_type("conventions", conventions, Conventions)
    found = CheckpointTensors(tensors)
    names = [name for name in found.names() if not name.endswith(_COUNTER)]
    naming, notes = find_naming(names)
    places = _places(naming, found.names())
    stem = read_stem(found, naming.stem(names), given.max_pool)
    strides = _strides(given, len({stage for stage, _ in places}))
    blocks: list[CheckpointPart] = []
    features = stem.spec.widths(stem.features)["out"]
    for (stage, index), own in places.items():
        stride = strides[stage] if index == 0 else 1
        block = read_block(found, naming, (stage, index), own, features, stride, given)
        features = block.spec.widths(features)["out"]
        blocks.append(block)
    head = found.head(_head_name(naming, found), features)
    for name in names:
        if name not in found.used and naming.is_around_stages(name):
            raise _unknown_layer(name)
    used = replace(given, strides=strides, max_pool=isinstance(stem.spec.after[-1][1], MaxPool))
    return Checkpoint(
        stem=stem,
        blocks=tuple(blocks),
        head=head,
        batch_norm=BatchNormSettings(epsilon=used.epsilon, momentum=MOMENTUM),
        conventions=used,
        notes=(*notes, *_ignored(found), *_unusual(found), *_assumptions(used, stem, blocks)),
    )


def _places(naming: Naming, names: list[str]) -> dict[tuple[int, int], set[str]]:
    """Return the names of every block's tensors by stage and index, in order, without gaps."""
    found: dict[tuple[int, int], set[str]] = {}
    for name in names:
        place = naming.stage_of(name)
        if place is not None:
            found.setdefault(place, set()).add(name)
        elif naming.in_stages(name):
            raise unknown_tensor(name)
    before = (0, -1)
    for place in sorted(found):
        if place not in ((before[0], before[1] + 1), (before[0] + 1, 0)):
            missing = (place[0], place[1] - 1) if place[1] else (place[0] - 1, 0)
            raise InputError(
                f"The file has the block {naming.block(*place, 2).name} but not the block "
                f"{naming.block(*missing, 2).name} before it; expected a complete network."
            )
        before = place
    return dict(sorted(found.items()))


def _strides(conventions: Conventions, stages: int) -> tuple[int, ...]:
    strides = conventions.strides
    if strides is None:
        return tuple(1 if stage == 0 else 2 for stage in range(stages))
    if len(strides) != stages:
        raise InputError(
            f"strides has {len(strides)} values and the network {stages} stages; expected one "
            f"value for every stage, such as {', '.join(['1', *['2'] * (stages - 1)])}."
        )
    return strides


def _head_name(naming: Naming, tensors: CheckpointTensors) -> str:
    names = naming.heads()
    for name in names:
        if f"{name}.weight" in tensors:
            return name
    raise InputError(
        f"The file has no head, such as {printable_name(names[0])}.weight; expected the linear "
        "layer of a classifier after the last block: choose a file of a whole classifier."
    )


def _unknown_layer(name: str) -> InputError:
    return InputError(
        f"The tensor {printable_name(name)} is of a layer before or after the stages that is not "
        "read; expected a stem of convolutions with BatchNorm, and no norm before the head: choose "
        "a plain ResNet."
    )


def _ignored(tensors: CheckpointTensors) -> list[str]:
    notes = []
    rest = [name for name in tensors.names() if name not in tensors.used]
    counters = [name for name in rest if name.endswith(_COUNTER)]
    others = [name for name in rest if not name.endswith(_COUNTER)]
    if counters:
        notes.append(f"Ignored {len(counters)} num_batches_tracked, which count training steps.")
    if others:
        number = "1 tensor that is" if len(others) == 1 else f"{len(others):,} tensors that are"
        notes.append(
            f"Ignored {number} no part of the network, such as {printable_name(others[0])}."
        )
    return notes


def _unusual(tensors: CheckpointTensors) -> list[str]:
    return [
        f"{printable_name(names[0])}{more} {problem}."
        for names, problem in (
            (tensors.not_finite, "has NaN or infinite values"),
            (tensors.not_positive, "has variances that are zero or negative"),
        )
        if names
        for more in [f", one of {len(names):,} such tensors," if len(names) > 1 else ""]
    ]


def _assumptions(
    used: Conventions, stem: CheckpointPart, blocks: list[CheckpointPart]
) -> list[str]:
    """Return what the shapes did not tell, as far as it matters to this network."""
    strides = ", ".join(str(stride) for stride in used.strides or ())
    pool = "follows" if used.max_pool else "does not follow"
    notes = [
        f"ε of all BatchNorms: {used.epsilon:g}. The file does not contain it; it can be changed.",
        f"Strides of the stages: {strides}. The file does not contain them; they can be changed.",
        f"A 3×3 max pooling {pool} the stem. The file does not tell; it can be changed.",
    ]
    layers = [dict(block.spec.branch) for block in blocks]
    if any("conv3" in each and _is_strided(each) for each in layers):
        size = used.stride_in.replace("x", "×")
        notes.append(
            f"The stride of a bottleneck is in its {'first ' if size == '1×1' else ''}{size} "
            "convolution. The file does not tell; it can be changed."
        )
    pads = [layer for block in blocks for layer in block.spec.layers().values()]
    if any(isinstance(layer, PadChannels) for layer in pads):
        where = "half before and half after" if used.zero_channels == "around" else "all after"
        notes.append(
            f"Shortcuts without weights that change the shape add zero channels, {where} those of "
            "x (option A). The file does not tell; it can be changed."
        )
    return notes


def _is_strided(layers: Mapping[str, object]) -> bool:
    return any(isinstance(layer, Conv) and layer.stride > 1 for layer in layers.values())
