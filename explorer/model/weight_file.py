"""Weights in a safetensors file, with settings as JSON in its metadata."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save_file

from explorer.errors import InputError, check_path, describe

MAX_BYTES = 2**28
MAX_GROUPS = 3  # around an array, as in "step180.block3.conv1.kernel"
SETTINGS = "settings"
NAMES = "names"  # in the settings: whose names the arrays have, if not our own


def write_weights(path: Any, arrays: Mapping[str, np.ndarray], settings: Mapping[str, Any]) -> None:
    """Write arrays and settings to a file.

    Raises:
        InputError: `path` is no path, the settings are not of JSON's types, or the file cannot be
            written.
    """
    target = check_path("path", path)
    try:
        text = json.dumps(dict(settings))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"The settings must be of the types of JSON: {error}.") from None
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    try:
        save_file(contiguous, target, {SETTINGS: text})
    except (OSError, SafetensorError) as error:
        raise InputError(f"The file {describe(str(target))} cannot be written: {error}.") from None


def read_weights(path: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays and the settings of a file.

    Raises:
        InputError: there is no such file, it is too large, or it is not of this kind.
    """
    source = check_path("path", path)
    try:
        with source.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"The file {describe(str(source))} cannot be read: {error}.") from None
    if len(data) > MAX_BYTES:
        raise InputError(f"The file has more than {MAX_BYTES // 2**20} MB, which is the limit.")
    try:
        arrays = load(data)
        length = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + length]).get("__metadata__", {})
    except KeyError as error:
        raise InputError(
            f"The file has arrays of type {describe(*error.args)}; expected those of NumPy, such "
            "as F32."
        ) from None
    except (SafetensorError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"The file is not a readable safetensors file: {describe(str(error), 120)}."
        ) from None
    return arrays, parse_settings(metadata)


def parse_settings(metadata: Any) -> dict[str, Any]:
    """Return the settings in a file's metadata; empty if there are none.

    Raises:
        InputError: they are no JSON object.
    """
    try:
        settings = json.loads(metadata.get(SETTINGS, "{}"))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"The file's settings are not readable JSON: {describe(str(error), 120)}."
        ) from None
    if not isinstance(settings, dict):
        raise InputError(f"The file's settings must be an object, got {describe(settings)}.")
    return settings


def flatten(parts: Any, prefix: str = "") -> dict[str, np.ndarray]:
    """Return nested dicts of arrays as one dict, with names joined by dots."""
    found: dict[str, np.ndarray] = {}
    for name, value in parts.items():
        if isinstance(value, Mapping):
            found |= flatten(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = np.asarray(value)
    return found


def nest(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return the nested dicts of names that are joined by dots.

    Raises:
        InputError: one name continues another, or a name has too many parts.
    """
    found: dict[str, Any] = {}
    for name, array in arrays.items():
        *groups, last = name.split(".")
        if len(groups) > MAX_GROUPS:
            raise InputError(
                f"The file has an array {describe(name)}; the limit is {MAX_GROUPS + 1} names."
            )
        place = found
        for group in groups:
            place = place.setdefault(group, {})
            if not isinstance(place, dict):
                raise InputError(f"The file has an array {describe(name)} within an array.")
        if last in place:
            raise InputError(f"The file has the array {describe(name)} twice.")
        place[last] = array
    return found
