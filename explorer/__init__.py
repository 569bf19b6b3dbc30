"""The ResNet basic block, run on your own input and shown stage by stage."""

from explorer.block import STAGES, BasicBlock, resnet_basic_forward
from explorer.errors import InputError
from explorer.recipes import Recipe
from explorer.trace import BlockTrace, trace_block
from explorer.variants import VARIANTS

__all__ = [
    "STAGES",
    "VARIANTS",
    "BasicBlock",
    "BlockTrace",
    "InputError",
    "Recipe",
    "resnet_basic_forward",
    "trace_block",
]
