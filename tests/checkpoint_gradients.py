"""An oracle for the gradients of one logit of a checkpoint's network, in NumPy and float64.

Like the oracle of `tests.checkpoints`, it imports nothing of the explorer. It follows the chain
rule from the head to the picture, layer by layer, in eval mode.
"""

from dataclasses import dataclass

import numpy as np

from tests.checkpoints import Architecture, State, kept_channels

Stages = dict[str, np.ndarray]


@dataclass(frozen=True)
class PartGradient:
    """The gradients of a stem or block: at out, at x, and through shortcut and branch at x."""

    out: np.ndarray
    x: np.ndarray
    identity: np.ndarray
    residual: np.ndarray


def logit_gradient(
    net: Architecture, state: State, stages: dict[str, Stages], label: int
) -> dict[str, PartGradient]:
    """Return the gradient of a logit at stem and blocks, from the stages of `run_network`."""
    places, found = net.places(), {}
    last = stages[places[-1][0]]["out"]
    pixels = last.shape[0] * last.shape[1]
    weights = state["fc.weight"][label].astype(np.float64)
    gradient = np.broadcast_to(weights / pixels, last.shape)
    for block, _, stride in reversed(places):
        found[block] = _of_block(net, state, block, stride, stages[block], gradient)
        gradient = found[block].x
    found["stem"] = _of_stem(net, state, stages["stem"], gradient)
    return found


def _of_block(
    net: Architecture, state: State, block: str, stride: int, stages: Stages, at_out: np.ndarray
) -> PartGradient:
    at_sum = _before_relu(at_out, stages["add"])
    strides, residual = net.strides_of_block(stride), at_sum
    for number in range(len(strides), 0, -1):
        inner = "x" if number == 1 else f"relu{number - 1}"
        residual = _before_norm(net, state, residual, f"{block}.bn{number}")
        residual = _before_conv(
            state, residual, f"{block}.conv{number}", stages[inner].shape, strides[number - 1]
        )
        if number > 1:
            residual = _before_relu(residual, stages[f"bn{number - 1}"])
    identity = _at_shortcut(net, state, block, stride, stages, at_sum)
    return PartGradient(at_out, identity + residual, identity, residual)


def _at_shortcut(
    net: Architecture, state: State, block: str, stride: int, stages: Stages, at_sum: np.ndarray
) -> np.ndarray:
    shape = stages["x"].shape
    if "pad" in stages:
        found = np.zeros(shape)
        found[::stride, ::stride] = at_sum[:, :, kept_channels(net, shape[2], at_sum.shape[2])]
        return found
    if "proj" not in stages:
        return at_sum
    # Average pooling comes as a module of its own before convolution and norm.
    first = 1 if f"{block}.downsample.2.weight" in state else 0
    at_conv = _before_norm(net, state, at_sum, f"{block}.downsample.{first + 1}")
    if "pool" in stages:
        at_pool = _before_conv(
            state, at_conv, f"{block}.downsample.{first}", stages["pool"].shape, 1
        )
        return before_average_pool(at_pool, shape, stride)
    return _before_conv(state, at_conv, f"{block}.downsample.{first}", shape, stride)


def _of_stem(net: Architecture, state: State, stages: Stages, at_out: np.ndarray) -> PartGradient:
    gradient, count = at_out, len(net.stem_layers)
    if net.max_pool:
        gradient = before_max_pool(gradient, stages[f"relu{count}"], 3, 2, 1)
    for number in range(count, 0, -1):
        conv, norm, _, stride, _ = net.stem_layers[number - 1]
        inner = "x" if number == 1 else f"relu{number - 1}"
        gradient = _before_relu(gradient, stages[f"bn{number}"])
        gradient = _before_norm(net, state, gradient, norm)
        gradient = _before_conv(state, gradient, conv, stages[inner].shape, stride)
    return PartGradient(at_out, gradient, np.zeros_like(gradient), gradient)


def _before_relu(gradient: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.where(v > 0, gradient, 0.0)


def _before_norm(net: Architecture, state: State, gradient: np.ndarray, name: str) -> np.ndarray:
    gamma, var = (state[f"{name}.{each}"].astype(np.float64) for each in ("weight", "running_var"))
    return gradient * gamma / np.sqrt(var + net.epsilon)


def _before_conv(
    state: State, gradient: np.ndarray, name: str, shape: tuple[int, ...], stride: int
) -> np.ndarray:
    """Return the gradient at the input of a convolution, whose padding is half its size."""
    kernel = state[f"{name}.weight"].astype(np.float64)
    rows, cols, _ = gradient.shape
    padding = kernel.shape[2] // 2
    padded = np.zeros((shape[0] + 2 * padding, shape[1] + 2 * padding, shape[2]))
    for i, j in np.ndindex(*kernel.shape[2:]):
        # What the kernel's value at (i, j) was multiplied with.
        seen = padded[i : i + stride * rows : stride, j : j + stride * cols : stride]
        seen += gradient @ kernel[:, :, i, j]
    return padded[padding : padding + shape[0], padding : padding + shape[1]]


def before_max_pool(
    gradient: np.ndarray, x: np.ndarray, size: int, stride: int, padding: int
) -> np.ndarray:
    """Give each window's gradient to its largest value."""
    found = np.zeros(x.shape)
    for i, j, channel in np.ndindex(*gradient.shape):
        top, left = i * stride - padding, j * stride - padding
        rows, cols = slice(max(top, 0), top + size), slice(max(left, 0), left + size)
        window = x[rows, cols, channel]
        at = np.unravel_index(window.argmax(), window.shape)
        found[rows, cols, channel][at] += gradient[i, j, channel]
    return found


def before_average_pool(gradient: np.ndarray, shape: tuple[int, ...], size: int) -> np.ndarray:
    """Share each tile's gradient between the pixels that it has."""
    found = np.zeros(shape)
    for i, j in np.ndindex(*gradient.shape[:2]):
        tile = found[i * size : (i + 1) * size, j * size : (j + 1) * size]
        tile[:] = gradient[i, j] / (tile.shape[0] * tile.shape[1])
    return found
