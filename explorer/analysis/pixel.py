"""One pixel's value, taken apart into the numbers it was computed from.

Every sum is made again here in float64 from the traced float32 inputs, so it
differs from the traced value by float32 rounding only.
"""

from dataclasses import dataclass

import numpy as np

from explorer.errors import InputError, describe
from explorer.records import BlockTrace

CONV_INPUTS = {"conv1": "x", "conv2": "relu1"}
NORM_INPUTS = {"bn1": "conv1", "bn2": "conv2"}
RELU_INPUTS = {"relu1": "bn1", "out": "add"}


@dataclass(frozen=True)
class Pixel:
    """A place in a stage: `row` and `col` from 0, downwards and rightwards."""

    stage: str
    row: int
    col: int
    channel: int


@dataclass(frozen=True)
class Given:
    """A pixel of x: nothing was computed. `channels` `(C,)` are all its values."""

    pixel: Pixel
    value: float
    traced: float
    channels: np.ndarray


@dataclass(frozen=True)
class ConvSum:
    """value = Σ_c Σ_ij window[i, j, c] · kernel[i, j, c] + bias.

    `window`, `kernel` and `products` are `(3, 3, C)`; `inside` `(3, 3)` is False
    where the window reaches beyond the picture and SAME padding put a 0.
    `contributions` `(C,)` are the products' sums by input channel and `order`
    sorts the channels, largest contribution in size first.
    """

    pixel: Pixel
    value: float
    traced: float
    source: str
    window: np.ndarray
    kernel: np.ndarray
    products: np.ndarray
    inside: np.ndarray
    contributions: np.ndarray
    order: np.ndarray
    bias: float


@dataclass(frozen=True)
class Normalisation:
    """value = (v − mean)/√(var + epsilon) · gamma + beta.

    `statistics` says where mean and var come from: "batch" or "running".
    `population` `(H, W)` is the channel that `v` belongs to.
    """

    pixel: Pixel
    value: float
    traced: float
    source: str
    v: float
    mean: float
    var: float
    epsilon: float
    gamma: float
    beta: float
    statistics: str
    population: np.ndarray


@dataclass(frozen=True)
class Cut:
    """value = max(0, v), the ReLU."""

    pixel: Pixel
    value: float
    traced: float
    source: str
    v: float


@dataclass(frozen=True)
class Sum:
    """value = residual + identity, i.e. F(x) + x."""

    pixel: Pixel
    value: float
    traced: float
    residual: float
    identity: float


Arithmetic = Given | ConvSum | Normalisation | Cut | Sum


def explain(trace: BlockTrace, pixel: Pixel) -> Arithmetic:
    """The arithmetic behind one pixel of one stage.

    Raises:
        InputError: the stage is unknown or the pixel lies outside it.
    """
    stage, row, col, channel = pixel.stage, pixel.row, pixel.col, pixel.channel
    if stage not in trace.stages:
        raise InputError(f"stage must be one of {', '.join(trace.stages)}; got {describe(stage)}.")
    shape = trace[stage].shape
    if not all(0 <= at < side for at, side in zip((row, col, channel), shape, strict=True)):
        raise InputError(
            f"pixel must lie within {shape} (row, column, channel from 0), "
            f"got {(row, col, channel)}."
        )
    traced = float(trace[stage][row, col, channel])
    if stage in CONV_INPUTS:
        return _conv_sum(trace, pixel, traced)
    if stage in NORM_INPUTS:
        return _normalisation(trace, pixel, traced)
    if stage in RELU_INPUTS:
        source = RELU_INPUTS[stage]
        v = float(trace[source][row, col, channel])
        return Cut(pixel, max(0.0, v), traced, source, v)
    if stage == "add":
        residual, identity = (float(trace[s][row, col, channel]) for s in ("bn2", "x"))
        return Sum(pixel, residual + identity, traced, residual, identity)
    return Given(pixel, traced, traced, trace["x"][row, col])


def _conv_sum(trace: BlockTrace, pixel: Pixel, traced: float) -> ConvSum:
    source = CONV_INPUTS[pixel.stage]
    picture = trace[source]
    rows = pixel.row + np.arange(-1, 2)
    cols = pixel.col + np.arange(-1, 2)
    inside = np.outer(
        (rows >= 0) & (rows < picture.shape[0]), (cols >= 0) & (cols < picture.shape[1])
    )
    clipped = np.ix_(rows.clip(0, picture.shape[0] - 1), cols.clip(0, picture.shape[1] - 1))
    window = np.where(inside[:, :, None], picture[clipped], 0).astype(np.float64)
    kernel = trace.model.parameters[pixel.stage]["kernel"][:, :, :, pixel.channel].astype(
        np.float64
    )
    products = window * kernel
    contributions = products.sum(axis=(0, 1))
    bias = float(trace.model.parameters[pixel.stage]["bias"][pixel.channel])
    return ConvSum(
        pixel=pixel,
        value=float(contributions.sum()) + bias,
        traced=traced,
        source=source,
        window=window,
        kernel=kernel,
        products=products,
        inside=inside,
        contributions=contributions,
        order=np.argsort(-np.abs(contributions), kind="stable"),
        bias=bias,
    )


def _normalisation(trace: BlockTrace, pixel: Pixel, traced: float) -> Normalisation:
    source, norm = NORM_INPUTS[pixel.stage], trace.norms[pixel.stage]
    v = float(trace[source][pixel.row, pixel.col, pixel.channel])
    mean, var, gamma, beta = (
        float(array[pixel.channel]) for array in (norm.mean, norm.var, norm.gamma, norm.beta)
    )
    return Normalisation(
        pixel=pixel,
        value=(v - mean) / (var + norm.epsilon) ** 0.5 * gamma + beta,
        traced=traced,
        source=source,
        v=v,
        mean=mean,
        var=var,
        epsilon=norm.epsilon,
        gamma=gamma,
        beta=beta,
        statistics="running" if trace.use_running_average else "batch",
        population=trace[source][:, :, pixel.channel],
    )
