"""The network figure: the residual stream as one line, with a loop for every block."""

from typing import Any, Literal

import plotly.graph_objects as go

from explorer.analysis.colour_limits import Scope
from explorer.analysis.network_difference import NetworkDifference
from explorer.analysis.network_view import NetworkView, network_difference_view, network_view
from explorer.figures.arrangement import BAR_LABELS
from explorer.figures.network_arrangement import (
    NetworkArrangement,
    Row,
    all_boxes,
    arrange_network,
    equal_rows,
)
from explorer.figures.network_shapes import network_shapes
from explorer.figures.network_text import KEY_GAP, KEY_LINE, key_lines, network_texts, number_lines
from explorer.figures.panels import Panel
from explorer.figures.stage_text import colour_bar
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
from explorer.records import NetworkTrace

WIDE, NARROW = 1000, 358  # width of the canvas in pixels
WIDE_PLACES, NARROW_PLACES = 10, 4  # in a row, stem and head included
STAGED_PLACES, MOST_LARGE_BLOCKS = 6, 34
LARGEST, LARGEST_OF_STAGES = 250, 190  # from one place to the next; stages need more rows
STEM = "stem"


def residual_panel(block: str) -> str:
    """Return the name of the panel that shows a block's F(x)."""
    return f"{block} F(x)"


def stream_panel(block: str) -> str:
    """Return the name of the panel that shows the residual stream after a block."""
    return f"{block} out"


def network_figure(
    trace: NetworkTrace,
    *,
    channel: int | None = None,
    scope: Scope = "block",
    theme: ThemeName = "light",
    arrangement: ArrangementName = "wide",
) -> go.Figure:
    """Draw a network's trace: the residual stream from stem to head, and F(x) of every block.

    Args:
        trace: the trace of one picture.
        channel: 0 … C−1, or None for the mean over channels.
        scope: which maps share a colour limit; see `analysis.network_view`.
        theme: "light" or "dark".
        arrangement: "wide" has up to ten places in a row, in networks of several stages up to six,
            "narrow" up to four.

    Returns:
        A figure whose heatmap traces are named "stem", "block1 F(x)", "block1 out", and so on.
        Cells zeroed by the last ReLU are grey. Every stage of a checkpoint begins a row, under its
        name and shape. A network without shortcuts has no line of the
        residual stream, but arrows from block to block.

    Raises:
        InputError: there is no such channel, or the trace is of a batch.
    """
    layouts = network_layouts(trace, channel=channel, scope=scope, theme=theme)
    return layouts.figure(arrangement)


def network_layouts(
    trace: NetworkTrace, *, channel: int | None, scope: Scope = "block", theme: ThemeName
) -> TwoLayouts:
    """Return the figure of `network_figure` in both layouts, without Plotly's validation."""
    return _layouts(network_view(trace, channel, scope), theme)


def network_difference_layouts(
    difference: NetworkDifference,
    *,
    channel: int | None,
    scope: Scope = "block",
    theme: ThemeName,
) -> TwoLayouts:
    """Return the same figure of a difference: of the residual stream and of F(x)."""
    return _layouts(network_difference_view(difference, channel, scope), theme)


def _layouts(view: NetworkView, theme: ThemeName) -> TwoLayouts:
    palette, panels = theme_of(theme), _panels(view)
    return TwoLayouts(
        _traces(panels, view, palette),
        _layout(panels, view, palette, is_wide=True),
        _layout(panels, view, palette, is_wide=False),
    )


def _panels(view: NetworkView) -> list[StagePanel]:
    """Return the panels in the order of `all_boxes`."""
    stream: Literal["trunk", "identity"] = "identity" if view.is_residual else "trunk"
    found = [Panel("x", stream, STEM, "")]
    for block in view.blocks:
        found.append(Panel(block.spec.residual, "branch", residual_panel(block.name), ""))
        found.append(Panel("out", stream, stream_panel(block.name), ""))
    return [
        StagePanel(panel.name, panel, values, axis_number)
        for axis_number, (panel, values) in enumerate(zip(found, view.panels, strict=True), start=1)
    ]


def _traces(panels: list[StagePanel], view: NetworkView, theme: Theme) -> list[dict[str, Any]]:
    """Return heatmaps, and over them zeroed cells and marks."""
    zeroed = [
        zeroed_cells(f"{panel.name}: zeroed", panel, block.zeroed, theme)
        for panel, block in zip(panels[2::2], view.blocks, strict=True)
        if block.zeroed is not None and block.zeroed.any()
    ]
    marked = [mark for panel in panels for mark in marks(panel, theme)]
    maps = [heatmap(panel, theme) for panel in panels]
    maps[0]["coloraxis"] = "coloraxis"
    return [*maps, *zeroed, *marked]


def _layout(
    panels: list[StagePanel], view: NetworkView, theme: Theme, *, is_wide: bool
) -> dict[str, Any]:
    most = _most_places(view) if is_wide else NARROW_PLACES
    arranged = arrange_network(
        _rows(view, most),
        view.shape[:2],
        width=WIDE if is_wide else NARROW,
        largest=LARGEST_OF_STAGES if view.is_staged else LARGEST,
        lines=len(number_lines(view.blocks[0], view, theme)),
    )
    key = key_lines(view, theme, is_wide=is_wide)
    limit = view.stem.limit
    top = KEY_LINE * len(key) + KEY_GAP
    return {
        "template": map_template(theme),
        "width": round(arranged.width),
        "height": round(arranged.height + top + BAR_LABELS),
        # Without autoexpand, for which Plotly measures all axes at each of them: a zoom of 27
        # blocks takes a third of the time.
        "margin": {"l": 0, "r": 0, "t": top, "b": BAR_LABELS, "autoexpand": False},
        "shapes": network_shapes(arranged, view, theme),
        "annotations": network_texts(arranged, view, key, theme),
        "coloraxis": {
            **colour_range(limit, theme, "c"),
            "colorbar": colour_bar(
                arranged, arranged.colour_bar, limit, view.scope, "; green, yellow: beyond"
            ),
        },
        **_axes(panels, arranged, view, theme),
    }


def _most_places(view: NetworkView) -> int:
    """Return the places in a row: fewer, for larger maps, in networks of several stages."""
    is_long = len(view.blocks) > MOST_LARGE_BLOCKS
    return STAGED_PLACES if view.is_staged and not is_long else WIDE_PLACES


def _rows(view: NetworkView, most: int) -> list[Row]:
    """Return the rows: a stage begins a row of its own."""
    if not view.is_staged:
        return equal_rows(len(view.blocks) + 2, most)
    places = [len(blocks) for blocks in view.stages]
    places[0] += 1  # the stem's
    places[-1] += 1  # the head's
    return [row for count in places for row in equal_rows(count, most, has_heading=True)]


def _axes(
    panels: list[StagePanel], arranged: NetworkArrangement, view: NetworkView, theme: Theme
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, (panel, box) in enumerate(zip(panels, all_boxes(arranged), strict=True), start=1):
        colour = getattr(theme, panel.panel.path)
        found |= axes(arranged, box, number, view.shape, colour)
    return found
