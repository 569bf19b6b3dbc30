"""The ResNet basic block, run on your own input and shown stage by stage."""

from explorer.block import STAGES, BasicBlock, resnet_basic_forward
from explorer.depth import DepthRecord, propagate
from explorer.errors import InputError
from explorer.gradients import GradientSplit, split_gradient
from explorer.recipes import Recipe
from explorer.trace import BlockTrace, trace_block
from explorer.variants import VARIANTS

__all__ = [
    "STAGES",
    "VARIANTS",
    "BasicBlock",
    "BlockTrace",
    "DepthRecord",
    "GradientSplit",
    "InputError",
    "Recipe",
    "propagate",
    "resnet_basic_forward",
    "split_gradient",
    "trace_block",
]
