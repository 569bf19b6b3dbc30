"""Who won at the sum: x against F(x), cell by cell, as two maps and as a plane."""

from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from explorer.analysis.downsampling import Window, block_means, whole
from explorer.analysis.sum_comparison import CATEGORIES, SumComparison
from explorer.figures.sheet import base_layout, cell, hidden_axis, sheet_height, text
from explorer.figures.theme import NOTE_SIZE, THEMES, TITLE_SIZE, Theme, ThemeName

MAX_POINTS = 2048
BINS = 72


def sum_comparison_figure(
    values: SumComparison,
    *,
    theme: ThemeName = "light",
    arrangement: Literal["wide", "narrow"] = "wide",
) -> go.Figure:
    """Two maps: how much of |x| + |F(x)| is |x|, and what became of the cell."""
    palette = THEMES[theme]
    shape = values.x.shape
    columns = {"wide": 2, "narrow": 1}[arrangement]
    rows, width = 2 // columns, 420 * columns
    height = sheet_height(width, columns, rows, shape[0] / shape[1])
    layout = base_layout(palette, width, height)
    window = whole(shape)
    parts = [
        ("x's part", block_means(values.identity_part, window.step), _part_scale(palette), 1),
        ("outcome", _most_frequent(values.outcome, window), _outcome_scale(palette), 3),
    ]
    titles = [
        "<b>|x| / (|x| + |F(x)|)</b>: "
        f"<span style='color:{palette.identity}'>x larger</span>, "
        f"<span style='color:{palette.branch}'>F(x) larger</span>",
        " · ".join(
            f"<span style='color:{colour}'>■</span> {name} {count / values.x.size:.0%}"
            for name, colour, count in zip(
                CATEGORIES, category_colours(palette), values.counts, strict=True
            )
        ),
    ]
    data = []
    for index, ((name, z, scale, top), title) in enumerate(zip(parts, titles, strict=True)):
        number = index + 1
        data.append(
            {
                "type": "heatmap",
                "name": name,
                "z": z,
                "x0": (window.step - 1) / 2,
                "dx": window.step,
                "y0": (window.step - 1) / 2,
                "dy": window.step,
                "zmin": 0,
                "zmax": top,
                "colorscale": scale,
                "showscale": False,
                "hoverinfo": "skip",
                "xaxis": f"x{number}",
                "yaxis": f"y{number}",
            }
        )
        x, y = cell(index, columns, rows)
        frame = {"showline": True, "mirror": True, "linecolor": palette.muted, "linewidth": 1}
        linked = ({"matches": "x"}, {"matches": "y"}) if index else ({}, {})
        layout[f"xaxis{number}"] = hidden_axis(
            domain=x, anchor=f"y{number}", range=[-0.5, shape[1] - 0.5], **frame, **linked[0]
        )
        layout[f"yaxis{number}"] = hidden_axis(
            domain=y, anchor=f"x{number}", range=[shape[0] - 0.5, -0.5], **frame, **linked[1]
        )
        means = f" (means of {window.step}×{window.step})" if window.step > 1 and not index else ""
        layout["annotations"].append(
            text(x[0], y[1], title + means, font={"size": NOTE_SIZE}, yshift=3)
        )
    return go.Figure({"data": data, "layout": layout})


def plane_figure(
    values: SumComparison,
    *,
    theme: ThemeName = "light",
    window: Window | None = None,
    pin: tuple[int, int] | None = None,
) -> go.Figure:
    """Every cell as a point (x, F(x)), with the line F = −x below which the ReLU cuts.

    Up to `MAX_POINTS` cells are drawn as points, more as a density. Cells of
    `window` and the pinned cell are drawn in the accent colour.
    """
    palette = THEMES[theme]
    layout = base_layout(palette, 720, 480, meta={"fixedHeight": True})
    layout["margin"] |= {"l": 60, "b": 48, "t": 30}
    x, residual = values.x.ravel(), values.residual.ravel()
    finite = np.isfinite(x) & np.isfinite(residual)
    reach, top = (
        1.05 * float(np.abs(values[finite]).max(initial=0)) or 1.0 for values in (x, residual)
    )
    data = [
        _points(x, residual, palette)
        if x.size <= MAX_POINTS
        else _density(x, residual, (reach, top), palette)
    ]
    if window is not None:
        chosen_x, chosen_f = window.crop(values.x).ravel(), window.crop(values.residual).ravel()
        every = -(-chosen_x.size // MAX_POINTS)
        data.append(_accent("in view", chosen_x[::every], chosen_f[::every], 4, palette))
    if pin is not None:
        at = (values.x[pin], values.residual[pin])
        data.append(_accent("pinned", np.array([at[0]]), np.array([at[1]]), 12, palette))
    layout["shapes"] = [
        {
            "type": "path",
            "path": f"M {-reach} {reach} L {reach} {-reach} L {reach} {-9 * top} "
            f"L {-reach} {-9 * top} Z",
            "fillcolor": palette.zeroed,
            "opacity": 0.25,
            "line": {"width": 0},
            "layer": "below",
        },
        {
            "type": "line",
            "x0": -reach,
            "y0": reach,
            "x1": reach,
            "y1": -reach,
            "line": {"color": palette.text, "width": 1.5, "dash": "dash"},
        },
    ]
    axis = {"zerolinecolor": palette.muted, "gridcolor": palette.zeroed, "griddash": "dot"}
    titles = ("x (identity)", palette.identity), ("F(x) (residual)", palette.branch)
    layout["xaxis"], layout["yaxis"] = (
        {**axis, "range": [-end, end], "title": {"text": name, "font": {"color": colour}}}
        for end, (name, colour) in zip((reach, top), titles, strict=True)
    )
    below = "grey: below the line F(x) = −x the sum is negative and the ReLU cuts it"
    layout["annotations"] = [text(0, 1, below, font={"size": TITLE_SIZE}, yshift=4)]
    return go.Figure({"data": data, "layout": layout})


def _points(x: np.ndarray, residual: np.ndarray, theme: Theme) -> dict[str, Any]:
    kept = x + residual > 0
    return {
        "type": "scatter",
        "name": "cells",
        "mode": "markers",
        "x": x,
        "y": residual,
        "marker": {"size": 4, "color": np.where(kept, theme.trunk, theme.muted).tolist()},
        "hoverinfo": "skip",
    }


def _density(
    x: np.ndarray, residual: np.ndarray, reach: tuple[float, float], theme: Theme
) -> dict[str, Any]:
    finite = np.isfinite(x) & np.isfinite(residual)
    edges = [np.linspace(-end, end, BINS + 1) for end in reach]
    counts, x_edges, f_edges = np.histogram2d(x[finite], residual[finite], bins=edges)
    share = np.log10(np.where(counts > 0, counts, np.nan)).T
    return {
        "type": "heatmap",
        "name": "cells",
        "z": share.astype(np.float32),
        "x": x_edges,
        "y": f_edges,
        "colorscale": [(0, theme.zeroed), (1, theme.text)],
        "showscale": False,
        "hoverinfo": "skip",
    }


def _accent(
    name: str, x: np.ndarray, residual: np.ndarray, size: int, theme: Theme
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "name": name,
        "mode": "markers",
        "x": x,
        "y": residual,
        "marker": {"size": size, "color": theme.accent},
        "hoverinfo": "skip",
    }


def category_colours(theme: Theme) -> tuple[str, ...]:
    """A colour for each of `CATEGORIES`: the identity's, the branch's, and two greys' kin."""
    return (theme.identity, theme.branch, theme.below[0], theme.zeroed)


def _outcome_scale(theme: Theme) -> list[tuple[float, str]]:
    colours = category_colours(theme)
    return [(edge / 4, colours[i]) for i in range(4) for edge in (i, i + 1)]


def _part_scale(theme: Theme) -> list[tuple[float, str]]:
    return [(0, theme.branch), (0.5, theme.zero), (1, theme.identity)]


def _most_frequent(codes: np.ndarray, window: Window) -> np.ndarray:
    shares = [
        block_means((codes == code).astype(np.float32), window.step)
        for code in range(len(CATEGORIES))
    ]
    return np.argmax(shares, axis=0).astype(np.uint8)
