"""The spec and the checked weights of a network, from arrays by part or from those of a file."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from explorer.engine.arrays import check_arrays
from explorer.errors import InputError, describe
from explorer.model.network import FINAL, HEAD, STEM, NetworkSpec, Parts, shapes
from explorer.model.spec import BlockSpec
from explorer.model.weight_file import nest

_STATISTICS = {"mean", "var"}  # the names of running statistics


def check_parts(
    block: BlockSpec, parameters: Any, statistics: Any, batch_norm: Any
) -> tuple[NetworkSpec, Parts, Parts]:
    """Return spec, parameters and running statistics; arguments as for `Network.from_arrays`.

    Raises:
        InputError: a part or an array is missing, unknown, or of the wrong shape.
    """
    if not isinstance(parameters, Mapping) or not isinstance(statistics, Mapping):
        raise InputError("Parameters and statistics must be nested dicts by part.")
    norm = {} if batch_norm is None else batch_norm
    if not isinstance(norm, Mapping) or not set(norm) <= {"epsilon", "momentum"}:
        raise InputError(f"batch_norm must have epsilon and momentum, got {describe(norm)}.")
    try:
        channels, width = np.shape(parameters[STEM]["conv"]["kernel"])[2:]
        classes = np.shape(parameters[HEAD]["kernel"])[1]
    except (KeyError, IndexError, ValueError, TypeError):
        raise InputError(
            "A network needs a stem with a 3×3 convolution and a linear head; got the parts "
            f"{describe(list(parameters))}."
        ) from None
    blocks = sum(name not in (STEM, FINAL, HEAD) for name in parameters)
    spec = NetworkSpec(block, blocks, width, channels, classes)
    spec = replace(spec, batch_norm=replace(spec.batch_norm, **norm))
    return spec, *check_arrays((parameters, statistics), shapes(spec.structure()))


def parts_of_file(arrays: Mapping[str, np.ndarray]) -> tuple[Parts, Parts]:
    """Return parameters and running statistics by part, of a file's arrays by name."""

    def part(is_statistic: bool) -> Parts:
        return nest(
            {
                name: array
                for name, array in arrays.items()
                if (name.rpartition(".")[2] in _STATISTICS) == is_statistic
            }
        )

    return part(False), part(True)
