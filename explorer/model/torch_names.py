"""The arrays of a trained network as PyTorch reads them: torchvision's names, OIHW kernels."""

import re
from collections.abc import Mapping

import numpy as np

from explorer.errors import InputError, describe
from explorer.model.network import FINAL, HEAD, STEM

TORCHVISION = "torchvision"  # what a file's settings call these names
# Parts and layers around the blocks. torchvision's networks end without a norm; ours is "bn2".
_AROUND = {f"{STEM}.conv": "conv1", f"{STEM}.bn": "bn1", f"{FINAL}.bn": "bn2", HEAD: "fc"}
_VARIABLES = {
    "kernel": "weight",
    "scale": "weight",
    "bias": "bias",
    "mean": "running_mean",
    "var": "running_var",
    "factor": "factor",  # of a scaled path, which torchvision does not have
}
_OWN_BLOCK = re.compile(r"block([1-9][0-9]*)\.(\w+)")
_BLOCK = re.compile(r"layer1\.(0|[1-9][0-9]{0,3})\.(\w+)")


def to_torch(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return a network's arrays with torchvision's names and layout.

    All blocks are in one stage: "block3.conv1.kernel" is "layer1.2.conv1.weight". Kernels are
    `(out, in, height, width)`, and the head's is `(classes, width)`.

    Args:
        arrays: by name, of `Network.arrays`.
    """
    found = {}
    for name, array in arrays.items():
        layer, _, variable = name.rpartition(".")
        if block := _OWN_BLOCK.fullmatch(layer):
            place = f"layer1.{int(block[1]) - 1}.{block[2]}"
        else:
            place = _AROUND[layer]
        if variable == "kernel":
            array = array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T
        found[f"{place}.{_VARIABLES[variable]}"] = array
    return found


def from_torch(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays by the network's own names; `to_torch` the other way round.

    Raises:
        InputError: `to_torch` gives no such name.
    """
    layers = {theirs: ours for ours, theirs in _AROUND.items()}
    variables = {theirs: ours for ours, theirs in _VARIABLES.items() if theirs != "weight"}
    found = {}
    for name, array in arrays.items():
        place, _, variable = name.rpartition(".")
        if block := _BLOCK.fullmatch(place):
            layer: str | None = f"block{int(block[1]) + 1}.{block[2]}"
        else:
            layer = layers.get(place)
        if layer is None or variable not in (*variables, "weight"):
            raise InputError(
                f"The file has an array {describe(name)}; expected names such as "
                "layer1.0.conv1.weight, as in the files that Network.save writes."
            )
        if variable == "weight":
            # A norm's scale has one axis, the head's kernel two and a convolution's four.
            is_kernel = array.ndim in (2, 4)
            array = array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T
            found[f"{layer}.{'kernel' if is_kernel else 'scale'}"] = array
        else:
            found[f"{layer}.{variables[variable]}"] = array
    return found
