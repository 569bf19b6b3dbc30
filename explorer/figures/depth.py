"""Curves over depth: residual against plain, a ablation's change, and gradients by path length."""

from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from explorer.figures.sheet import base_layout, cell, text
from explorer.figures.theme import NOTE_SIZE, THEMES, TITLE_SIZE, Theme, ThemeName
from explorer.records import AblationRecord, DepthRecord, PathRecord

WORDS = {
    "gradient norm": "of the gradient at the block's input",
    "gradient correlation": "with the gradient of an input nearby",
    "branch share": "of the variance at the sum",
    "std": "standard deviation of the output",
    "squared mean": "of the output's channels",
    "zeroed": "part that the last ReLU zeroed",
}
GROWING = {"gradient norm", "std", "squared mean"}  # by factors, so on a logarithmic axis
LEGEND = 48  # height above the panels
LOG_FROM = 50  # largest by smallest value from which an axis is logarithmic


def curves_figure(
    residual: DepthRecord,
    plain: DepthRecord,
    *,
    theme: ThemeName = "light",
    arrangement: Literal["wide", "narrow"] = "wide",
) -> go.Figure:
    """Every curve of two stacks of the same weights: the median over runs, and their range.

    Thin lines are published trends: 1/(l + 1) for the branch share (De & Smith 2020); and
    for the correlation at L blocks from the end 2^−L without and 1/√L with shortcuts
    (Balduzzi et al. 2017).
    """
    palette = THEMES[theme]
    both = (residual, plain)
    names = [n for n in WORDS if any(np.isfinite(record.curves[n]).any() for record in both)]
    columns = {"wide": 3, "narrow": 2}[arrangement]
    rows = -(-len(names) // columns)
    layout = _layout(palette, 400 * columns, 270 * rows)
    data: list[dict[str, Any]] = []
    depth = residual.inputs.shape[0]
    blocks = np.arange(1, depth + 1)
    for index, name in enumerate(names):
        number = index + 1
        lines = [
            (stack, record.curves[name], colour)
            for stack, record, colour in (
                ("residual", residual, palette.identity),
                ("plain", plain, palette.branch),
            )
            if np.isfinite(record.curves[name]).any()
        ]
        for stack, values, colour in lines:
            data += _band(f"{stack}: {name}", blocks, values, colour, number)
        if residual.spec.norms():  # the trends are of stacks with BatchNorm
            data += _trends(name, blocks, palette, number)
        _frame(layout, index, columns, rows, f"<b>{name}</b><br>{WORDS[name]}", palette)
        known = [values[np.isfinite(values)] for _, values, _ in lines]
        if name in GROWING and known and _is_wide(np.concatenate(known)):
            layout[f"yaxis{number}"] |= {"type": "log", "exponentformat": "power", "dtick": None}
    layout["annotations"].append(_legend(palette, depth))
    return go.Figure({"data": data, "layout": layout})


def ablation_figure(
    residual: AblationRecord,
    plain: AblationRecord,
    *,
    theme: ThemeName = "light",
) -> go.Figure:
    """The change of the output by the index of the block that was touched."""
    palette = THEMES[theme]
    layout = _layout(palette, 1000, 320)
    data: list[dict[str, Any]] = []
    for stack, record, colour in (
        ("residual", residual, palette.identity),
        ("plain", plain, palette.branch),
    ):
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": stack,
                "x": np.arange(1, record.change.size + 1),
                "y": record.change,
                "line": {"color": colour, "width": 2},
                "hovertemplate": f"{stack}, block %{{x}}: %{{y:.3f}}<extra></extra>",
            }
        )
    done = {"delete": "deleted", "swap": "swapped with the next"}[residual.kind]
    title = f"<b>‖changed − out‖ / ‖out‖</b><br>by the block that was {done}"
    _frame(layout, 0, 1, 1, title, palette)
    layout["yaxis1"]["rangemode"] = "tozero"
    layout["annotations"].append(_legend(palette, None))
    return go.Figure({"data": data, "layout": layout})


def paths_figure(
    found: PathRecord,
    *,
    theme: ThemeName = "light",
    arrangement: Literal["wide", "narrow"] = "wide",
) -> go.Figure:
    """How many paths have each length, what comes back along one, and along all of a length."""
    palette = THEMES[theme]
    columns = {"wide": 3, "narrow": 1}[arrangement]
    rows = 3 // columns
    layout = _layout(palette, 400 * columns, 290 * rows)
    carried = found.norm * found.paths
    whole = carried.sum() or 1
    titles = [
        "<b>paths</b><br>part of all 2ⁿ: C(n, k) / 2ⁿ",
        "<b>one path</b><br>mean ‖gradient‖ ± standard error",
        "<b>all of a length</b><br>mean × number of paths, as a part of all",
    ]
    panels: list[tuple[np.ndarray, np.ndarray | None, str]] = [
        (found.paths, None, palette.muted),
        (found.norm, found.error, palette.branch),
        (carried / whole, found.error * found.paths / whole, palette.identity),
    ]
    data: list[dict[str, Any]] = []
    for index, (title, (values, error, colour)) in enumerate(zip(titles, panels, strict=True)):
        number = index + 1
        bars = {"error_y": {"type": "data", "array": error}} if error is not None else {}
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": title.split("</b>")[0].removeprefix("<b>"),
                "x": found.lengths,
                "y": values,
                "line": {"color": colour, "width": 2},
                "marker": {"size": 5},
                "xaxis": f"x{number}",
                "yaxis": f"y{number}",
                "hovertemplate": "length %{x}: %{y:.3g}<extra></extra>",
                **bars,
            }
        )
        _frame(layout, index, columns, rows, title, palette)
        layout[f"xaxis{number}"]["title"]["text"] = "blocks of the path that go through F"
        if index == 1 and _is_wide(values):
            layout[f"yaxis{number}"] |= {"type": "log", "exponentformat": "power"}
    return go.Figure({"data": data, "layout": layout})


def _layout(theme: Theme, width: int, height: int) -> dict[str, Any]:
    layout = base_layout(theme, width, height + LEGEND)
    layout["margin"] |= {"l": 52, "r": 12, "t": LEGEND, "b": 26}
    layout["meta"] = {"fixedHeight": True}
    layout["hovermode"] = "closest"
    return layout


def _frame(
    layout: dict[str, Any], index: int, columns: int, rows: int, title: str, theme: Theme
) -> None:
    number = index + 1
    x, y = cell(index, columns, rows, gap=0.07)
    y = [y[0] + 0.12 / rows, y[1] - 0.06 / rows]  # room for the axis below and two lines above
    axis = {"gridcolor": theme.zeroed, "gridwidth": 0.5, "zeroline": False, "nticks": 6}
    note = {"size": NOTE_SIZE, "color": theme.muted}
    layout[f"xaxis{number}"] = {
        **axis,
        "domain": x,
        "anchor": f"y{number}",
        "title": {"text": "block", "font": note, "standoff": 4},
        "tickfont": note,
    }
    layout[f"yaxis{number}"] = {**axis, "domain": y, "anchor": f"x{number}", "tickfont": note}
    words = text(x[0], y[1], title, font={"size": NOTE_SIZE + 1}, yshift=4, align="left")
    layout["annotations"].append(words)


def _legend(theme: Theme, depth: int | None) -> dict[str, Any]:
    words = (
        f"<span style='color:{theme.identity}'>■</span> residual, with + x   "
        f"<span style='color:{theme.branch}'>■</span> plain, the same without + x"
    )
    if depth:
        words += "<br>line: median over runs · band: all runs · dotted: published trend"
    return text(0, 1, words, yshift=10, font={"size": TITLE_SIZE}, align="left")


def _band(
    name: str, blocks: np.ndarray, values: np.ndarray, colour: str, number: int
) -> list[dict[str, Any]]:
    """The range over runs as an area, the median as a line."""
    axes = {"xaxis": f"x{number}", "yaxis": f"y{number}"}
    low, high = values.min(axis=0), values.max(axis=0)
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    area = {
        "type": "scatter",
        "mode": "lines",
        "name": f"{name}, range",
        "x": np.concatenate([blocks, blocks[::-1]]),
        "y": np.concatenate([high, low[::-1]]),
        "fill": "toself",
        "fillcolor": f"rgba({red},{green},{blue},0.22)",
        "line": {"width": 0},
        "hoverinfo": "skip",
        **axes,
    }
    line = {
        "type": "scatter",
        "mode": "lines" if blocks.size > 2 else "lines+markers",
        "name": name,
        "x": blocks,
        "y": np.median(values, axis=0),
        "line": {"color": colour, "width": 2},
        "hovertemplate": f"{name.split(':')[0]}, block %{{x}}: %{{y:.4g}}<extra></extra>",
        **axes,
    }
    return [area, line]


def _trends(name: str, blocks: np.ndarray, theme: Theme, number: int) -> list[dict[str, Any]]:
    """Published trends of a curve, named at their ends."""
    to_end = blocks[::-1].astype(float)
    trends: dict[str, list[tuple[str, np.ndarray, float]]] = {
        "branch share": [("1/(l+1)", 1 / (blocks + 1.0), 0.25)],
        "gradient correlation": [("2⁻ᴸ", 2.0**-to_end, 0.75), ("1/√L", to_end**-0.5, 0.5)],
    }
    return [
        {
            "type": "scatter",
            "mode": "lines+text",
            "name": f"trend {words}",
            "x": blocks,
            "y": values,
            "text": [words if at == int(part * blocks.size) else "" for at in range(blocks.size)],
            # Beside the curve: where it falls there is room below, where it rises above.
            "textposition": "bottom left" if values[0] > values[-1] else "top left",
            "textfont": {"size": NOTE_SIZE, "color": theme.muted},
            "line": {"color": theme.muted, "width": 1, "dash": "dot"},
            "hovertemplate": f"{words}: %{{y:.4g}}<extra></extra>",
            "xaxis": f"x{number}",
            "yaxis": f"y{number}",
        }
        for words, values, part in trends.get(name, [])
    ]


def _is_wide(values: np.ndarray) -> bool:
    positive = values[values > 0]  # a logarithmic axis leaves zeros out
    is_signed = bool((values < 0).any())
    return bool(positive.size and not is_signed and positive.max() > LOG_FROM * positive.min())
