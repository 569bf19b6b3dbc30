"""Run a ResNet basic block on your own input and inspect every stage."""

from explorer.engine.forward import resnet_basic_forward, trace_block, trace_model
from explorer.engine.gradients import split_gradient
from explorer.engine.propagation import propagate
from explorer.errors import InputError
from explorer.model.block import STAGES, BasicBlock
from explorer.model.spec import BlockSpec
from explorer.model.variants import VARIANTS
from explorer.model.weights import Model
from explorer.records import BlockTrace, DepthRecord, GradientSplit

__all__ = [
    "STAGES",
    "VARIANTS",
    "BasicBlock",
    "BlockSpec",
    "BlockTrace",
    "DepthRecord",
    "GradientSplit",
    "InputError",
    "Model",
    "propagate",
    "resnet_basic_forward",
    "split_gradient",
    "trace_block",
    "trace_model",
]
