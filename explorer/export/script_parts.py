"""The parts that scripts have in common: their first lines, and arrays that no formula makes."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np

from explorer.errors import InputError
from explorer.export.embedded import Arrays
from explorer.records import BlockTrace

PACKAGES = "jax", "flax", "numpy"
_NEST = """\
weights = {}
for path, array in arrays.items():
    *layers, variable = path.split(".")
    place = weights
    for layer in layers:
        place = place.setdefault(layer, {})
    place[variable] = array
"""


@dataclass(frozen=True)
class Script:
    """A Python script, and the files that it reads, by name."""

    text: str
    files: Mapping[str, bytes] = field(default_factory=dict)


def header(trace: BlockTrace) -> str:
    """Return comments on what a script computes, and with which versions it was made."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    title = "".join(each if each.isprintable() else " " for each in trace.spec.title)  # one line
    return (
        f"# {title}, {'eval' if trace.use_running_average else 'train'} mode.\n"
        f"# Digest of out: {trace.digest()}, with {versions} on Python "
        f"{platform.python_version()} and {platform.machine()}.\n"
    )


def input_source(x: np.ndarray, arrays: Arrays) -> str:
    """Return lines that make `x`."""
    return arrays.source("inputs", {"x": x}, "input.npz") + 'x = inputs["x"]\n'


def weights_source(weights: Mapping[str, np.ndarray], arrays: Arrays) -> str:
    """Return lines that make the nested dict `weights` of arrays by path."""
    return arrays.source("arrays", weights, "weights.npz") + _NEST


def by_path(arrays: Mapping[str, Any], before: str = "") -> dict[str, np.ndarray]:
    """Return the arrays of nested dicts by their paths, with points between names."""
    found: dict[str, np.ndarray] = {}
    for name, value in arrays.items():
        path = f"{before}{name}"
        found |= by_path(value, f"{path}.") if isinstance(value, Mapping) else {path: value}
    return found


def statistics_before(trace: BlockTrace) -> dict[str, np.ndarray]:
    """Return the running statistics that a run began with, by path."""
    found: dict[str, np.ndarray] = {}
    for name, norm in trace.norms.items():
        found |= {f"{name}.mean": norm.mean_before, f"{name}.var": norm.var_before}
    return found


def check_statistics(trace: BlockTrace) -> None:
    """Raise InputError if the batch statistics are not those of the trace's own pictures."""
    for name, norm in trace.norms.items():
        values = trace[trace.spec.inputs()[name]]
        mean = values.mean(axis=tuple(range(values.ndim - 1)), dtype=np.float64)
        scale = np.sqrt(norm.batch_var) + np.abs(norm.batch_mean) + 1e-6
        if not trace.use_running_average and (abs(mean - norm.batch_mean) > scale / 100).any():
            raise InputError(
                f"trace must be of all pictures whose statistics {name} uses; this is one picture "
                "of a batch. Pass the trace of the batch."
            )
