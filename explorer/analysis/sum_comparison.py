"""Which term dominates at the sum: the identity or F(x), cell by cell."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.analysis.colour_limits import check_image
from explorer.errors import InputError, check_integer, check_real, check_type, describe
from explorer.model.spec import BlockSpec
from explorer.records import BlockTrace


@dataclass(frozen=True)
class SumComparison:
    """The identity against F(x), cell by cell, in one channel.

    Attributes:
        identity: the identity, `(H, W)`: x, or the end of the shortcut.
        residual: F(x), `(H, W)`.
        identity_part: |identity| / (|identity| + |F(x)|), 0 … 1, NaN where both are 0 or infinite.
        categories: names of the four combinations of the identity's sign and the sum's.
        category: index into `categories`, `(H, W)` uint8: the identity and the sum are
            positive; only the sum is; only the identity is; neither is; the sum is NaN, which has
            no name.
        counts: cells of each category with a name.
        is_zeroed: whether the last ReLU is applied to the sum, so that negative sums become 0.
    """

    identity: np.ndarray
    residual: np.ndarray
    identity_part: np.ndarray
    categories: tuple[str, ...]
    category: np.ndarray
    counts: tuple[int, ...]
    is_zeroed: bool


def category_names(spec: BlockSpec) -> tuple[str, ...]:
    """Return the names of the categories; the last depends on whether a ReLU follows the sum."""
    check_type("spec", spec, BlockSpec)
    last = "stays zero" if spec.last_relu_input == "add" else "stays negative"
    return ("stays positive", "raised above zero by F", "lowered below zero by F", last)


def compare_sum(trace: BlockTrace, channel: int) -> SumComparison:
    """Return the comparison in one channel of a trace.

    Raises:
        InputError: the block has no sum, or its sum has no such channel.
    """
    spec = check_image(trace).spec
    if spec.identity is None:
        raise InputError(
            f"“{spec.title}” has no sum, so there are no two terms to compare. Choose a block with "
            "a shortcut."
        )
    channel = check_integer("channel", channel, 0, None)
    if channel >= trace["add"].shape[2]:
        raise InputError(
            f"channel must be from 0 to {trace['add'].shape[2] - 1} to compare the terms of the "
            f"sum, got {describe(channel)}."
        )
    identity, residual, add = (
        trace[stage][:, :, channel] for stage in (spec.identity, spec.residual, "add")
    )
    size_x, size_f = (np.abs(term.astype(np.float64)) for term in (identity, residual))
    with np.errstate(invalid="ignore"):
        identity_part = (size_x / (size_x + size_f)).astype(np.float32)
    names = category_names(spec)
    conditions = [np.isnan(add), (identity > 0) & (add > 0), add > 0, identity > 0]
    category = np.select(conditions, [len(names), 0, 1, 2], 3).astype(np.uint8)
    counts = np.bincount(category.ravel(), minlength=len(names))[: len(names)]
    return SumComparison(
        identity=identity,
        residual=residual,
        identity_part=identity_part,
        categories=names,
        category=category,
        counts=tuple(int(n) for n in counts),
        is_zeroed=spec.last_relu_input == "add",
    )


def cells_in_box(
    comparison: SumComparison,
    identity_range: tuple[float, float],
    residual_range: tuple[float, float],
) -> np.ndarray:
    """Return `(H, W)` bool: cells whose point (identity, F(x)) lies in a box of the plane."""
    check_type("comparison", comparison, SumComparison)
    inside = np.ones(comparison.identity.shape, bool)
    for values, name, ends in (
        (comparison.identity, "identity_range", identity_range),
        (comparison.residual, "residual_range", residual_range),
    ):
        low, high = _check_range(name, ends)
        inside &= (values >= low) & (values <= high)
    return inside


def _check_range(name: str, ends: Any) -> tuple[float, float]:
    """Return two real numbers, the smaller one first; InputError if `ends` are no such pair."""
    if not isinstance(ends, tuple | list) or len(ends) != 2:
        raise InputError(f"{name} must be a pair of real numbers, got {describe(ends)}.")
    low, high = sorted(check_real(f"{name}[{index}]", end) for index, end in enumerate(ends))
    return low, high
