"""The identity against F(x) as a scatter plot with one point per cell."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.analysis.downsampling import Window
from explorer.analysis.sum_comparison import SumComparison
from explorer.errors import InputError, check_integer, check_type, describe
from explorer.figures.sheet import base_layout, text
from explorer.figures.theme import TITLE_SIZE, Theme, ThemeName, theme_of

MAX_POINTS = 2048
BINS = 72


def scatter_figure(
    comparison: SumComparison,
    *,
    theme: ThemeName = "light",
    window: Window | None = None,
    pin: tuple[int, int] | None = None,
) -> go.Figure:
    """Draw every cell as a point (x, F(x)), with the line F(x) = −x where the sum is 0.

    Up to `MAX_POINTS` cells are drawn as points, more as a density. Cells in `window` and
    the pinned cell are drawn in the accent colour.
    """
    palette = theme_of(theme)
    check_type("comparison", comparison, SumComparison)
    if window is not None:
        check_type("window", window, Window)
    layout = base_layout(palette, 720, 480, meta={"fixedHeight": True})
    layout["margin"] |= {"l": 60, "b": 48, "t": 46}
    x, residual = comparison.identity.ravel(), comparison.residual.ravel()
    finite = np.isfinite(x) & np.isfinite(residual)
    extent, top = (
        1.05 * float(np.abs(values[finite]).max(initial=0)) or 1.0 for values in (x, residual)
    )
    data = [
        _points(x, residual, palette)
        if x.size <= MAX_POINTS
        else _density(x, residual, (extent, top), palette)
    ]
    if window is not None:
        chosen_x, chosen_f = (
            window.crop(comparison.identity).ravel(),
            window.crop(comparison.residual).ravel(),
        )
        every = -(-chosen_x.size // MAX_POINTS)
        data.append(_accent("in view", chosen_x[::every], chosen_f[::every], 4, palette))
    if pin is not None:
        pin = _check_pin(pin, comparison.identity.shape)
        at = (comparison.identity[pin], comparison.residual[pin])
        data.append(_accent("pinned", np.array([at[0]]), np.array([at[1]]), 12, palette))
    layout["shapes"] = [
        {
            "type": "path",
            "path": f"M {-extent} {extent} L {extent} {-extent} L {extent} {-9 * top} "
            f"L {-extent} {-9 * top} Z",
            "fillcolor": palette.zeroed,
            "opacity": 0.25,
            "line": {"width": 0},
            "layer": "below",
        },
        {
            "type": "line",
            "x0": -extent,
            "y0": extent,
            "x1": extent,
            "y1": -extent,
            "line": {"color": palette.text, "width": 1.5, "dash": "dash"},
        },
    ]
    axis = {"zerolinecolor": palette.muted, "gridcolor": palette.zeroed, "griddash": "dot"}
    titles = ("x (identity)", palette.identity), ("F(x) (residual)", palette.branch)
    layout["xaxis"], layout["yaxis"] = (
        {**axis, "range": [-end, end], "title": {"text": name, "font": {"color": colour}}}
        for end, (name, colour) in zip((extent, top), titles, strict=True)
    )
    below = "grey: below the line F(x) = −x the sum is negative"
    if comparison.is_zeroed:
        below += "<br>and the last ReLU zeroes it"
    layout["annotations"] = [text(0, 1, below, font={"size": TITLE_SIZE}, yshift=4)]
    return go.Figure({"data": data, "layout": layout})


def _points(x: np.ndarray, residual: np.ndarray, theme: Theme) -> dict[str, Any]:
    positive = x + residual > 0
    return {
        "type": "scatter",
        "name": "cells",
        "mode": "markers",
        "x": x,
        "y": residual,
        "marker": {"size": 4, "color": np.where(positive, theme.trunk, theme.muted).tolist()},
        "hoverinfo": "skip",
    }


def _density(
    x: np.ndarray, residual: np.ndarray, extents: tuple[float, float], theme: Theme
) -> dict[str, Any]:
    finite = np.isfinite(x) & np.isfinite(residual)
    edges = [np.linspace(-end, end, BINS + 1) for end in extents]
    counts, x_edges, f_edges = np.histogram2d(x[finite], residual[finite], bins=edges)
    density = np.log10(np.where(counts > 0, counts, np.nan)).T
    return {
        "type": "heatmap",
        "name": "cells",
        "z": density.astype(np.float32),
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


def _check_pin(pin: Any, shape: tuple[int, ...]) -> tuple[int, int]:
    """Return `pin` as a row and a column; InputError if there is no such cell."""
    if not isinstance(pin, tuple) or len(pin) != 2:
        raise InputError(f"pin must be a pair of a row and a column, got {describe(pin)}.")
    return (
        check_integer("the row of pin", pin[0], 0, shape[0] - 1),
        check_integer("the column of pin", pin[1], 0, shape[1] - 1),
    )
