"""Tensors of a checkpoint as the weights of layers, with their shapes checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from explorer.errors import InputError, check_type, describe
from explorer.inputs.limits import format_shape
from explorer.model.checkpoint_names import ConvNorm
from explorer.model.safetensors_header import printable_name

Variables = dict[str, np.ndarray]
_ALIGNMENT = 64  # bytes; a CPU's XLA copies an argument at any other address


@dataclass
class Weights:
    """Parameters and running statistics of a part, which layers are added to."""

    parameters: dict[str, Variables] = field(default_factory=dict)
    statistics: dict[str, Variables] = field(default_factory=dict)


class CheckpointTensors:
    """The tensors of a file, which remembers those that were used and what is wrong with them."""

    def __init__(self, tensors: Mapping[str, np.ndarray]) -> None:
        for name in tensors:
            check_type("every name in tensors", name, str)
        self._tensors = tensors
        self.used: set[str] = set()
        self.not_finite: list[str] = []
        self.not_positive: list[str] = []

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def names(self) -> list[str]:
        """Return the names of all tensors, in the file's order."""
        return list(self._tensors)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a tensor's shape.

        Raises:
            InputError: there is no such tensor, or it does not hold real numbers.
        """
        if name not in self._tensors:
            raise InputError(
                f"The file has no tensor {printable_name(name)}; expected the complete weights of "
                "a ResNet, with every BatchNorm's running statistics."
            )
        tensor = np.asarray(self._tensors[name])
        if tensor.dtype.kind != "f":
            raise InputError(
                f"The tensor {printable_name(name)} has the type {describe(tensor.dtype.name)}; "
                "expected floating-point numbers: save it with tensor.float()."
            )
        return tensor.shape

    def take(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """Return a tensor as float32; InputError unless it has this shape."""
        if (found := self.shape(name)) != shape:
            raise wrong_shape(name, found, format_shape(shape))
        self.used.add(name)
        with np.errstate(over="ignore", invalid="ignore"):  # beyond float32
            tensor = np.asarray(self._tensors[name], np.float32)
        if not np.isfinite(tensor).all():
            self.not_finite.append(name)
        if name.endswith(".running_var") and (tensor <= 0).any():
            self.not_positive.append(name)
        return tensor

    def add_conv_norm(
        self, weights: Weights, layers: tuple[str, str], names: ConvNorm, channels: int, size: int
    ) -> int:
        """Add a size×size convolution and its norm; return its output channels.

        Args:
            weights: receives the weights.
            layers: the names of the two layers in `weights`.
            names: the names of their tensors.
            channels: of the convolution's input.
            size: of its kernel.

        Raises:
            InputError: a tensor is missing or has another shape, as that of a grouped convolution
                or of a norm that comes before its convolution.
        """
        (conv, norm), (conv_name, norm_name) = layers, names
        out = self._check_kernel(f"{conv_name}.weight", channels, size)
        kernel = self.take(f"{conv_name}.weight", (out, channels, size, size))
        has_bias = f"{conv_name}.bias" in self
        bias = self.take(f"{conv_name}.bias", (out,)) if has_bias else np.zeros(out, np.float32)
        weights.parameters[conv] = {
            "kernel": _own(kernel.transpose(2, 3, 1, 0)),
            "bias": _own(bias),
        }
        if self.shape(f"{norm_name}.weight") == (channels,) != (out,):
            raise InputError(
                f"The tensor {printable_name(norm_name)}.weight has {channels} values, the input "
                f"channels of {printable_name(conv_name)}, as in a network with pre-activation; "
                f"expected {out}, its output channels: choose a network with BatchNorm after each "
                "convolution."
            )
        scale, shift, mean, var = (
            _own(self.take(f"{norm_name}.{variable}", (out,)))
            for variable in ("weight", "bias", "running_mean", "running_var")
        )
        weights.parameters[norm] = {"scale": scale, "bias": shift}
        weights.statistics[norm] = {"mean": mean, "var": var}
        return out

    def head(self, name: str, channels: int) -> dict[str, np.ndarray]:
        """Return kernel `(channels, classes)` and bias of the linear layer of this name."""
        shape = self.shape(f"{name}.weight")
        if len(shape) != 2 or shape[1] != channels or shape[0] < 1:
            raise wrong_shape(f"{name}.weight", shape, f"classes×{channels}")
        kernel = self.take(f"{name}.weight", shape)
        has_bias = f"{name}.bias" in self
        bias = self.take(f"{name}.bias", shape[:1]) if has_bias else np.zeros(shape[0], np.float32)
        return {"kernel": _own(kernel.T), "bias": _own(bias)}

    def _check_kernel(self, name: str, channels: int, size: int) -> int:
        """Return the output channels of a kernel `(out, channels, size, size)`."""
        shape = self.shape(name)
        expected = f"outputs×{channels}×{size}×{size}"
        if len(shape) != 4 or shape[2:] != (size, size) or shape[0] < 1:
            raise wrong_shape(name, shape, expected)
        if 1 <= shape[1] < channels and channels % shape[1] == 0:
            raise InputError(
                f"The tensor {printable_name(name)} has shape {format_shape(shape)}, that of a "
                f"grouped convolution of {channels} channels, as in ResNeXt, which is not read; "
                f"expected {expected}: choose a ResNet without groups."
            )
        if shape[1] != channels:
            raise wrong_shape(name, shape, expected)
        return shape[0]


def wrong_shape(name: str, shape: tuple[int, ...], expected: str) -> InputError:
    """Return the error of a tensor whose shape is not the expected one."""
    return InputError(
        f"The tensor {printable_name(name)} has shape {format_shape(shape)}; expected {expected}, "
        "as in a ResNet of basic blocks or bottlenecks."
    )


def _own(array: np.ndarray) -> np.ndarray:
    """Return a read-only copy in C order, which JAX need not copy for every run."""
    memory = np.empty(array.size + _ALIGNMENT, array.dtype)
    first = -memory.ctypes.data % _ALIGNMENT // array.itemsize
    found = memory[first : first + array.size].reshape(array.shape)
    found[...] = array
    memory.setflags(write=False)
    found.setflags(write=False)
    return found
