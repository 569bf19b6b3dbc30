"""Who won at the sum: what x and F(x) made of each cell, and which cells lie in a box."""

from dataclasses import dataclass

import numpy as np

from explorer.records import BlockTrace

# The identity alone would give ReLU(x); F changes that in two of four ways.
CATEGORIES = ("passed", "lifted by F", "pulled below zero by F", "kept dead")


@dataclass(frozen=True)
class SumComparison:
    """x against F(x), cell by cell.

    Attributes:
        x: the identity, `(H, W)`.
        residual: F(x), `(H, W)`.
        identity_part: |x| / (|x| + |F(x)|), 0 … 1, NaN where both are 0.
        outcome: index into `CATEGORIES`, `(H, W)` uint8: x > 0 and sum > 0 is
            passed; x ≤ 0 and sum > 0 is lifted; x > 0 and sum ≤ 0 is pulled below
            zero; the rest is kept dead.
        counts: cells of each outcome, in the order of `CATEGORIES`.
    """

    x: np.ndarray
    residual: np.ndarray
    identity_part: np.ndarray
    outcome: np.ndarray
    counts: tuple[int, ...]


def compare_sum(trace: BlockTrace, channel: int) -> SumComparison:
    """The compare_sum in one channel of a trace."""
    x, residual, add = (trace[stage][:, :, channel] for stage in ("x", "bn2", "add"))
    size_x, size_f = np.abs(x), np.abs(residual)
    with np.errstate(invalid="ignore", over="ignore"):
        identity_part = size_x / (size_x + size_f)
    outcome = np.select([(x > 0) & (add > 0), add > 0, x > 0], [0, 1, 2], 3).astype(np.uint8)
    counts = np.bincount(outcome.ravel(), minlength=len(CATEGORIES))
    return SumComparison(x, residual, identity_part, outcome, tuple(int(n) for n in counts))


def cells_in_box(
    values: SumComparison, x_range: tuple[float, float], residual_range: tuple[float, float]
) -> np.ndarray:
    """`(H, W)` bool: cells whose point (x, F(x)) lies in a box of the plane."""
    inside_x = (values.x >= min(x_range)) & (values.x <= max(x_range))
    inside_f = (values.residual >= min(residual_range)) & (values.residual <= max(residual_range))
    return inside_x & inside_f
