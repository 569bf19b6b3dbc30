"""Networks and training runs read from safetensors files."""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from explorer.engine.arrays import digest_of, frozen
from explorer.engine.network import FromNetwork, Network
from explorer.engine.training_run import (
    CHECKED_AT,
    HISTORY,
    STEP,
    TrainingRun,
    history_shapes,
)
from explorer.engine.training_settings import TrainingSettings
from explorer.errors import InputError, check_type, describe
from explorer.model.checkpoint import (
    CheckpointPart,
    Conventions,
    read_checkpoint,
    read_tensors,
)
from explorer.model.weight_file import SETTINGS, flatten, nest, parse_settings, read_weights
from explorer.model.weights import Model


def load_checkpoint(
    source: Any, *, name: str | None = None, conventions: Conventions | None = None
) -> Network:
    """Return the network of a file that `Network.save` has written, or of a ResNet's checkpoint.

    The architecture follows from the names and shapes of the tensors, which are those of
    torchvision, timm or transformers. `network.settings` has the `name`, and for a ResNet `notes`,
    sentences on what was ignored and assumed.

    Args:
        source: the path of a .safetensors or .npz file, or its bytes.
        name: what to call it; by default the file's name.
        conventions: what shapes do not tell, for a ResNet.

    Raises:
        InputError: the file is missing or is no such file.
    """
    if name is not None:
        check_type("name", name, str)
    if conventions is not None:
        check_type("conventions", conventions, Conventions)
    tensors, metadata = read_tensors(source)
    label = name or (Path(source).name if isinstance(source, str | Path) else "checkpoint")
    if SETTINGS in metadata:
        settings = parse_settings(metadata)
        if "training" in settings:
            raise InputError("The file holds a training run; load_run reads it.")
        network = Network.from_file(tensors, settings)
        return replace(network, settings=MappingProxyType({**network.settings, "name": label}))
    found = read_checkpoint(tensors, conventions or Conventions())
    provenance = "checkpoint", digest_of(tensors), found.conventions

    def model(part: CheckpointPart) -> Model:
        origin = FromNetwork(provenance, part.name)
        parameters, statistics = frozen((part.parameters, part.statistics))
        return Model(part.spec, part.features, parameters, statistics, origin, found.batch_norm)

    return Network(
        stem=model(found.stem),
        models=MappingProxyType({part.name: model(part) for part in found.blocks}),
        final=None,
        head=frozen(dict(found.head)),
        provenance=provenance,
        settings=MappingProxyType({"name": label, "notes": found.notes}),
    )


def load_run(path: Any) -> TrainingRun:
    """Return the training run of a file that `TrainingRun.save` has written.

    Args:
        path: the file.

    Raises:
        InputError: the file is missing or is no such file.
    """
    arrays, settings = read_weights(path)
    groups = nest(arrays)
    if not {"training", "dataset"} <= set(settings) or not {HISTORY, CHECKED_AT} <= set(groups):
        raise InputError(
            "The file holds no training run; TrainingRun.save writes one, and load_checkpoint "
            "reads a single network."
        )
    training, dataset = _training(settings["training"]), _dataset(settings["dataset"])
    history, checked_at = _history(groups.pop(HISTORY), groups.pop(CHECKED_AT), training)
    networks = _networks(groups, settings, training, len(history["train loss"]))
    return TrainingRun(training, dataset, history, checked_at, networks)


def _training(given: Any) -> TrainingSettings:
    names = [field.name for field in fields(TrainingSettings)]
    if not isinstance(given, dict) or set(given) != set(names):
        raise InputError(
            f"The file's settings of the training must be {', '.join(names)}; got "
            f"{describe(given)}."
        )
    return TrainingSettings(**given)


def _dataset(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(part, str) for part in given):
        raise InputError(
            f"The file's key of the data set must be a list of texts, got {describe(given)}."
        )
    return tuple(given)


def _history(
    given: Any, checked_at: Any, training: TrainingSettings
) -> tuple[Mapping[str, np.ndarray], np.ndarray]:
    """Return the history and `checked_at`, if they fit the settings."""
    if not isinstance(given, dict) or not isinstance(given.get("train loss"), np.ndarray):
        raise InputError(f"The file's history has no training loss, got {describe(given)}.")
    steps, checks = given["train loss"].size, np.size(checked_at)
    shapes = history_shapes(training, steps, checks)
    found = given | {CHECKED_AT: checked_at}
    expected = {name: ("float32", shape) for name, shape in shapes.items()}
    expected[CHECKED_AT] = "int32", (checks,)
    for name in dict.fromkeys([*expected, *found]):
        array = found.get(name)
        kind = (array.dtype.name, array.shape) if isinstance(array, np.ndarray) else None
        if kind is None or kind != expected.get(name):
            raise InputError(
                f"The file's history of {describe(name)} must be {expected.get(name, 'absent')}, "
                f"got {kind or describe(array)}."
            )
    if steps > training.steps or not set(checked_at.tolist()) <= set(range(1, steps + 1)):
        raise InputError(
            f"The file's history has {steps} steps, checked at {describe(checked_at.tolist())}; "
            f"the training has {training.steps}."
        )
    history = {name: given[name] for name in shapes}
    return MappingProxyType(frozen(history)), frozen(checked_at)


def _networks(
    groups: Mapping[str, Any], settings: Mapping[str, Any], training: TrainingSettings, done: int
) -> Mapping[int, Network]:
    """Return the networks by the number of steps before them."""
    by_step = {step: groups.get(f"{STEP}{step}") for step in range(done + 1)}
    kept = {step: part for step, part in by_step.items() if isinstance(part, dict)}
    if len(kept) < len(groups) or done not in kept:
        raise InputError(
            f"The file must hold networks by their steps, {STEP}0 to {STEP}{done}, and the last of "
            f"them; got {describe(sorted(groups), 120)}."
        )
    networks = {}
    own = settings.get("settings")
    for step, part in kept.items():
        # The file has the settings of the last network.
        at_step = {**own, "step": step} if isinstance(own, dict) else own
        network = Network.from_file(flatten(part), {**settings, "settings": at_step})
        _check_fits(network, training)
        networks[step] = network
    return MappingProxyType(networks)


def _check_fits(network: Network, training: TrainingSettings) -> None:
    found = network.variant, network.spec.blocks, network.spec.width
    expected = training.variant, training.blocks, training.width
    if found != expected:
        raise InputError(
            f"The file's network has {found} as variant, blocks and width, its training {expected}."
        )
