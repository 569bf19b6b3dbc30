"""Networks and training runs read from safetensors files."""

from types import MappingProxyType
from typing import Any

from explorer.engine.arrays import frozen
from explorer.engine.network import Network
from explorer.engine.training import CHECKED_AT, HISTORY, STEP, TrainingRun, TrainingSettings
from explorer.errors import InputError
from explorer.model.weight_file import flatten, nest, read_weights


def load_checkpoint(path: Any) -> Network:
    """Return the network of a file that `Network.save` has written.

    Args:
        path: the file.

    Raises:
        InputError: the file is missing or is no such file.
    """
    return Network.from_file(*read_weights(path))


def load_run(path: Any) -> TrainingRun:
    """Return the training run of a file that `TrainingRun.save` has written.

    Args:
        path: the file.

    Raises:
        InputError: the file is missing or is no such file.
    """
    arrays, settings = read_weights(path)
    groups = nest(arrays)
    try:
        history, checked_at = groups.pop(HISTORY), groups.pop(CHECKED_AT)
        parts = {int(name.removeprefix(STEP)): flatten(part) for name, part in groups.items()}
        training = TrainingSettings(**settings["training"])
        dataset = tuple(settings["dataset"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError(
            "The file holds no training run; TrainingRun.save writes one, and load_checkpoint "
            "reads a single network."
        ) from None
    networks = {
        step: Network.from_file(parts[step], _at_step(settings, step)) for step in sorted(parts)
    }
    return TrainingRun(
        training,
        dataset,
        MappingProxyType(frozen(history)),
        frozen(checked_at),
        MappingProxyType(networks),
    )


def _at_step(settings: dict[str, Any], step: int) -> dict[str, Any]:
    """Return the settings of the network at a step; the file has those of the last."""
    return settings | {"settings": {**settings["settings"], "step": step}}
