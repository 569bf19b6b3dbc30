"""Histograms of every stage, with mean, spread and zeroed part."""

from typing import Literal

import numpy as np
import plotly.graph_objects as go

from explorer.analysis.distributions import Distribution
from explorer.figures.sheet import base_layout, cell, text
from explorer.figures.theme import NOTE_SIZE, THEMES, ThemeName

COLUMNS = {"wide": 4, "narrow": 2}
COLOURS = {"x": "identity", "add": "trunk", "out": "trunk"}


def distributions_figure(
    found: dict[str, Distribution],
    *,
    theme: ThemeName = "light",
    arrangement: Literal["wide", "narrow"] = "wide",
) -> go.Figure:
    """One histogram a stage, all on the same horizontal axis."""
    palette = THEMES[theme]
    columns = COLUMNS[arrangement]
    rows = -(-len(found) // columns)
    layout = base_layout(palette, 280 * columns, 240 * rows)
    layout["margin"]["b"] = 20
    low = min(float(d.edges[0]) for d in found.values())
    high = max(float(d.edges[-1]) for d in found.values())
    data = []
    for index, (stage, spread) in enumerate(found.items()):
        panel = index + 1
        data.append(
            {
                "type": "bar",
                "name": stage,
                "x": (spread.edges[:-1] + spread.edges[1:]) / 2,
                "y": spread.counts,
                "width": np.diff(spread.edges),
                "marker": {"color": getattr(palette, COLOURS.get(stage, "branch"))},
                "hoverinfo": "skip",
                "xaxis": f"x{panel}",
                "yaxis": f"y{panel}",
            }
        )
        x, y = cell(index, columns, rows, gap=0.04)
        layout[f"xaxis{panel}"] = {
            "domain": x,
            "anchor": f"y{panel}",
            "range": [low, high],
            "gridcolor": palette.zeroed,
            "griddash": "dot",
            "nticks": 5,
            "tickfont": {"size": NOTE_SIZE},
        }
        layout[f"yaxis{panel}"] = {
            "domain": [y[0] + 0.05, y[1] - 0.03],
            "anchor": f"x{panel}",
            "showticklabels": False,
            "showgrid": False,
        }
        zeroed = f" {spread.zeroed:.0%} zeroed" if spread.zeroed else ""
        mean = round(spread.mean, 3) + 0.0  # no "−0.000"
        words = f"<b>{stage}</b>{zeroed}<br>mean {mean:.3f} · std {spread.std:.3f}"
        layout["annotations"].append(
            text(x[0], y[1], words, align="left", font={"size": NOTE_SIZE})
        )
    return go.Figure({"data": data, "layout": layout})
