"""What a trace says in numbers: shares, norms, masks and receptive fields. NumPy only."""

from dataclasses import dataclass

import numpy as np

from explorer.trace import BlockTrace


@dataclass(frozen=True)
class Headline:
    """The block in five numbers, over all rows, columns and channels.

    Attributes:
        ratio: ‖F(x)‖ / ‖x‖, Euclidean; infinite where x is all zero.
        identity_share: Var(x) / (Var(x) + Var(F(x))), 0 … 1; NaN where both are 0.
        zeroed: part of the cells that the last ReLU set to 0, 0 … 1.
        add_error: max |add − (bn2 + x)|, in float32; 0 if the sum is what it says.
        relu_error: max |ReLU(add) − out|; likewise.
    """

    ratio: float
    identity_share: float
    zeroed: float
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
    x, residual, add, out = (trace[stage] for stage in ("x", "bn2", "add", "out"))
    variances = np.var(x, dtype=np.float64), np.var(residual, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return Headline(
            ratio=float(_norm(residual) / _norm(x)),
            identity_share=float(variances[0] / np.float64(sum(variances))),
            zeroed=float(zeroed(trace).mean()),
            add_error=float(np.abs(add - (residual + x)).max()),
            relu_error=float(np.abs(np.maximum(add, 0) - out).max()),
        )


def channel_table(trace: BlockTrace) -> ChannelTable:
    """Norms, their ratio and the zeroed part, channel by channel."""
    norm_x, norm_f = _norm(trace["x"], axis=(0, 1)), _norm(trace["bn2"], axis=(0, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = norm_f / norm_x
    return ChannelTable(norm_x, norm_f, ratio, zeroed(trace).mean(axis=(0, 1)))


def zeroed(trace: BlockTrace) -> np.ndarray:
    """Where the last ReLU replaced a negative sum by 0: `add < 0`, `(H, W, C)` bool."""
    return trace["add"] < 0


def variance_error(trace: BlockTrace) -> float:
    """How far off a norm's batch variance is, relative, at worst over both norms and C.

    NNX computes E[v²] − E[v]² in float32, which cancels where a channel's mean is
    large against its spread. Compared with the two-pass variance in float64,
    relative to that variance plus the norm's ε.
    """
    worst = 0.0
    for norm, conv in (("bn1", "conv1"), ("bn2", "conv2")):
        record = trace.norms[norm]
        exact = np.var(trace[conv], axis=(0, 1), dtype=np.float64)
        off = np.abs(record.batch_var - exact) / (exact + record.epsilon)
        worst = max(worst, float(np.max(off)))
    return worst


def receptive_fields() -> dict[str, dict[str, int]]:
    """What a pixel of each stage was computed from.

    Returns:
        For each stage, the stages before it and the reach r there: the pixel depends
        on the (2r+1)×(2r+1) window around it. Each 3×3 convolution adds 1. Near the
        borders the window is cut, where SAME padding put zeros.
    """
    branch = ("x", "conv1", "bn1", "relu1", "conv2", "bn2")
    fields: dict[str, dict[str, int]] = {}
    for end, stage in enumerate(branch):
        reach, fields[stage] = 0, {}
        for later, earlier in zip(branch[end:0:-1], branch[end - 1 :: -1], strict=False):
            reach += later.startswith("conv")
            fields[stage][earlier] = reach
    fields["add"] = {**fields["bn2"], "bn2": 0}
    fields["out"] = {**fields["add"], "add": 0}
    return fields


def _norm(array: np.ndarray, axis: tuple[int, ...] | None = None) -> np.ndarray:
    wide = array.astype(np.float64)
    return np.sqrt(np.sum(wide * wide, axis=axis))
