"""The arithmetic behind one value of one stage.

Every value is recomputed in float64 from the traced float32 inputs, so it differs from the
traced value only by float32 rounding.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.analysis.colour_limits import check_image
from explorer.errors import check_choice, check_integer, check_type
from explorer.model.layers import (
    GELU,
    Attention,
    BatchNorm,
    Conv,
    Crop,
    Dense,
    LayerNorm,
    PadChannels,
    ReLU,
    Scale,
)
from explorer.model.pooling import AvgPool, MaxPool
from explorer.records import BlockTrace


@dataclass(frozen=True)
class Cell:
    """One value of a stage: row, column and channel from 0, on the stage's own grid."""

    stage: str
    row: int
    col: int
    channel: int


@dataclass(frozen=True)
class Input:
    """A value of x, which was not computed. `channels` `(C,)` are all values of its pixel."""

    cell: Cell
    value: float
    traced: float
    channels: np.ndarray


@dataclass(frozen=True)
class WeightedSum:
    """value = Σ_c Σ_ij window[i, j, c] · kernel[i, j, c] + bias, a convolution or linear layer.

    `window`, `kernel` and `products` are `(k, k, C)`; `inside` `(k, k)` is False
    where the window extends beyond the source, where SAME padding is 0.
    `contributions` `(C,)` are the products' sums by input channel, and `order`
    sorts the channels by decreasing |contribution|.
    """

    cell: Cell
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

    `statistics` is the origin of mean and var: "batch" or "running" for BatchNorm, "pixel"
    for LayerNorm, which computes them over the channels of one pixel. `population` are the
    values of v's channel `(H, W)` for BatchNorm, or of its pixel `(C,)` for LayerNorm.
    """

    cell: Cell
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
class Activation:
    """value = function(v), where function is "ReLU" or "GELU"."""

    cell: Cell
    value: float
    traced: float
    source: str
    v: float
    function: str


@dataclass(frozen=True)
class Product:
    """value = factor · v."""

    cell: Cell
    value: float
    traced: float
    source: str
    v: float
    factor: float


@dataclass(frozen=True)
class Copy:
    """value = v, a value of the source; or 0, without a source, in an added zero channel.

    `at` is the row and column in the source.
    """

    cell: Cell
    value: float
    traced: float
    source: str | None
    at: tuple[int, int]


@dataclass(frozen=True)
class Pooled:
    """value = the largest value of a window, or the mean of it; `function` is "max" or "mean".

    `window` `(k, k)` are the source's values in the channel; where the window extends beyond the
    source, `inside` `(k, k)` is False and the cell does not count.
    """

    cell: Cell
    value: float
    traced: float
    source: str
    window: np.ndarray
    inside: np.ndarray
    function: str


@dataclass(frozen=True)
class Sum:
    """value = residual + identity, i.e. F(x) + x; `shortcut` is the identity's stage."""

    cell: Cell
    value: float
    traced: float
    residual: float
    identity: float
    shortcut: str


@dataclass(frozen=True)
class AttentionSum:
    """value = Σ_t weights[t] · values[t] + bias over all tokens t, which are the pixels.

    `weights` `(H, W)` are the softmax of the query's scores, `values` `(H, W)` each token's
    value projected to this output channel, and `products` `(H, W)` their product.
    """

    cell: Cell
    value: float
    traced: float
    source: str
    weights: np.ndarray
    values: np.ndarray
    products: np.ndarray
    bias: float


Arithmetic = (
    Input | WeightedSum | Normalisation | Activation | Product | Copy | Pooled | Sum | AttentionSum
)


def cell_at(trace: BlockTrace, stage: str, row: int, col: int, channel: int) -> Cell | None:
    """Return the cell of a stage at a pixel of x; None if the stage has no such cell.

    Raises:
        InputError: the stage is unknown, an index is not an integer of at least 0, or the trace is
            of a batch.
    """
    check_choice("stage", stage, check_image(trace).stages)
    row, col, channel = (
        check_integer(name, index, 0, None)
        for name, index in (("row", row), ("col", col), ("channel", channel))
    )
    grid, (height, width, channels) = trace.spec.grids()[stage], trace[stage].shape
    at = grid.to_stage(row), grid.to_stage(col)
    if not (0 <= at[0] < height and 0 <= at[1] < width and channel < channels):
        return None
    return Cell(stage, int(at[0]), int(at[1]), channel)


def explain(trace: BlockTrace, cell: Cell) -> Arithmetic:
    """Return the arithmetic behind one cell.

    Raises:
        InputError: the stage is unknown, the cell lies outside it, or the trace is of a batch.
    """
    spec, stage = check_image(trace).spec, check_type("cell", cell, Cell).stage
    check_choice("stage", stage, trace.stages)
    row, col, channel = (
        check_integer(name, getattr(cell, name), 0, side - 1)
        for name, side in zip(("row", "col", "channel"), trace[stage].shape, strict=True)
    )
    at, cell = (row, col, channel), Cell(stage, row, col, channel)
    traced = float(trace[stage][at])
    if stage == "x":
        return Input(cell, traced, traced, trace["x"][cell.row, cell.col])
    layer, sources = spec.layers().get(stage), spec.sources()[stage]
    source = sources[0]
    match layer:
        case None if len(sources) == 2:
            residual, identity = (float(trace[name][at]) for name in sources)
            return Sum(cell, residual + identity, traced, residual, identity, sources[1])
        case None:
            return _copy(trace, cell, traced, source, at)
        case Conv() | Dense():
            return _weighted_sum(trace, cell, traced, source, layer)
        case BatchNorm():
            return _batch_norm(trace, cell, traced, source)
        case LayerNorm():
            return _layer_norm(trace, cell, traced, source, layer)
        case ReLU():
            v = float(trace[source][at])
            return Activation(cell, max(0.0, v), traced, source, v, "ReLU")
        case GELU():
            v = float(trace[source][at])
            value = 0.5 * v * (1 + np.tanh(np.sqrt(2 / np.pi) * (v + 0.044715 * v**3)))
            return Activation(cell, float(value), traced, source, v, "GELU")
        case Scale():
            v = float(trace[source][at])
            factor = float(trace.model.parameters[stage]["factor"])
            return Product(cell, factor * v, traced, source, v, factor)
        case Crop(margin=margin):
            inner = cell.row + margin, cell.col + margin, cell.channel
            return _copy(trace, cell, traced, source, inner)
        case PadChannels(stride=stride):
            channels = trace[source].shape[2]
            channel = cell.channel - layer.before(trace[stage].shape[2] - channels)
            strided = cell.row * stride, cell.col * stride, channel
            if not 0 <= channel < channels:
                return Copy(cell, 0.0, traced, None, strided[:2])
            return _copy(trace, cell, traced, source, strided)
        case MaxPool() | AvgPool():
            return _pooled(trace, cell, traced, source, layer)
        case Attention():
            return _attention_sum(trace, cell, traced, source)
        case _:
            raise AssertionError(f"no arithmetic for {layer}")


def _copy(
    trace: BlockTrace, cell: Cell, traced: float, source: str, at: tuple[int, int, int]
) -> Copy:
    return Copy(cell, float(trace[source][at]), traced, source, at[:2])


def _weighted_sum(
    trace: BlockTrace, cell: Cell, traced: float, source: str, layer: Conv | Dense
) -> WeightedSum:
    inputs, parameters = trace[source], trace.model.parameters[cell.stage]
    kernel = parameters["kernel"][..., cell.channel].astype(np.float64)
    if isinstance(layer, Dense):
        kernel, stride, padding = kernel[None, None], 1, 0
    else:
        stride, padding = layer.stride, layer.radius - layer.margin
    window, inside = _window(inputs, cell, kernel.shape[0], stride, padding)
    products = window * kernel
    contributions = products.sum(axis=(0, 1))
    bias = float(parameters["bias"][cell.channel]) if "bias" in parameters else 0.0
    return WeightedSum(
        cell=cell,
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


def _window(
    inputs: np.ndarray, cell: Cell, size: int, stride: int, padding: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return a cell's window `(size, size, C)`, 0 beyond the inputs, and where it is inside."""
    rows, cols = (at * stride - padding + np.arange(size) for at in (cell.row, cell.col))
    height, width = inputs.shape[:2]
    inside = np.outer((rows >= 0) & (rows < height), (cols >= 0) & (cols < width))
    clipped = np.ix_(rows.clip(0, height - 1), cols.clip(0, width - 1))
    return np.where(inside[:, :, None], inputs[clipped], 0).astype(np.float64), inside


def _pooled(
    trace: BlockTrace, cell: Cell, traced: float, source: str, layer: MaxPool | AvgPool
) -> Pooled:
    inputs = trace[source][:, :, cell.channel, None]
    padding = layer.radius if isinstance(layer, MaxPool) else 0
    window, inside = _window(inputs, cell, layer.size, layer.stride, padding)
    values = window[:, :, 0]
    used = values[inside]
    if isinstance(layer, MaxPool):
        return Pooled(cell, float(used.max()), traced, source, values, inside, "max")
    return Pooled(cell, float(used.mean()), traced, source, values, inside, "mean")


def _batch_norm(trace: BlockTrace, cell: Cell, traced: float, source: str) -> Normalisation:
    norm, channel = trace.norms[cell.stage], cell.channel
    mean, var, gamma, beta = (
        float(array[channel]) for array in (norm.mean, norm.var, norm.gamma, norm.beta)
    )
    statistics = "running" if trace.use_running_average else "batch"
    population = trace[source][:, :, channel]
    v = float(population[cell.row, cell.col])
    return _normalised(
        cell, traced, source, v, mean, var, norm.epsilon, gamma, beta, statistics, population
    )


def _layer_norm(
    trace: BlockTrace, cell: Cell, traced: float, source: str, layer: LayerNorm
) -> Normalisation:
    parameters, population = trace.model.parameters[cell.stage], trace[source][cell.row, cell.col]
    wide = population.astype(np.float64)
    mean = float(wide.mean())
    var = max(0.0, float((wide * wide).mean()) - mean * mean)
    gamma, beta = (float(parameters[name][cell.channel]) for name in ("scale", "bias"))
    v = float(population[cell.channel])
    return _normalised(
        cell, traced, source, v, mean, var, layer.epsilon, gamma, beta, "pixel", population
    )


def _normalised(
    cell: Cell,
    traced: float,
    source: str,
    v: float,
    mean: float,
    var: float,
    epsilon: float,
    gamma: float,
    beta: float,
    statistics: str,
    population: np.ndarray,
) -> Normalisation:
    value = (v - mean) / (var + epsilon) ** 0.5 * gamma + beta
    return Normalisation(
        cell, value, traced, source, v, mean, var, epsilon, gamma, beta, statistics, population
    )


def _attention_sum(trace: BlockTrace, cell: Cell, traced: float, source: str) -> AttentionSum:
    """Compute one output of self-attention with one head, softmax(q·k / √d) · v."""
    parameters: Any = trace.model.parameters[cell.stage]
    inputs = trace[source]
    tokens = inputs.reshape(-1, inputs.shape[2]).astype(np.float64)

    def project(name: str, of: np.ndarray) -> np.ndarray:
        kernel, bias = parameters[name]["kernel"][:, 0], parameters[name]["bias"][0]
        return np.asarray(of @ kernel.astype(np.float64) + bias)

    query = project("query", inputs[cell.row, cell.col].astype(np.float64))
    scores = project("key", tokens) @ query / np.sqrt(query.size)
    weights = np.exp(scores - scores.max())
    weights /= weights.sum()
    out = parameters["out"]["kernel"][0, :, cell.channel].astype(np.float64)
    values = project("value", tokens) @ out
    products, bias = weights * values, float(parameters["out"]["bias"][cell.channel])
    shape = inputs.shape[:2]
    return AttentionSum(
        cell=cell,
        value=float(products.sum()) + bias,
        traced=traced,
        source=source,
        weights=weights.reshape(shape),
        values=values.reshape(shape),
        products=products.reshape(shape),
        bias=bias,
    )
