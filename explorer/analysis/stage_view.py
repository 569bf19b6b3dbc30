"""Views of a trace for the stage figure: each stage's map, colour limit and marks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from explorer.analysis.colour_limits import (
    Maps,
    Scope,
    check_channel,
    check_image,
    colour_limits,
    limit_of,
    stage_maps,
)
from explorer.analysis.downsampling import Window, block_means, select_marks, whole
from explorer.analysis.summary import zeroed
from explorer.errors import check_integer, check_list, check_type
from explorer.model.record import Record
from explorer.model.spec import BlockSpec, Grid
from explorer.records import BlockTrace, GradientSplit, measure


@dataclass(frozen=True)
class PanelView:
    """One stage's map.

    Attributes:
        values: the window's pixels, or their means over blocks, `(h, w)` float32.
        limit: the colour limit.
        beyond: how many pixels of the whole map lie beyond ±limit.
        missing: how many are NaN.
        marks: rows, columns, on x, and values of pixels that need a mark of their own.
        shape: `(H, W, C)` of the stage.
        step: each cell is the mean of step×step pixels of the stage.
        top, left, pitch: the first cell's centre and the cells' distance, in pixels of x.
        note: text that replaces limit and counts; empty to show those.
        is_blank: whether there is nothing to show.
    """

    values: np.ndarray
    limit: float
    beyond: int
    missing: int
    marks: tuple[np.ndarray, np.ndarray, np.ndarray]
    shape: tuple[int, ...]
    step: int
    top: float
    left: float
    pitch: int
    note: str = ""
    is_blank: bool = False


@dataclass(frozen=True)
class StageView(Record):
    """The data of a stage figure.

    Attributes:
        spec: the spec from which panels and wires are laid out.
        panels: one `PanelView` per stage, in dataflow order.
        channel: 0 … C−1, or None for the mean over channels.
        scope: which maps share a colour limit.
        shape: `(H, W, C)` of x.
        window: the pixels of x drawn, as means over blocks of `window.step`.
        zeroed: fraction of each drawn cell that the last ReLU zeroed, `(h, w)`, 0 … 1; None
            if the last layer is not a ReLU.
        zeroed_part: zeroed fraction of the whole map, 0 … 1, NaN where the ReLU's input has NaN;
            None likewise.
        zeroed_stage: the stage in whose panel zeroed cells are drawn.
        backward: whether the maps are gradients, which flow from out to x.
    """

    spec: BlockSpec
    panels: Mapping[str, PanelView]
    channel: int | None
    scope: Scope
    shape: tuple[int, int, int]
    window: Window
    zeroed: np.ndarray | None = None
    zeroed_part: float | None = None
    zeroed_stage: str = "out"
    backward: bool = False


def stage_view(
    trace: BlockTrace,
    channel: int | None = 0,
    scope: Scope = "block",
    window: Window | None = None,
) -> StageView:
    """Return the view of one channel, or of the mean over channels for None.

    Raises:
        InputError: no stage has this channel, or the scope is unknown.
    """
    return stage_views([trace], channel, scope, window)[0]


def stage_views(
    traces: Sequence[BlockTrace],
    channel: int | None = 0,
    scope: Scope = "block",
    window: Window | None = None,
) -> list[StageView]:
    """Return views of several traces of the same x that share their colour limits by stage.

    The scope "map" gives every map its own limit, as it does in one view.

    Raises:
        InputError: no stage has this channel, or the scope is unknown.
    """
    check_list("traces", traces, BlockTrace)
    channel = check_channel(channel, *traces)
    maps = [stage_maps(trace, channel) for trace in traces]
    shared = colour_limits(traces, maps, scope, channel)
    views = []
    for trace, trace_maps in zip(traces, maps, strict=True):
        limits = shared
        if scope == "map":
            limits = colour_limits([trace], [trace_maps], scope, channel)
        view = _view(trace, trace_maps, limits, channel, scope, window)
        views.append(_with_zeroed(view, trace, "out") if "out" in trace_maps else view)
    return views


def difference_view(
    canonical: BlockTrace,
    variant: BlockTrace,
    channel: int | None = 0,
    window: Window | None = None,
) -> StageView:
    """Return variant − canonical for stages of the same name, each on its own scale.

    The panel of a stage that only the variant has, or whose shapes differ, is blank.

    Raises:
        InputError: no stage has this channel.
    """
    channel = check_channel(channel, canonical, variant)
    base, changed = stage_maps(canonical, channel), stage_maps(variant, channel)
    maps, notes = {}, {}
    for stage, values in changed.items():
        if stage not in canonical.stages:
            notes[stage] = "not in the reference"
        elif canonical[stage].shape != variant[stage].shape:
            notes[stage] = "shapes differ"
        else:
            with np.errstate(invalid="ignore"):
                maps[stage] = values - base[stage]
            if not maps[stage].any():
                notes[stage] = "equal"
    limits = {stage: limit_of(measure(values)) for stage, values in maps.items()}
    return _view(variant, maps, limits, channel, "map", window, notes)


def gradient_view(
    split: GradientSplit,
    channel: int | None = 0,
    scope: Scope = "block",
    window: Window | None = None,
) -> StageView:
    """Return the view of the gradients at every stage, and of both parts at x.

    `zeroed` is where the last ReLU has gradient 0, at the stage that it is applied to.

    Raises:
        InputError: no stage has this channel, or the scope is unknown.
    """
    check_type("split", split, GradientSplit)
    gradients, relu_input = split.as_trace, split.trace.spec.last_relu_input
    channel = check_channel(channel, gradients)
    maps = stage_maps(gradients, channel)
    limits = colour_limits([gradients], [maps], scope, channel)
    view = replace(_view(gradients, maps, limits, channel, scope, window), backward=True)
    return _with_zeroed(view, split.trace, relu_input) if relu_input in maps else view


def zeroed_map(trace: BlockTrace, channel: int | None) -> np.ndarray:
    """Return `(h, w)` bool: cells that the last ReLU zeroed; in every channel for None."""
    mask = zeroed(check_image(trace))
    if channel is None:
        return np.all(mask, axis=2)
    channel = check_integer("channel", channel, 0, None)
    return mask[:, :, channel] if channel < mask.shape[2] else np.zeros(mask.shape[:2], bool)


def _view(
    trace: BlockTrace,
    maps: Maps,
    limits: Mapping[str, float],
    channel: int | None,
    scope: Scope,
    window: Window | None,
    notes: Mapping[str, str] = MappingProxyType({}),
) -> StageView:
    height, width, features = trace["x"].shape
    if window is not None:
        check_type("window", window, Window)
    window = (window or whole((height, width))).within((height, width))
    grids = trace.spec.grids()
    panels = {}
    for stage, values in trace.stages.items():
        shape = values.shape
        if stage in maps:
            grid = grids.get(stage, Grid())
            panel = panel_view(maps[stage], shape, limits[stage], window, grid)
            panels[stage] = replace(panel, note=notes.get(stage, ""))
        else:
            reason = notes.get(stage, f"no channel {channel}")
            panels[stage] = _blank_panel(shape, reason)
    return StageView(
        spec=trace.spec,
        panels=panels,
        channel=channel,
        scope=scope,
        shape=(height, width, features),
        window=window,
    )


def _with_zeroed(view: StageView, trace: BlockTrace, stage: str) -> StageView:
    """Return the view with the cells that the last ReLU of a trace zeroed, drawn at a stage."""
    if trace.spec.last_relu_input is None:
        return view
    mask, panel = zeroed_map(trace, view.channel), view.panels[stage]
    of_channel = slice(None) if view.channel is None else slice(view.channel, view.channel + 1)
    has_nan = np.isnan(trace[trace.spec.last_relu_input][:, :, of_channel]).any()
    window = stage_window(view.window, trace.spec.grids()[stage], mask.shape)
    return replace(
        view,
        zeroed=block_means(window.crop(mask).astype(np.float32), panel.step),
        zeroed_part=np.nan if has_nan else float(mask.mean()),
        zeroed_stage=stage,
    )


def panel_view(
    values: np.ndarray, shape: tuple[int, ...], limit: float, window: Window, grid: Grid
) -> PanelView:
    """Return the view of a stage's map `(h, w)`; `shape` is the stage's `(H, W, C)`.

    `window` is in pixels of x, and `grid` places the stage's pixels on x.
    """
    window = stage_window(window, grid, values.shape)
    cropped, step = window.crop(values), window.step
    missing = np.isnan(values)
    beyond = np.abs(values) > limit
    lost = window.crop(beyond | missing) if step > 1 else ~np.isfinite(cropped)
    rows, cols = select_marks(cropped, lost)

    def centre(index: Any) -> Any:
        """Return the centre on x of the stage's pixels at `index`."""
        return grid.to_x(index) + (grid.stride - 1) / 2

    return PanelView(
        values=block_means(cropped, step),
        limit=limit,
        beyond=int(np.count_nonzero(beyond)),
        missing=int(np.count_nonzero(missing)),
        marks=(centre(rows + window.top), centre(cols + window.left), cropped[rows, cols]),
        shape=shape,
        step=step,
        top=centre(window.top + (step - 1) / 2),
        left=centre(window.left + (step - 1) / 2),
        pitch=grid.stride * step,
    )


def _blank_panel(shape: tuple[int, ...], note: str) -> PanelView:
    none = np.empty(0)
    blank = np.full((1, 1), np.nan, np.float32)
    return PanelView(blank, 1.0, 0, 0, (none, none, none), shape, 1, 0, 0, 1, note, is_blank=True)


def stage_window(window: Window, grid: Grid, shape: tuple[int, ...]) -> Window:
    """Return the pixels of a stage `(h, w)` that lie in a window of x."""
    top, left = grid.to_stage(window.top), grid.to_stage(window.left)
    bottom, right = grid.to_stage(window.bottom - 1) + 1, grid.to_stage(window.right - 1) + 1
    return Window(top, bottom, left, right).within(shape)


def mask_on_x(mask: np.ndarray, grid: Grid, shape: tuple[int, ...]) -> np.ndarray:
    """Return a stage's `(h, w)` mask on the pixels `(H, W)` of x that its pixels cover."""
    rows, cols = (grid.to_stage(np.arange(side)) for side in shape[:2])
    height, width = mask.shape
    inside = np.outer((rows >= 0) & (rows < height), (cols >= 0) & (cols < width))
    return inside & mask[np.ix_(rows.clip(0, height - 1), cols.clip(0, width - 1))]
