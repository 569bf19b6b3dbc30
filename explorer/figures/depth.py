"""Curves over depth of a residual and a plain network, ablation, and gradients by path length."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.analysis.path_shares import path_shares
from explorer.errors import check_type
from explorer.figures.sheet import base_layout, cell, text
from explorer.figures.theme import NOTE_SIZE, TITLE_SIZE, Theme, ThemeName, theme_of
from explorer.figures.two_layouts import ArrangementName, TwoLayouts
from explorer.model.spec import BlockSpec
from explorer.records import AblationRecord, DepthRecord, PathRecord

SUBTITLES = {
    "gradient norm": "of the gradient at the block's input",
    "gradient correlation": "with the gradient for a nearby input",
    "branch share": "of the variance at the sum",
    "std": "standard deviation of the output",
    "squared mean": "of the output's channels",
    "zeros": "fraction of cells that are 0 after the last ReLU",
}
GROWING = {"gradient norm", "std", "squared mean"}  # exponentially, so on a logarithmic axis
ABLATION_SUBTITLES = {"delete": "block deleted", "swap": "block swapped with the next"}
LEGEND = 48  # height above the panels
LOG_FROM = 50  # ratio of largest to smallest value above which an axis is logarithmic


def curves_figure(
    residual: DepthRecord,
    plain_network: DepthRecord,
    *,
    theme: ThemeName = "light",
    arrangement: ArrangementName = "wide",
) -> go.Figure:
    """Draw every curve of two stacks of the same weights: median and range over runs.

    Dashed lines are published trends. With BatchNorm: 1/(l + 1) for the branch share (De &
    Smith 2020), and 1/√L for the correlation L blocks from the end with shortcuts. Without
    shortcuts the correlation halves at every ReLU (both Balduzzi et al. 2017).
    """
    return curves_layouts(residual, plain_network, theme=theme).figure(arrangement)


def curves_layouts(
    residual: DepthRecord, plain_network: DepthRecord, *, theme: ThemeName
) -> TwoLayouts:
    """Return the figure of `curves_figure` in both layouts."""
    palette = theme_of(theme)
    check_type("residual", residual, DepthRecord)
    check_type("plain_network", plain_network, DepthRecord)
    stacks = (
        ("residual", residual, palette.residual_network),
        ("plain", plain_network, palette.plain_network),
    )
    depth = residual.inputs.shape[0]
    blocks = np.arange(1, depth + 1)
    data: list[dict[str, Any]] = []
    logarithmic: dict[str, bool] = {}  # by curve, in the order of the panels
    for name in SUBTITLES:
        known = [
            (stack, values, colour)
            for stack, record, colour in stacks
            if np.isfinite(values := record.curves[name]).any()
        ]
        if not known:
            continue
        finite = np.concatenate([values[np.isfinite(values)] for _, values, _ in known])
        logarithmic[name] = name in GROWING and _is_wide(finite)
        axis_number = len(logarithmic)
        for stack, values, colour in known:
            data += _band(f"{stack}: {name}", blocks, values, colour, axis_number)
        data += _trends(name, blocks, residual.spec, palette, axis_number)
    note = "<br>median and range of the runs"
    if any("trend" in trace["name"] for trace in data):
        note += "; dashed: published trend"
    return TwoLayouts(
        data,
        _curves_layout(logarithmic, note, palette, 3),
        _curves_layout(logarithmic, note, palette, 1),
    )


def _curves_layout(
    logarithmic: dict[str, bool], note: str, theme: Theme, columns: int
) -> dict[str, Any]:
    rows = -(-len(logarithmic) // columns)
    layout = _base_layout(theme, 400 * columns, 270 * rows)
    for index, (name, is_logarithmic) in enumerate(logarithmic.items()):
        _add_panel(layout, index, columns, rows, f"<b>{name}</b><br>{SUBTITLES[name]}", theme)
        if is_logarithmic:
            layout[f"yaxis{index + 1}"] |= {"type": "log", "exponentformat": "power"}
    layout["annotations"].append(_legend(theme, note))
    return layout


def ablation_figure(
    residual: AblationRecord,
    plain_network: AblationRecord,
    *,
    theme: ThemeName = "light",
) -> go.Figure:
    """Draw the change of the output by the index of the block deleted or swapped."""
    palette = theme_of(theme)
    check_type("residual", residual, AblationRecord)
    check_type("plain_network", plain_network, AblationRecord)
    layout = _base_layout(palette, 1000, 320)
    data: list[dict[str, Any]] = []
    for stack, record, colour in (
        ("residual", residual, palette.residual_network),
        ("plain", plain_network, palette.plain_network),
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
    title = f"<b>‖changed − out‖ / ‖out‖</b><br>by index of the {ABLATION_SUBTITLES[residual.kind]}"
    _add_panel(layout, 0, 1, 1, title, palette)
    layout["yaxis1"]["rangemode"] = "tozero"
    layout["annotations"].append(_legend(palette))
    return go.Figure({"data": data, "layout": layout})


def paths_figure(
    found: PathRecord,
    *,
    theme: ThemeName = "light",
    arrangement: ArrangementName = "wide",
) -> go.Figure:
    """Draw the number of paths of each length, and the gradient along one and along all of them."""
    return paths_layouts(found, theme=theme).figure(arrangement)


def paths_layouts(found: PathRecord, *, theme: ThemeName) -> TwoLayouts:
    """Return the figure of `paths_figure` in both layouts."""
    palette = theme_of(theme)
    check_type("found", found, PathRecord)
    shares = path_shares(found)[found.lengths]
    relative_error = found.error / np.where(found.norm > 0, found.norm, 1)
    panels: list[tuple[str, np.ndarray, np.ndarray | None, str]] = [
        ("paths", found.paths[found.lengths], None, palette.muted),
        ("one path", found.norm, found.error, palette.residual_network),
        ("all paths of a length", shares, shares * relative_error, palette.residual_network),
    ]
    data: list[dict[str, Any]] = []
    for axis_number, (name, values, error, colour) in enumerate(panels, start=1):
        bars = {"error_y": {"type": "data", "array": error}} if error is not None else {}
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "x": found.lengths,
                "y": values,
                "line": {"color": colour, "width": 2},
                "marker": {"size": 5},
                "xaxis": f"x{axis_number}",
                "yaxis": f"y{axis_number}",
                "hovertemplate": "length %{x}: %{y:.3g}<extra></extra>",
                **bars,
            }
        )
    is_logarithmic = _is_wide(found.norm)
    return TwoLayouts(
        data, _paths_layout(is_logarithmic, palette, 3), _paths_layout(is_logarithmic, palette, 1)
    )


def _paths_layout(is_logarithmic: bool, theme: Theme, columns: int) -> dict[str, Any]:
    rows = 3 // columns
    layout = _base_layout(theme, 400 * columns, 290 * rows)
    titles = [
        "<b>paths</b><br>fraction of all 2ⁿ: C(n, k) / 2ⁿ",
        "<b>one path</b><br>mean ‖gradient‖ ± standard error",
        "<b>all paths of a length</b><br>mean × number of paths, fraction of the total",
    ]
    for index, title in enumerate(titles):
        _add_panel(layout, index, columns, rows, title, theme)
        layout[f"xaxis{index + 1}"]["title"]["text"] = "blocks in which the path goes through F"
    if is_logarithmic:
        layout["yaxis2"] |= {"type": "log", "exponentformat": "power"}
    return layout


def _base_layout(theme: Theme, width: int, height: int) -> dict[str, Any]:
    layout = base_layout(theme, width, height + LEGEND, meta={"fixedHeight": True})
    layout["margin"] |= {"l": 52, "r": 12, "t": LEGEND, "b": 26}
    return {**layout, "hovermode": "closest"}


def _add_panel(
    layout: dict[str, Any], index: int, columns: int, rows: int, title: str, theme: Theme
) -> None:
    """Add the axes and the title of a panel, counted from 0."""
    axis_number = index + 1
    x, y = cell(index, columns, rows, gap=0.07)
    y = [y[0] + 0.12 / rows, y[1] - 0.06 / rows]  # leaves space for the axis and two lines
    note = {"size": NOTE_SIZE, "color": theme.muted}
    axis = {"griddash": "solid", "gridwidth": 0.5, "zeroline": False, "nticks": 6, "tickfont": note}
    layout[f"xaxis{axis_number}"] = {
        **axis,
        "domain": x,
        "anchor": f"y{axis_number}",
        "title": {"text": "block", "font": note, "standoff": 4},
    }
    layout[f"yaxis{axis_number}"] = {**axis, "domain": y, "anchor": f"x{axis_number}"}
    words = text(x[0], y[1], title, font={"size": NOTE_SIZE + 1}, yshift=4, align="left")
    layout["annotations"].append(words)


def _legend(theme: Theme, more: str = "") -> dict[str, Any]:
    words = (
        f"<span style='color:{theme.residual_network}'>■</span> residual network   "
        f"<span style='color:{theme.plain_network}'>■</span> plain network: no shortcuts"
        f"{more}"
    )
    return text(0, 1, words, yshift=10, font={"size": TITLE_SIZE}, align="left")


def _band(
    name: str, blocks: np.ndarray, values: np.ndarray, colour: str, axis_number: int
) -> list[dict[str, Any]]:
    """Return the range over runs as an area and the median as a line."""
    axes = {"xaxis": f"x{axis_number}", "yaxis": f"y{axis_number}"}
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


def _trends(
    name: str, blocks: np.ndarray, spec: BlockSpec, theme: Theme, axis_number: int
) -> list[dict[str, Any]]:
    """Return the published trends of a curve as labelled lines."""
    to_end = blocks[::-1].astype(float)
    trends: dict[str, list[tuple[str, np.ndarray, float]]] = {}
    if spec.norms():
        trends["branch share"] = [("1/(l+1)", 1 / (blocks + 1.0), 0.25)]
        trends["gradient correlation"] = [("1/√L", to_end**-0.5, 0.5)]
    if spec.relus:
        factor = 2**spec.relus
        halved = (f"{factor}⁻ᴸ", float(factor) ** -to_end, 0.75)
        trends.setdefault("gradient correlation", []).insert(0, halved)
    return [
        {
            "type": "scatter",
            "mode": "lines+text",
            "name": f"trend {words}",
            "x": blocks,
            "y": values,
            "text": [words if at == int(part * blocks.size) else "" for at in range(blocks.size)],
            # There is space for the label below a falling curve and above a rising one.
            "textposition": "bottom left" if values[0] > values[-1] else "top left",
            "textfont": {"size": NOTE_SIZE, "color": theme.muted},
            "line": {"color": theme.muted, "width": 1, "dash": "dash"},
            "hovertemplate": f"{words}: %{{y:.4g}}<extra></extra>",
            "xaxis": f"x{axis_number}",
            "yaxis": f"y{axis_number}",
        }
        for words, values, part in trends.get(name, [])
    ]


def _is_wide(values: np.ndarray) -> bool:
    positive = values[values > 0]  # a logarithmic axis omits zeros
    is_signed = bool((values < 0).any())
    return bool(positive.size and not is_signed and positive.max() > LOG_FROM * positive.min())
