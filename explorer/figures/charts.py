"""Charts of one or two networks: panels of fixed height under one legend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from textwrap import wrap
from typing import Any

import numpy as np

from explorer.errors import InputError, check_dict
from explorer.figures.cell_text import rgb
from explorer.figures.sheet import base_layout, text
from explorer.figures.theme import LABEL_SIZE, NOTE_SIZE, TITLE_SIZE, Theme
from explorer.figures.two_layouts import TwoLayouts

COLUMN, NARROW = 400, 380  # width of a panel with its tick labels, in pixels
PANEL_HEIGHT = 250
TITLE_HEIGHT, AXIS_HEIGHT = 44, 48  # above and below every panel
LINE_HEIGHT = 19  # of the legend
LEFT, RIGHT = 52, 14
GAP = 0.06  # between two columns, as a fraction of the width
WIDE_NOTE, NARROW_NOTE = 150, 52  # characters in a line of the note
LOSS_DECADES = (-3, 1)  # of a loss axis, at least
WIDE_FROM = 50  # ratio of largest to smallest value above which an axis is logarithmic
# With space at the ends, so that neither markers nor tick labels meet the edges.
ACCURACY_AXIS = {
    "range": [-0.04, 1.04],
    "tickformat": ".0%",
    "tickvals": [0, 0.25, 0.5, 0.75, 1],
}


@dataclass(frozen=True)
class Chart:
    """A panel: its title of one or two lines, and what its axes have of their own."""

    title: str
    x: Mapping[str, Any]
    y: Mapping[str, Any] = field(default_factory=dict)


def networks(found: Any, kind: type, theme: Theme) -> list[tuple[str, Any, str]]:
    """Return label, record and colour of one or two networks.

    The first has the colour of residual networks, the second that of plain networks.

    Raises:
        InputError: `found` is not a dict of one or two records of this type.
    """
    check_dict("found", found, kind)
    if len(found) > 2:
        raise InputError(f"found must hold one or two networks, got {len(found)}.")
    colours = theme.residual_network, theme.plain_network
    return [
        (escape(str(label), quote=False), record, colour)
        for (label, record), colour in zip(found.items(), colours, strict=False)
    ]


def two_layouts(
    data: list[dict[str, Any]],
    charts: Sequence[Chart],
    legend: Mapping[str, str],
    theme: Theme,
    note: str = "",
    around: int | None = None,
) -> TwoLayouts:
    """Return traces on these charts, side by side or one below the other.

    Args:
        data: the traces; those of the first chart are on the axes x1 and y1.
        charts: the panels.
        legend: colours by label.
        theme: the colours.
        note: a sentence under the legend.
        around: pixels of the window's height that the wide figure leaves to what is above and below
            it; None for a fixed height.
    """
    items = [f"<span style='color:{colour}'>■</span> {label}" for label, colour in legend.items()]
    wide = _layout(charts, theme, ["   ".join(items)], wrap(note, WIDE_NOTE), len(charts))
    if around is not None:
        wide["meta"] |= {"around": around}
    return TwoLayouts(data, wide, _layout(charts, theme, items, wrap(note, NARROW_NOTE), 1))


def axes(number: int) -> dict[str, str]:
    """Return the axes of a chart's traces, counted from 1."""
    return {"xaxis": f"x{number}", "yaxis": f"y{number}"}


def block_axis(blocks: int) -> dict[str, Any]:
    """Return an axis of the blocks 1 … `blocks`."""
    ticks = {"tickvals": list(range(1, blocks + 1))} if blocks <= 10 else {"nticks": 8}
    return {"range": [0.4, max(blocks, 1) + 0.6], "title": {"text": "block"}, **ticks}


def logarithmic_axis(values: np.ndarray, least: int, most: int) -> dict[str, Any]:
    """Return a logarithmic axis from 10^least to 10^most, with more decades where needed."""
    positive = values[np.isfinite(values) & (values > 0)].astype(float)
    low = np.log10(positive.min(initial=10.0**least))
    high = np.log10(positive.max(initial=10.0**most))
    first, last = int(np.floor(low)), int(np.ceil(high))
    ticks = range(first, last + 1, 1 + (last - first) // 8)
    space = 0.04 * (last - first)
    return {
        "type": "log",
        "range": [first - space, last + space],
        "tickvals": [10.0**power for power in ticks],
        "ticktext": [_power_of_ten(power) for power in ticks],
    }


def is_wide(values: np.ndarray) -> bool:
    """Return whether values need a logarithmic axis; it omits those that are 0."""
    positive = values[np.isfinite(values) & (values > 0)]
    is_signed = bool((values < 0).any())
    return bool(positive.size and not is_signed and positive.max() > WIDE_FROM * positive.min())


def logarithmic_axis_of(values: np.ndarray) -> dict[str, Any]:
    """Return a logarithmic axis of these decades; at least one value is positive."""
    positive = values[np.isfinite(values) & (values > 0)].astype(float)
    ends = np.log10([positive.min(), positive.max()])
    return logarithmic_axis(positive, int(np.floor(ends[0])), int(np.ceil(ends[1])))


def pale(colour: str, opacity: float) -> str:
    """Return a CSS hex colour with an opacity."""
    red, green, blue = rgb(colour)
    return f"rgba({red},{green},{blue},{opacity:g})"


def _power_of_ten(power: int) -> str:
    if -3 <= power <= 3:
        return f"{10.0**power:g}"
    return "10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _layout(
    charts: Sequence[Chart], theme: Theme, legend: list[str], note: list[str], columns: int
) -> dict[str, Any]:
    rows = -(-len(charts) // columns)
    pitch = TITLE_HEIGHT + PANEL_HEIGHT + AXIS_HEIGHT
    top = 10 + LINE_HEIGHT * (len(legend) + len(note))
    width = COLUMN * columns if columns > 1 else NARROW
    layout = base_layout(theme, width, rows * pitch + top, top, meta={"fixedHeight": True})
    layout["margin"] |= {"l": LEFT, "r": RIGHT, "b": 0}
    layout["hovermode"] = "closest"
    tick = {"size": NOTE_SIZE, "color": theme.muted}
    axis = {"griddash": "solid", "gridwidth": 0.5, "zeroline": False, "tickfont": tick}
    axis |= {"automargin": False}  # the margins and gaps are wide enough, and stay as they are
    share = (1 - GAP * (columns - 1)) / columns
    for index, chart in enumerate(charts):
        row, column = divmod(index, columns)
        left, upper = column * (share + GAP), 1 - (row * pitch + TITLE_HEIGHT) / (rows * pitch)
        title = {"font": {**tick, "size": LABEL_SIZE}, "standoff": 6, **chart.x.get("title", {})}
        layout[f"xaxis{index + 1}"] = {
            **axis,
            **chart.x,
            "domain": [left, left + share],
            "anchor": f"y{index + 1}",
            "title": title,
        }
        layout[f"yaxis{index + 1}"] = {
            **axis,
            **chart.y,
            "domain": [max(upper - PANEL_HEIGHT / (rows * pitch), 0), upper],
            "anchor": f"x{index + 1}",
        }
        words = text(left, upper, chart.title, font={"size": LABEL_SIZE}, yshift=4, align="left")
        layout["annotations"].append(words)
    muted = f"<span style='color:{theme.muted};font-size:{NOTE_SIZE}px'>"
    lines = [*legend, *(f"{muted}{line}</span>" for line in note)]
    words = text(0, 1, "<br>".join(lines), yshift=4, font={"size": TITLE_SIZE}, align="left")
    layout["annotations"].append(words)
    return layout
