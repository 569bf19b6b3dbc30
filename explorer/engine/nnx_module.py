"""The weights of a user's NNX module."""

from typing import Any

import numpy as np
from flax import nnx

from explorer.errors import InputError, describe
from explorer.model.layers import Scale
from explorer.model.network import FINAL, HEAD, STEM, Parts
from explorer.model.spec import BlockSpec


def read_module(module: Any, block: BlockSpec) -> tuple[Parts, Parts, dict[str, float]]:
    """Return parameters, running statistics, and ε and momentum of a module.

    Constants of `block`, which a module may have as numbers in its code, are added.

    Raises:
        InputError: it is no NNX module, has a part under two names, or a layer that a network
            does not have: convolutions with strides, dilation or another padding than "SAME",
            or BatchNorms that differ in ε or momentum.
    """
    if not isinstance(module, nnx.Module):
        raise InputError(f"module must be an nnx.Module, got {describe(module)}.")
    parts = [part for part in vars(module).values() if isinstance(part, nnx.Module)]
    if len({id(part) for part in parts}) < len(parts):
        raise InputError(
            "The module has one part under two names; every part of a network must have weights "
            "of its own."
        )
    settings: dict[str, float] = {}
    for path, layer in nnx.iter_graph(module):
        name = ".".join(map(str, path))
        if isinstance(layer, nnx.Conv):
            _check_convolution(name, layer)
        if isinstance(layer, nnx.BatchNorm):
            own = {"epsilon": float(layer.epsilon), "momentum": float(layer.momentum)}
            if own != (settings := settings or own):
                raise InputError(
                    f"The module's {name} has {_words(own)}, and its first BatchNorm has "
                    f"{_words(settings)}; all BatchNorms of a network have the same."
                )
    _, parameters, statistics = nnx.state(module, nnx.RngState, nnx.Not(nnx.BatchStat), ...)
    return (
        _with_constants(nnx.to_pure_dict(parameters), block),
        nnx.to_pure_dict(statistics),
        settings,
    )


def _with_constants(parameters: dict[str, Any], block: BlockSpec) -> Parts:
    """Return the parameters with the factors of `block` in every part but stem, final and head."""
    factors = {
        name: {"factor": np.float32(layer.factor)}
        for name, layer in block.layers().items()
        if isinstance(layer, Scale)
    }
    return {
        name: {**factors, **part} if name not in (STEM, FINAL, HEAD) else part
        for name, part in parameters.items()
    }


def _check_convolution(name: str, layer: nnx.Conv) -> None:
    """Raise InputError unless the convolution keeps the grid of its input."""
    for setting in ("strides", "input_dilation", "kernel_dilation", "feature_group_count", "mask"):
        given = getattr(layer, setting)
        steps = given if isinstance(given, tuple | list) else (given,)
        if any(step not in (1, None) for step in steps):
            raise InputError(f"The module's {name} has {setting} {describe(given)}, expected 1.")
    if layer.padding not in ("SAME", 1, (1, 1), ((1, 1), (1, 1))):
        raise InputError(
            f"The module's {name} has padding {describe(layer.padding)}, expected 'SAME'."
        )


def _words(settings: dict[str, float]) -> str:
    return f"ε {settings['epsilon']:g} and momentum {settings['momentum']:g}"
