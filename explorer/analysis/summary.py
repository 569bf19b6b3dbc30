"""A trace and a gradient in a few numbers: norms, shares and errors."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from explorer.errors import check_array, check_type
from explorer.parts import parts
from explorer.records import BlockTrace, GradientSplit


@dataclass(frozen=True)
class Headline:
    """The block in a few numbers, over all rows, columns and channels.

    Here x is what F(x) is added to: the end of the shortcut, or the input without a sum.

    Attributes:
        ratio: ‖F(x)‖ / ‖x‖, Euclidean; infinite where only x is all zero, NaN where F(x) is too.
        identity_share: Var(x) / (Var(x) + Var(F(x))), 0 … 1; NaN where both are 0, or
            without a sum.
        spread: standard deviation of out.
        zeroed: fraction of cells that the last ReLU set to 0, 0 … 1; NaN without one, or
            where its input has NaN.
        correlation: Pearson's, of out with the block's input, −1 … 1; NaN where their
            shapes differ or one is constant.
        add_error: max |add − (F(x) + x)|, in float32; 0 if the sum is exact,
            NaN without a sum.
        relu_error: max |ReLU(v) − out| for the input v of the last ReLU; likewise.
    """

    ratio: float
    identity_share: float
    spread: float
    zeroed: float
    correlation: float
    add_error: float
    relu_error: float


@dataclass(frozen=True)
class ChannelTable:
    """One row for each channel of F(x); every array is `(C,)`.

    `norm_x` = ‖x‖, where x is what F(x) is added to, `norm_f` = ‖F(x)‖, `ratio` =
    norm_f / norm_x, and `zeroed` is the fraction of the channel's cells that the last
    ReLU set to 0, NaN where its input has NaN. `norm_x` is NaN where x has no such channel.
    """

    norm_x: np.ndarray
    norm_f: np.ndarray
    ratio: np.ndarray
    zeroed: np.ndarray


def headline(trace: BlockTrace) -> Headline:
    """Return the trace's headline numbers."""
    spec, out = check_type("trace", trace, BlockTrace).spec, trace["out"]
    identity, residual = trace[spec.identity or "x"], trace[spec.residual]
    add_error = relu_error = identity_share = float("nan")
    if spec.identity:
        add_error = _largest(
            np.abs(total - (f + x)) for total, f, x in parts(trace["add"], residual, identity)
        )
        variances = np.float64(_variance(identity)), np.float64(_variance(residual))
        with np.errstate(invalid="ignore"):
            identity_share = float(variances[0] / sum(variances))
    if spec.last_relu_input:
        relu_error = _largest(
            np.abs(np.maximum(v, 0) - found) for v, found in parts(trace[spec.last_relu_input], out)
        )
    with np.errstate(invalid="ignore"):
        spread = float(np.sqrt(_variance(out)))
    return Headline(
        ratio=branch_ratio(trace),
        identity_share=identity_share,
        spread=spread,
        zeroed=zeroed_part(trace),
        correlation=correlation(out, trace["x"]),
        add_error=add_error,
        relu_error=relu_error,
    )


def branch_ratio(trace: BlockTrace) -> float:
    """Return ‖F(x)‖ / ‖x‖, as in `Headline`."""
    spec = check_type("trace", trace, BlockTrace).spec
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(_norm(trace[spec.residual]) / _norm(trace[spec.identity or "x"]))


def zeroed_part(trace: BlockTrace) -> float:
    """Return the fraction of cells that the last ReLU set to 0, as in `Headline`."""
    source = check_type("trace", trace, BlockTrace).spec.last_relu_input
    if source is None or np.isnan(trace[source]).any():
        return float("nan")
    return float(zeroed(trace).mean())


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Return Pearson's correlation over all cells; NaN for unequal shapes or a constant array."""
    one, other = check_array("one", one), check_array("other", other)
    if one.shape != other.shape:
        return float("nan")
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        a_mean, b_mean = (array.mean(dtype=np.float64) for array in (one, other))
        ab = aa = bb = np.float64(0)
        for a, b in parts(one, other):
            a, b = (a - a_mean).ravel(), (b - b_mean).ravel()
            ab, aa, bb = ab + a @ b, aa + a @ a, bb + b @ b
        return float(ab / np.sqrt(aa * bb))


def channel_table(trace: BlockTrace) -> ChannelTable:
    """Return norms, their ratio and the zeroed fraction of every channel."""
    spec = check_type("trace", trace, BlockTrace).spec
    norm_f = _channel_norms(trace[spec.residual])
    norm_x = np.full(norm_f.shape, np.nan)
    known = _channel_norms(trace[spec.identity or "x"])[: norm_f.size]
    norm_x[: known.size] = known
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = norm_f / norm_x
    part = zeroed(trace).mean(axis=_pixel_axes(trace["out"]))
    if spec.last_relu_input:
        source = trace[spec.last_relu_input]
        part[np.isnan(source).any(axis=_pixel_axes(source))] = np.nan
    return ChannelTable(norm_x, norm_f, ratio, part)


def zeroed(trace: BlockTrace) -> np.ndarray:
    """Return where the last ReLU replaced a negative value by 0, bool, shaped like `out`.

    For the basic block: `add < 0`. False everywhere if the last layer is not a ReLU.
    """
    source = check_type("trace", trace, BlockTrace).spec.last_relu_input
    return trace[source] < 0 if source else np.zeros(trace["out"].shape, bool)


def variance_error(trace: BlockTrace) -> float:
    """Return the largest relative error of a batch variance, over norms and channels.

    NNX computes E[v²] − E[v]² in float32, which loses digits if a channel's mean is much
    larger than its standard deviation. The reference is the two-pass variance in float64;
    errors are relative to that variance plus the norm's ε. The result is NaN or infinite if a
    stage or v² exceeds float32's range.
    """
    worst = [0.0]
    for norm, record in check_type("trace", trace, BlockTrace).norms.items():
        source = trace.spec.inputs()[norm]
        with np.errstate(invalid="ignore"):
            exact = _moments(trace[source])[1]
            off = np.abs(record.batch_var - exact) / (exact + record.epsilon)
        worst.append(float(np.max(off)))
    return float(np.max(worst))


@dataclass(frozen=True)
class GradientNumbers:
    """Norms of the two parts of the gradient at x, over all rows, columns and channels.

    Attributes:
        identity, residual, total: Euclidean norms.
        cosine: of the angle between the two parts, −1 … 1; NaN where one is 0.
        identity_share: ‖identity‖² / (‖identity‖² + ‖residual‖²); NaN where both are 0.
        error: max |identity + residual − total|; only float32 rounding.
    """

    identity: float
    residual: float
    total: float
    cosine: float
    identity_share: float
    error: float


def gradient_numbers(split: GradientSplit) -> GradientNumbers:
    """Return the numbers of a split gradient."""
    check_type("split", split, GradientSplit)
    identity, residual = (part.astype(np.float64) for part in (split.identity, split.residual))
    one, other = float(_norm(identity)), float(_norm(residual))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return GradientNumbers(
            identity=one,
            residual=other,
            total=float(_norm(split.total)),
            cosine=float(np.sum(identity * residual) / (np.float64(one) * other)),
            identity_share=float(one**2 / np.float64(one**2 + other**2)),
            error=float(np.abs(split.identity + split.residual - split.total).max()),
        )


def _norm(array: np.ndarray) -> np.ndarray:
    wide = (part.astype(np.float64).ravel() for (part,) in parts(array))
    return np.sqrt(np.sum([part @ part for part in wide]))


def _largest(arrays: Iterable[np.ndarray]) -> float:
    return float(np.max([array.max() for array in arrays]))


def _variance(array: np.ndarray) -> float:
    """Return the variance over all cells: the mean of the channels' and that of their means."""
    mean, variance = _moments(array)
    return float(variance.mean() + mean.var())


def _moments(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance of every channel, `(C,)` float64, in two passes."""
    pixels = array.size // array.shape[-1]
    mean = sum(np.ones(len(part)) @ part.astype(np.float64) for (part,) in parts(array)) / pixels
    squares = np.zeros(array.shape[-1])
    for (part,) in parts(array):
        squares += np.ones(len(part)) @ np.square(part - mean)
    return mean, squares / pixels


def _channel_norms(array: np.ndarray) -> np.ndarray:
    wide = array.astype(np.float64)
    return np.asarray(np.sqrt(np.sum(wide * wide, axis=_pixel_axes(array))))


def _pixel_axes(array: np.ndarray) -> tuple[int, ...]:
    """Return all axes but the channels."""
    return tuple(range(array.ndim - 1))
