"""The effective receptive field of one pixel of out, with the shortcut and without it."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.analysis.downsampling import block_means, whole
from explorer.analysis.receptive_field import Influence
from explorer.errors import check_dict
from explorer.figures.sheet import base_layout, cell, sheet_height, text
from explorer.figures.template import map_template
from explorer.figures.theme import NOTE_SIZE, Theme, ThemeName, theme_of
from explorer.figures.two_layouts import ArrangementName, TwoLayouts

DECADES = 6  # of the colour scale
SECOND_LINE = 0.07  # of a row's height


def influence_figure(
    found: dict[str, Influence],
    *,
    theme: ThemeName = "light",
    arrangement: ArrangementName = "wide",
) -> go.Figure:
    """Draw one map per block: log10 of the influence relative to the largest of all maps.

    `found` maps titles to influences. The frame is the theoretical receptive field.
    """
    return influence_layouts(found, theme=theme).figure(arrangement)


def influence_layouts(found: dict[str, Influence], *, theme: ThemeName) -> TwoLayouts:
    """Return the figure of `influence_figure` in both layouts."""
    palette = theme_of(theme)
    check_dict("found", found, Influence)
    largest = max(float(each.values.max()) for each in found.values()) or 1.0
    data: list[dict[str, Any]] = []
    for axis_number, (title, each) in enumerate(found.items(), start=1):
        step = whole(each.values.shape).step
        with np.errstate(divide="ignore"):
            z = np.maximum(np.log10(block_means(each.values, step) / largest), -DECADES)
        data.append(
            {
                "type": "heatmap",
                "name": title,
                "z": z,
                "x0": (step - 1) / 2,
                "dx": step,
                "y0": (step - 1) / 2,
                "dy": step,
                "coloraxis": "coloraxis",
                "hoverinfo": "skip",
                "xaxis": f"x{axis_number}",
                "yaxis": f"y{axis_number}",
            }
        )
    return TwoLayouts(
        data, _layout(found, palette, is_wide=True), _layout(found, palette, is_wide=False)
    )


def _layout(found: dict[str, Influence], theme: Theme, *, is_wide: bool) -> dict[str, Any]:
    columns = 3 if is_wide else 2
    rows, width = -(-len(found) // columns), 330 * columns
    shape = next(iter(found.values())).values.shape
    height = sheet_height(width, columns, rows, shape[0] / shape[1]) + 50
    layout = base_layout(theme, width, height, template=map_template(theme))
    layout["margin"]["b"] = 58
    for index, (title, each) in enumerate(found.items()):
        axis_number = index + 1
        x, y = cell(index, columns, rows)
        if not is_wide:
            y[1] -= SECOND_LINE / rows
        layout[f"xaxis{axis_number}"] = {
            "domain": x,
            "anchor": f"y{axis_number}",
            "range": [-0.5, shape[1] - 0.5],
            "constrain": "domain",
        }
        layout[f"yaxis{axis_number}"] = {
            "domain": y,
            "anchor": f"x{axis_number}",
            "range": [shape[0] - 0.5, -0.5],
            "scaleanchor": f"x{axis_number}",  # cells stay square in a zoom
            "constrain": "domain",
        }
        layout["shapes"].append(_receptive_field(each, axis_number, shape, theme))
        part = "no influence" if np.isnan(each.outside) else f"{each.outside:.1%} outside the frame"
        layout["annotations"].append(
            text(
                x[0],
                y[1],
                f"<b>{title}</b>{': ' if is_wide else '<br>'}{part}",
                align="left",
                font={"size": NOTE_SIZE + 1},
                yshift=3,
            )
        )
    layout["coloraxis"] = {
        "cmin": -DECADES,
        "cmax": 0,
        "colorscale": [(0, theme.page), (0.5, theme.muted), (1, theme.text)],
        "colorbar": {
            "y": 0,
            "yanchor": "top",
            "ypad": 14,
            "x": 0,
            "len": 0.4,
            "thickness": 10,
            "tickvals": [-6, -4, -2, 0],
            "ticktext": ["≤ 10⁻⁶", "10⁻⁴", "10⁻²", "largest"],
        },
    }
    return layout


def _receptive_field(
    found: Influence, axis_number: int, shape: tuple[int, ...], theme: Theme
) -> dict[str, Any]:
    """Return the frame of the theoretical receptive field."""
    return {
        "type": "rect",
        "x0": max(found.col - found.radius, 0) - 0.5,
        "x1": min(found.col + found.radius, shape[1] - 1) + 0.5,
        "y0": max(found.row - found.radius, 0) - 0.5,
        "y1": min(found.row + found.radius, shape[0] - 1) + 0.5,
        "xref": f"x{axis_number}",
        "yref": f"y{axis_number}",
        "line": {"color": theme.accent, "width": 2},
    }
