"""The stage figure: every stage of one block in dataflow order, identity path and ⊕ drawn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from explorer.analysis.colour_limits import Scope
from explorer.analysis.downsampling import Window
from explorer.analysis.stage_view import StageView, stage_view
from explorer.errors import check_list
from explorer.figures import arrangement as arrange
from explorer.figures import stage_text
from explorer.figures.arrangement import Arrangement, Box, Paths
from explorer.figures.panels import panels
from explorer.figures.stage_traces import (
    StagePanel,
    axes,
    colour_range,
    heatmap,
    marks,
    zeroed_cells,
)
from explorer.figures.template import map_template
from explorer.figures.theme import Theme, ThemeName, theme_of
from explorer.figures.two_layouts import ArrangementName, TwoLayouts
from explorer.figures.wires import frame, plus_shapes, wire_shapes
from explorer.records import BlockTrace

HEADING = 30  # height of a part's heading


@dataclass(frozen=True)
class Part:
    """One block's panels in a figure.

    `prefix` distinguishes their names from those of other parts; `heading` is the title; `hidden`
    are panels that are not drawn, since another part shows the same.
    """

    view: StageView
    prefix: str = ""
    heading: str = ""
    hidden: frozenset[str] = frozenset()


def stage_figure(
    trace: BlockTrace,
    *,
    channel: int | None = 0,
    scope: Scope = "block",
    theme: ThemeName = "light",
    arrangement: ArrangementName = "wide",
    window: Window | None = None,
) -> go.Figure:
    """Draw a trace, laid out from its spec: one panel per stage, two paths and ⊕.

    Args:
        trace: the trace to draw.
        channel: 0 … C−1, or None for the mean over channels.
        scope: which maps share a colour limit; see `analysis.colour_limits`.
        theme: "light" or "dark".
        arrangement: "wide" runs left to right, "narrow" turns in rows of three.
        window: the pixels to draw; None for all. A window of more pixels than a panel
            can show is drawn as means over blocks, as stated in the captions.

    Returns:
        A figure whose heatmap traces carry the panel's name and whose axes count
        rows downwards and columns rightwards from 0. Cells zeroed by the last
        ReLU are grey; cells beyond the limit have a colour of their own.
    """
    view = stage_view(trace, channel, scope, window)
    return go.Figure(stage_spec([Part(view)], theme=theme, arrangement=arrangement))


def stage_spec(
    parts: Sequence[Part], *, theme: ThemeName, arrangement: ArrangementName
) -> dict[str, Any]:
    """Return one layout of `stage_layouts` with its traces, as dicts."""
    return stage_layouts(parts, theme=theme).spec(arrangement)


def stage_layouts(parts: Sequence[Part], *, theme: ThemeName) -> TwoLayouts:
    """Return the stage figure of one block, or of several of the same x with linked axes.

    The page sends this without Plotly's validation, which would take longer than everything
    else at a change of channel. `stage_figure` validates.
    """
    palette = theme_of(theme)
    check_list("parts", parts, Part)
    found = stage_panels(parts)
    return TwoLayouts(
        traces(parts, found, palette),
        _layout(parts, found, palette, arrange.wide),
        _layout(parts, found, palette, arrange.narrow),
    )


def stage_panels(parts: Sequence[Part]) -> list[dict[str, StagePanel]]:
    """Return the panels of every part that are not hidden; blank ones have no axes."""
    found, count = [], 0
    for part in parts:
        of_part = {}
        for name, panel in panels(part.view.spec, part.view.backward).items():
            if name in part.hidden:
                continue
            view = part.view.panels[panel.stage]
            has_axes = not view.is_blank or count == 0  # all other axes match the first
            count += has_axes
            of_part[name] = StagePanel(part.prefix + name, panel, view, count if has_axes else None)
        found.append(of_part)
    return found


def traces(
    parts: Sequence[Part], found: list[dict[str, StagePanel]], theme: Theme
) -> list[dict[str, Any]]:
    """Return heatmaps, and over them zeroed cells and marks."""
    drawn = [panel for of_part in found for panel in of_part.values() if panel.axis_number]
    maps = [heatmap(panel, theme) for panel in drawn]
    # A blank panel has no map for the colour bar.
    maps[1 if drawn[0].view.is_blank else 0]["coloraxis"] = "coloraxis"
    zeroed = [
        zeroed_cells(f"{part.prefix}zeroed", panel, part.view.zeroed, theme)
        for part, of_part in zip(parts, found, strict=True)
        for panel in of_part.values()
        if part.view.zeroed is not None and panel.panel.stage == part.view.zeroed_stage
    ]
    return maps + zeroed + [mark for panel in drawn for mark in marks(panel, theme)]


def _layout(
    parts: Sequence[Part],
    found: list[dict[str, StagePanel]],
    theme: Theme,
    arranged: Callable[[Paths, tuple[int, int]], Arrangement],
) -> dict[str, Any]:
    canvases = arrange.stacked(
        [arranged(paths_of(part.view), part.view.shape[:2]) for part in parts]
    )
    top = arrange.TITLE + (HEADING if any(part.heading for part in parts) else 0)
    layout = empty_layout(parts, canvases[0], top, theme)
    layout["annotations"].append(stage_text.legend(canvases[0], parts[0].view, theme))
    for part, of_part, canvas in zip(parts, found, canvases, strict=True):
        lay_out_part(layout, part, of_part, canvas, theme)
    if len(parts) > 1:  # the values of each need more room
        layout["meta"] = {}
    return layout


def empty_layout(
    parts: Sequence[Part], canvas: Arrangement, top: float, theme: Theme
) -> dict[str, Any]:
    """Return a layout with the colour bar and no panels; `top` is the height of its margin."""
    views = (view for part in parts for view in part.view.panels.values())
    limit = next(view.limit for view in views if not view.is_blank)
    bar = stage_text.colour_bar(canvas, canvas.colour_bar, limit, parts[0].view.scope)
    return {
        "template": map_template(theme),
        "width": round(canvas.width),
        "height": round(canvas.height + top + arrange.BAR_LABELS),
        "margin": {"l": 0, "r": 0, "t": top, "b": arrange.BAR_LABELS},
        "meta": {"corner": _on_canvas(canvas, canvas.corner)} if canvas.corner else {},
        "shapes": [],
        "annotations": [],
        # Part of the layout, since traces do not differ between arrangements.
        "coloraxis": {**colour_range(limit, theme, "c"), "colorbar": bar},
    }


def lay_out_part(
    layout: dict[str, Any],
    part: Part,
    of_part: dict[str, StagePanel],
    canvas: Arrangement,
    theme: Theme,
) -> None:
    """Add a part's wires, axes and text to a layout."""
    view, shapes, annotations = part.view, layout["shapes"], layout["annotations"]
    shapes += wire_shapes(canvas, theme, view.backward)
    shapes += plus_shapes(canvas, theme)
    annotations += stage_text.labels(canvas, view, theme)
    for name, panel in of_part.items():
        box, colour = canvas.boxes[name], getattr(theme, panel.panel.path)
        if panel.axis_number is None:
            shapes.append(frame(canvas, box, colour))
        else:
            layout |= axes(canvas, box, panel.axis_number, view.shape, colour)
        annotations.append(stage_text.title(canvas, box, panel, theme))
        annotations += stage_text.caption(canvas, box, panel, view.scope, theme)
    if part.heading:
        annotations.append(stage_text.heading(canvas, part.heading))


def _on_canvas(canvas: Arrangement, box: Box) -> list[float]:
    """Return a box's left, right, top and bottom as parts of the canvas."""
    across, down = (box.left, box.right), (box.top, box.bottom)
    return [x / canvas.width for x in across] + [y / canvas.height for y in down]


def paths_of(view: StageView) -> Paths:
    """Return the panels of a view by path."""
    found = panels(view.spec, view.backward)

    def of(path: str) -> tuple[str, ...]:
        return tuple(name for name, panel in found.items() if panel.path == path)

    return Paths(of("branch"), of("identity"), of("trunk")[1:])
