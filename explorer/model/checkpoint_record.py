"""A checkpoint as it was read: stem, blocks and head, and what their shapes do not tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.errors import InputError, check_choice, check_flag, check_real, describe
from explorer.model.layers import BatchNormSettings
from explorer.model.record import Record
from explorer.model.spec import BlockSpec
from explorer.model.weights import Arrays


@dataclass(frozen=True)
class Conventions:
    """What the shapes of a checkpoint's tensors do not tell.

    Attributes:
        epsilon: ε of all BatchNorms.
        strides: 1 or 2 for every stage, of its first block; None for 1, 2, 2, …
        stride_in: the convolution of a bottleneck that has the stride: its "3x3", as in
            torchvision, or its first "1x1", as in He et al. 2015.
        zero_channels: where a shortcut without weights that adds channels (option A) has them:
            one half before and one half after the input's, or all "after".
        max_pool: whether a 3×3 max pooling of stride 2 follows the stem; None where the stem is
            7×7 or has three convolutions.
    """

    epsilon: float = 1e-5
    strides: tuple[int, ...] | None = None
    stride_in: Literal["3x3", "1x1"] = "3x3"
    zero_channels: Literal["around", "after"] = "around"
    max_pool: bool | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "epsilon", check_real("epsilon", self.epsilon))
        if self.epsilon <= 0:
            raise InputError(f"epsilon must be above 0, got {describe(self.epsilon)}.")
        if self.strides is not None and (
            not isinstance(self.strides, tuple)
            or any(type(stride) is not int or stride not in (1, 2) for stride in self.strides)
        ):
            raise InputError(
                "strides must be None or a tuple with 1 or 2 for every stage, got "
                f"{describe(self.strides)}."
            )
        check_choice("stride_in", self.stride_in, ("3x3", "1x1"))
        check_choice("zero_channels", self.zero_channels, ("around", "after"))
        if self.max_pool is not None:
            check_flag("max_pool", self.max_pool)


@dataclass(frozen=True, eq=False)
class CheckpointPart(Record):
    """The stem or a block.

    Attributes:
        name: "stem", or the checkpoint's own name of the block, as "layer1.0".
        spec: its layers.
        features: channels of its input.
        parameters: kernels, biases, γ and β, read-only, by layer and variable, as in
            `parameters["conv1"]["kernel"]`, `(k, k, C_in, C_out)`.
        statistics: running mean and variance by BatchNorm, likewise.
    """

    name: str
    spec: BlockSpec
    features: int
    parameters: Arrays
    statistics: Arrays


@dataclass(frozen=True, eq=False)
class Checkpoint(Record):
    """A residual network from a file.

    Attributes:
        stem, blocks: its parts, in order.
        head: `kernel` `(C, classes)` and `bias` `(classes,)`, read-only.
        batch_norm: ε and momentum of all BatchNorms.
        conventions: as they were used; nothing in them is None.
        notes: sentences on what was ignored, and on what was assumed and can be changed.
    """

    stem: CheckpointPart
    blocks: tuple[CheckpointPart, ...]
    head: Mapping[str, np.ndarray]
    batch_norm: BatchNormSettings
    conventions: Conventions
    notes: tuple[str, ...]
