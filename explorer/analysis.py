"""What a trace says in numbers: shares, norms, masks and receptive fields. NumPy only."""

from dataclasses import dataclass

import numpy as np

from explorer.errors import InputError
from explorer.gradients import GradientSplit
from explorer.recipes import Recipe
from explorer.trace import BlockTrace


@dataclass(frozen=True)
class Headline:
    """The block in a few numbers, over all rows, columns and channels.

    x stands for what F(x) is added to: the shortcut's end, or the input without a sum.

    Attributes:
        ratio: ‖F(x)‖ / ‖x‖, Euclidean; infinite where x is all zero.
        identity_share: Var(x) / (Var(x) + Var(F(x))), 0 … 1; NaN where both are 0, or
            without a sum.
        spread: standard deviation of out.
        zeroed: part of the cells that the last ReLU set to 0, 0 … 1; NaN without one.
        correlation: Pearson's, of out with the block's input, −1 … 1; NaN where their
            shapes differ or one is constant.
        add_error: max |add − (F(x) + x)|, in float32; 0 if the sum is what it says, NaN
            without a sum.
        relu_error: max |ReLU(v) − out| for the v that the last ReLU cuts; likewise.
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
    """One row a channel; every array is `(C,)`.

    `norm_x` = ‖x‖, `norm_f` = ‖F(x)‖, `ratio` = norm_f / norm_x, and `zeroed` is
    the part of the channel's cells that the last ReLU set to 0.
    """

    norm_x: np.ndarray
    norm_f: np.ndarray
    ratio: np.ndarray
    zeroed: np.ndarray


def headline(trace: BlockTrace) -> Headline:
    """The trace's headline numbers."""
    recipe, out = trace.recipe, trace["out"]
    identity, residual = trace[recipe.identity or "x"], trace[recipe.residual]
    add_error = relu_error = part_zeroed = identity_share = float("nan")
    if recipe.identity:
        add_error = float(np.abs(trace["add"] - (residual + identity)).max())
        variances = np.var(identity, dtype=np.float64), np.var(residual, dtype=np.float64)
        with np.errstate(invalid="ignore"):
            identity_share = float(variances[0] / np.float64(sum(variances)))
    if recipe.cut:
        relu_error = float(np.abs(np.maximum(trace[recipe.cut], 0) - out).max())
        part_zeroed = float(zeroed(trace).mean())
    with np.errstate(divide="ignore", invalid="ignore"):
        return Headline(
            ratio=float(_norm(residual) / _norm(identity)),
            identity_share=identity_share,
            spread=float(np.std(out, dtype=np.float64)),
            zeroed=part_zeroed,
            correlation=correlation(out, trace["x"]),
            add_error=add_error,
            relu_error=relu_error,
        )


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson's correlation over all cells; NaN for unequal shapes or a constant array."""
    if one.shape != other.shape:
        return float("nan")
    a, b = (array.astype(np.float64).ravel() for array in (one, other))
    a, b = a - a.mean(), b - b.mean()
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def channel_table(trace: BlockTrace) -> ChannelTable:
    """Norms, their ratio and the zeroed part, channel by channel."""
    norm_x, norm_f = _norm(trace["x"], axis=(0, 1)), _norm(trace["bn2"], axis=(0, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = norm_f / norm_x
    return ChannelTable(norm_x, norm_f, ratio, zeroed(trace).mean(axis=(0, 1)))


def zeroed(trace: BlockTrace) -> np.ndarray:
    """Where the last ReLU replaced a negative value by 0, bool, shaped like `out`.

    For the basic block: `add < 0`. False everywhere if no ReLU comes last.
    """
    cut = trace.recipe.cut
    return trace[cut] < 0 if cut else np.zeros(trace["out"].shape, bool)


def variance_error(trace: BlockTrace) -> float:
    """How far off a norm's batch variance is, relative, at worst over the norms and C.

    NNX computes E[v²] − E[v]² in float32, which cancels where a channel's mean is
    large against its spread. Compared with the two-pass variance in float64,
    relative to that variance plus the norm's ε.
    """
    worst = 0.0
    for norm, record in trace.norms.items():
        source = trace.recipe.inputs()[norm]
        exact = np.var(trace[source], axis=(0, 1), dtype=np.float64)
        off = np.abs(record.batch_var - exact) / (exact + record.epsilon)
        worst = max(worst, float(np.max(off)))
    return worst


def receptive_fields(recipe: Recipe) -> dict[str, dict[str, int]]:
    """What a pixel of each stage was computed from.

    Returns:
        For each stage, the stages before it and the reach r there, in pixels of that
        stage: the pixel depends on the (2r+1)×(2r+1) window around its own place. Each
        3×3 convolution adds 1. Near the borders the window is cut, where SAME padding
        put zeros.
    """
    layers, grids = recipe.layers(), recipe.grids()
    fields: dict[str, dict[str, int]] = {"x": {}}
    for stage, sources in recipe.sources().items():
        reach = layers[stage].reach if stage in layers else 0
        fields[stage] = {}
        for source in sources:
            for past, more in {**fields[source], source: 0}.items():
                far = more + reach * grids[source].stride // grids[past].stride
                fields[stage][past] = max(far, fields[stage].get(past, 0))
    return fields


@dataclass(frozen=True)
class GradientNumbers:
    """The two parts of the gradient at x, over all rows, columns and channels.

    Attributes:
        identity, residual, total: Euclidean norms.
        cosine: of the angle between the two parts, −1 … 1; NaN where one is 0.
        identity_share: ‖identity‖² / (‖identity‖² + ‖residual‖²); NaN where both are 0.
        error: max |identity + residual − total|; float32 rounding if they are the parts.
    """

    identity: float
    residual: float
    total: float
    cosine: float
    identity_share: float
    error: float


def gradient_numbers(split: GradientSplit) -> GradientNumbers:
    """The numbers of a split gradient."""
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


@dataclass(frozen=True)
class Influence:
    """How much each pixel of x moves one pixel of out, `(H, W)`: Σ over channels of |∂out/∂x|.

    `row`, `col` and `reach` are the theoretical receptive field's middle and reach on x;
    `outside` is the part of the influence that lies outside it, 0 … 1, NaN without any.
    """

    values: np.ndarray
    row: int
    col: int
    reach: int
    outside: float


def influence(split: GradientSplit) -> Influence:
    """The effective receptive field of the one pixel of out that the cotangent singles out.

    Luo et al. 2016, *Understanding the Effective Receptive Field in Deep Convolutional
    Neural Networks*.
    """
    recipe, places = split.trace.recipe, np.argwhere(split.cotangent)
    if len(places) != 1:
        raise InputError(
            f"The cotangent must single out one pixel of out and has {len(places):,} that are "
            'not 0; make it with cotangent_of("pixel", …).'
        )
    row, col, _ = (int(at) for at in places[0])
    grid, reach = recipe.grids()["out"], receptive_fields(recipe)["out"]["x"]
    row, col = (grid.offset + grid.stride * at for at in (row, col))
    values = np.abs(split.total.astype(np.float64)).sum(axis=2)
    rows, cols = np.ogrid[: values.shape[0], : values.shape[1]]
    is_outside = np.maximum(np.abs(rows - row), np.abs(cols - col)) > reach
    with np.errstate(invalid="ignore"):
        outside = float(values[is_outside].sum() / values.sum())
    return Influence(values, row, col, reach, outside)


def _norm(array: np.ndarray, axis: tuple[int, ...] | None = None) -> np.ndarray:
    wide = array.astype(np.float64)
    return np.sqrt(np.sum(wide * wide, axis=axis))
