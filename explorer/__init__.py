"""Run a ResNet basic block on your own input and inspect every stage."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from explorer.data import Dataset, dataset_from_arrays, digits, read_dataset
from explorer.engine.checkpoint import load_checkpoint, load_run
from explorer.engine.class_gradient import class_gradient
from explorer.engine.expected_file import read_expected
from explorer.engine.expected_record import ExpectedComparison
from explorer.engine.expected_values import compare_with_expected
from explorer.engine.forward import resnet_basic_forward, trace_block, trace_model
from explorer.engine.gradients import split_gradient
from explorer.engine.network import Network
from explorer.engine.propagation import propagate
from explorer.engine.training import Trainer, train, train_steps
from explorer.engine.training_run import TrainingRun
from explorer.engine.training_settings import TrainingSettings
from explorer.errors import InputError
from explorer.model.block import STAGES, BasicBlock
from explorer.model.spec import BlockSpec
from explorer.model.variants import VARIANTS
from explorer.model.weights import Model
from explorer.records import BlockTrace, DepthRecord, GradientSplit, NetworkGradient, NetworkTrace

if TYPE_CHECKING:
    from explorer.export.html_file import to_html
    from explorer.export.script import to_script
    from explorer.export.widget import widget

# What needs Plotly is loaded when it is used.
_LATER = {"to_html": "html_file", "to_script": "script", "widget": "widget"}

__all__ = [
    "STAGES",
    "VARIANTS",
    "BasicBlock",
    "BlockSpec",
    "BlockTrace",
    "Dataset",
    "DepthRecord",
    "ExpectedComparison",
    "GradientSplit",
    "InputError",
    "Model",
    "Network",
    "NetworkGradient",
    "NetworkTrace",
    "Trainer",
    "TrainingRun",
    "TrainingSettings",
    "class_gradient",
    "compare_with_expected",
    "dataset_from_arrays",
    "digits",
    "load_checkpoint",
    "load_run",
    "propagate",
    "read_dataset",
    "read_expected",
    "resnet_basic_forward",
    "split_gradient",
    "to_html",
    "to_script",
    "trace_block",
    "trace_model",
    "train",
    "train_steps",
    "widget",
]


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(f"explorer.export.{_LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
