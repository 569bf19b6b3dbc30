"""Histograms of every stage, with mean, standard deviation and zeroed fraction."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.analysis.distributions import Distribution
from explorer.errors import check_dict
from explorer.figures.sheet import base_layout, cell, text
from explorer.figures.theme import NOTE_SIZE, Theme, ThemeName, theme_of
from explorer.figures.two_layouts import ArrangementName, TwoLayouts

COLOURS = {"x": "identity", "add": "trunk", "out": "trunk"}


def distributions_figure(
    found: dict[str, Distribution],
    *,
    theme: ThemeName = "light",
    arrangement: ArrangementName = "wide",
) -> go.Figure:
    """Draw one histogram per stage, all with the same horizontal axis."""
    return distributions_layouts(found, theme=theme).figure(arrangement)


def distributions_layouts(found: dict[str, Distribution], *, theme: ThemeName) -> TwoLayouts:
    """Return the figure of `distributions_figure` in both layouts."""
    palette = theme_of(theme)
    check_dict("found", found, Distribution)
    data = [
        {
            "type": "bar",
            "name": stage,
            "x": (each.edges[:-1] + each.edges[1:]) / 2,
            "y": each.counts,
            "width": np.diff(each.edges),
            "marker": {"color": getattr(palette, COLOURS.get(stage, "branch"))},
            "hoverinfo": "skip",
            "xaxis": f"x{axis_number}",
            "yaxis": f"y{axis_number}",
        }
        for axis_number, (stage, each) in enumerate(found.items(), start=1)
    ]
    return TwoLayouts(data, _layout(found, palette, 4), _layout(found, palette, 2))


def _layout(found: dict[str, Distribution], theme: Theme, columns: int) -> dict[str, Any]:
    rows = -(-len(found) // columns)
    layout = base_layout(theme, 280 * columns, 240 * rows)
    layout["margin"] |= {"t": 36, "b": 20}  # two lines above the first row
    low = min(float(each.edges[0]) for each in found.values())
    high = max(float(each.edges[-1]) for each in found.values())
    for index, (stage, each) in enumerate(found.items()):
        axis_number = index + 1
        x, y = cell(index, columns, rows, gap=0.04)
        layout[f"xaxis{axis_number}"] = {
            "domain": x,
            "anchor": f"y{axis_number}",
            "range": [low, high],
            "zeroline": False,
            "nticks": 5,
            "tickfont": {"size": NOTE_SIZE},
        }
        layout[f"yaxis{axis_number}"] = {
            "domain": [y[0] + 0.05, y[1] - 0.06],
            "anchor": f"x{axis_number}",
            "showticklabels": False,
            "showgrid": False,
            "zeroline": False,
        }
        zeroed = f" {each.zeroed:.0%} zeroed" if each.zeroed > 0 else ""
        mean, std = (_three_digits(value) for value in (each.mean, each.std))
        words = f"<b>{stage}</b>{zeroed}<br>mean {mean} · std {std}".replace("-", "−")
        layout["annotations"].append(
            text(x[0], y[1] - 0.05, words, align="left", font={"size": NOTE_SIZE})
        )
    return layout


def _three_digits(value: float) -> str:
    """Return a value in three decimal places, or in four significant digits if it is large."""
    if not np.isfinite(value):
        return "–"
    if abs(value) >= 1e6:
        return f"{value:.4g}"
    return f"{round(value, 3) + 0.0:.3f}"  # no "-0.000"
