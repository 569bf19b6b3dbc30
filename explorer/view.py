"""What the stage figure shows of a trace: one map a stage, its colour limit and its marks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from explorer.analysis import zeroed
from explorer.detail import Window, block_means, chosen_marks, whole
from explorer.errors import InputError, describe
from explorer.trace import BlockTrace, Size, measure

Scope = Literal["block", "stage", "map"]


@dataclass(frozen=True)
class PanelView:
    """One stage's map.

    Attributes:
        values: the window's pixels, or their means over blocks, `(h, w)` float32.
        limit: the colour limit.
        beyond: how many pixels of the whole map lie beyond ±limit.
        marks: rows, columns and values of pixels that need a mark of their own.
    """

    values: np.ndarray
    limit: float
    beyond: int
    marks: tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class StageView:
    """All that a stage figure draws.

    Attributes:
        panels: one `PanelView` a stage, in dataflow order.
        channel: 0 … C−1, or None for the mean over channels.
        scope: what shares a colour limit.
        shape: `(H, W, C)`.
        window: the pixels drawn; `window.step` tells of block means.
        zeroed: part of each drawn cell that the last ReLU zeroed, `(h, w)`, 0 … 1.
        zeroed_part: part of the whole map that it zeroed, 0 … 1.
    """

    panels: Mapping[str, PanelView]
    channel: int | None
    scope: Scope
    shape: tuple[int, int, int]
    window: Window
    zeroed: np.ndarray
    zeroed_part: float


def stage_view(
    trace: BlockTrace,
    channel: int | None = 0,
    scope: Scope = "block",
    window: Window | None = None,
) -> StageView:
    """The view of one channel, or of the mean over channels for None.

    Raises:
        InputError: there is no such channel or scope.
    """
    maps = stage_maps(trace, channel)
    limits = colour_limits(trace, maps, scope, channel)
    height, width, channels = trace["x"].shape
    window = (window or whole((height, width))).within((height, width))
    mask = zeroed_map(trace, channel)
    return StageView(
        panels={stage: _panel(values, limits[stage], window) for stage, values in maps.items()},
        channel=channel,
        scope=scope,
        shape=(height, width, channels),
        window=window,
        zeroed=block_means(window.cut(mask).astype(np.float32), window.step),
        zeroed_part=float(mask.mean()),
    )


def _panel(values: np.ndarray, limit: float, window: Window) -> PanelView:
    cut = window.cut(values)
    beyond = ~(np.abs(values) <= limit)  # NaN is beyond, too
    lost = window.cut(beyond) if window.step > 1 else ~np.isfinite(cut)
    rows, cols = chosen_marks(cut, lost)
    return PanelView(
        values=block_means(cut, window.step),
        limit=limit,
        beyond=int(np.count_nonzero(beyond)),
        marks=(rows + window.top, cols + window.left, cut[rows, cols]),
    )


def stage_maps(trace: BlockTrace, channel: int | None) -> dict[str, np.ndarray]:
    """One `(H, W)` map a stage: the given channel, or the mean over channels for None."""
    if channel is None:
        return {stage: trace[stage].mean(axis=2) for stage in trace.stages}
    if not 0 <= channel < trace.features:
        raise InputError(
            f"channel must be from 0 to {trace.features - 1}, got {describe(channel)}."
        )
    return {stage: np.ascontiguousarray(trace[stage][:, :, channel]) for stage in trace.stages}


def zeroed_map(trace: BlockTrace, channel: int | None) -> np.ndarray:
    """`(H, W)` bool: cells that the last ReLU zeroed; for None, in every channel."""
    if channel is None:
        return np.all(zeroed(trace), axis=2)
    return trace["add"][:, :, channel] < 0


def colour_limits(
    trace: BlockTrace, maps: Mapping[str, np.ndarray], scope: Scope, channel: int | None
) -> dict[str, float]:
    """The colour limit of each stage's panel: min(max |v|, 3·RMS), at least a tiny number.

    `v` runs over all stages and channels for scope "block", over all channels of
    the one stage for "stage", and over the shown map for "map". The mean over
    channels (`channel` None) counts as one map, so that its scale is its own.
    """
    if scope not in get_args(Scope):
        raise InputError(f"scope must be one of block, stage, map; got {describe(scope)}.")
    shown = {stage: measure(values) for stage, values in maps.items()}
    sizes = shown if channel is None or scope == "map" else trace.sizes
    if scope == "block":
        return dict.fromkeys(maps, _limit(*sizes.values()))
    return {stage: _limit(sizes[stage]) for stage in maps}


def _limit(*sizes: Size) -> float:
    count = sum(size.count for size in sizes)
    if count == 0:
        return 1.0
    rms = (sum(size.squares for size in sizes) / count) ** 0.5
    return min(max(size.largest for size in sizes), 3 * rms) or 1.0
