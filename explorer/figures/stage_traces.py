"""Traces and axes of the stage figure: heatmaps, zeroed cells and marks."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.analysis.stage_view import PanelView
from explorer.figures.arrangement import Box, Canvas
from explorer.figures.panels import Panel
from explorer.figures.theme import BEYOND, Theme, diverging_scale
from explorer.figures.wires import on_paper


@dataclass(frozen=True)
class StagePanel:
    """A panel of the stage figure.

    Attributes:
        name: name of its heatmap; begins with the part's prefix.
        panel: its title and path.
        view: its map.
        axis_number: number of its axes, from 1; None for a panel without axes.
    """

    name: str
    panel: Panel
    view: PanelView
    axis_number: int | None


def heatmap(panel: StagePanel, theme: Theme) -> dict[str, Any]:
    """Return the map of one panel."""
    return {
        "type": "heatmap",
        "name": panel.name,
        "z": panel.view.values,
        **_position(panel),
        **colour_range(panel.view.limit, theme, "z"),
        "showscale": False,
        "hovertemplate": f"{panel.name}[%{{y}}, %{{x}}] = %{{z:.4g}}<extra></extra>",
    }


def colour_range(limit: float, theme: Theme, letter: str) -> dict[str, Any]:
    """Return a range of ±limit, widened for the colours beyond it, as "zmin" or "cmin" etc."""
    extent = limit * (1 + BEYOND)
    return {f"{letter}min": -extent, f"{letter}max": extent, "colorscale": diverging_scale(theme)}


def zeroed_cells(name: str, panel: StagePanel, zeroed: np.ndarray, theme: Theme) -> dict[str, Any]:
    """Return a map that covers a panel's zeroed cells in grey."""
    return {
        "type": "heatmap",
        "name": name,
        "z": np.where(zeroed > 0.5, np.float32(1), np.float32(np.nan)),
        **_position(panel),
        "colorscale": [(0, theme.zeroed), (1, theme.zeroed)],
        "showscale": False,
        "hoverinfo": "skip",
    }


def marks(panel: StagePanel, theme: Theme) -> list[dict[str, Any]]:
    """Return marks on NaN (×), on ±Inf and on extremes that block means would hide (▲ ▼)."""
    rows, cols, values = panel.view.marks
    if rows.size == 0:
        return []
    is_above = values > 0
    symbols = np.where(np.isnan(values), "x", np.where(is_above, "triangle-up", "triangle-down"))
    beyond = np.where(is_above, theme.over, theme.under)
    colours = np.where(np.isfinite(values), beyond, theme.missing)
    return [
        {
            "type": "scatter",
            "name": f"{panel.name}: marks",
            "mode": "markers",
            "x": cols,
            "y": rows,
            **_axes_of(panel),
            "marker": {"symbol": symbols.tolist(), "size": 5, "color": colours.tolist()},
            "hoverinfo": "skip",
        }
    ]


def axes(
    canvas: Canvas, box: Box, axis_number: int, shape: tuple[int, ...], colour: str
) -> dict[str, Any]:
    """Return the two axes of a panel: rows and columns of x, framed in a colour.

    Axes after the first match it, so that all panels show the same pixels.
    """
    left, top = on_paper(canvas, (box.left, box.top))
    right, bottom = on_paper(canvas, (box.right, box.bottom))
    frame = {"linewidth": 2, "linecolor": colour}
    matches_x, matches_y = ({"matches": "x"}, {"matches": "y"}) if axis_number > 1 else ({}, {})
    return {
        f"xaxis{axis_number}": {
            **frame,
            **matches_x,
            "domain": [left, right],
            "anchor": f"y{axis_number}",
            "range": [-0.5, shape[1] - 0.5],
        },
        f"yaxis{axis_number}": {
            **frame,
            **matches_y,
            "domain": [bottom, top],
            "anchor": f"x{axis_number}",
            "range": [shape[0] - 0.5, -0.5],
        },
    }


def _axes_of(panel: StagePanel) -> dict[str, str]:
    return {"xaxis": f"x{panel.axis_number}", "yaxis": f"y{panel.axis_number}"}


def _position(panel: StagePanel) -> dict[str, Any]:
    """Return a panel's axes, and where its cells lie on them."""
    view = panel.view
    return {
        **_axes_of(panel),
        "x0": view.left,
        "dx": view.pitch,
        "y0": view.top,
        "dy": view.pitch,
    }
