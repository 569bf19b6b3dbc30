"""Gradients along the paths through a residual stack, by their length."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.analysis.path_shares import path_shares
from explorer.errors import check_type
from explorer.figures.charts import Chart, axes, is_wide, logarithmic_axis_of, two_layouts
from explorer.figures.theme import ThemeName, theme_of
from explorer.figures.two_layouts import ArrangementName, TwoLayouts
from explorer.records import PathRecord

TITLES = {
    "paths": "fraction of all 2ⁿ: C(n, k) / 2ⁿ",
    "one path": "mean ‖gradient‖ ± standard error",
    "all paths of a length": "mean × number of paths, fraction of the total",
}


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
    charts: list[Chart] = []
    for number, (name, values, error, colour) in enumerate(panels, start=1):
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
                "hovertemplate": "length %{x}: %{y:.3g}<extra></extra>",
                **axes(number),
                **bars,
            }
        )
        x = {"title": {"text": "blocks in which the path goes through F"}, "nticks": 6}
        is_logarithmic = name == "one path" and is_wide(values)
        y = logarithmic_axis_of(values) if is_logarithmic else {"nticks": 6}
        charts.append(Chart(f"<b>{name}</b><br>{TITLES[name]}", x, y))
    return two_layouts(data, charts, {}, palette)
