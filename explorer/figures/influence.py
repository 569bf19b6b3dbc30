"""The effective receptive field of one pixel of out, with the shortcut and without it."""

from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from explorer.analysis.downsampling import block_means, whole
from explorer.analysis.receptive_field import Influence
from explorer.figures.sheet import base_layout, cell, hidden_axis, sheet_height, text
from explorer.figures.theme import NOTE_SIZE, THEMES, ThemeName

DECADES = 6  # of the scale


def influence_figure(
    found: dict[str, Influence],
    *,
    theme: ThemeName = "light",
    arrangement: Literal["wide", "narrow"] = "wide",
) -> go.Figure:
    """One map a block, by its title: log10 of the influence, relative to the largest of all.

    The frame is the theoretical receptive field.
    """
    palette = THEMES[theme]
    columns = {"wide": 3, "narrow": 2}[arrangement]
    rows, width = -(-len(found) // columns), 330 * columns
    shape = next(iter(found.values())).values.shape
    layout = base_layout(
        palette, width, sheet_height(width, columns, rows, shape[0] / shape[1]) + 50
    )
    layout["margin"]["b"] = 58
    window = whole(shape)
    largest = max(float(each.values.max()) for each in found.values()) or 1.0
    data: list[dict[str, Any]] = []
    for index, (title, each) in enumerate(found.items()):
        number = index + 1
        with np.errstate(divide="ignore"):
            z = np.maximum(np.log10(block_means(each.values, window.step) / largest), -DECADES)
        data.append(
            {
                "type": "heatmap",
                "name": title,
                "z": z,
                "x0": (window.step - 1) / 2,
                "dx": window.step,
                "y0": (window.step - 1) / 2,
                "dy": window.step,
                "coloraxis": "coloraxis",
                "hoverinfo": "skip",
                "xaxis": f"x{number}",
                "yaxis": f"y{number}",
            }
        )
        x, y = cell(index, columns, rows)
        frame = {"showline": True, "mirror": True, "linecolor": palette.muted, "linewidth": 1}
        layout[f"xaxis{number}"] = hidden_axis(
            domain=x, anchor=f"y{number}", range=[-0.5, shape[1] - 0.5], **frame
        )
        layout[f"yaxis{number}"] = hidden_axis(
            domain=y, anchor=f"x{number}", range=[shape[0] - 0.5, -0.5], **frame
        )
        layout["shapes"].append(
            {
                "type": "rect",
                "x0": max(each.col - each.radius, 0) - 0.5,
                "x1": min(each.col + each.radius, shape[1] - 1) + 0.5,
                "y0": max(each.row - each.radius, 0) - 0.5,
                "y1": min(each.row + each.radius, shape[0] - 1) + 0.5,
                "xref": f"x{number}",
                "yref": f"y{number}",
                "line": {"color": palette.accent, "width": 2},
            }
        )
        told = "nothing returns" if np.isnan(each.outside) else f"{each.outside:.1%} outside"
        layout["annotations"].append(
            text(x[0], y[1], f"<b>{title}</b>: {told}", font={"size": NOTE_SIZE + 1}, yshift=3)
        )
    scale = [(0, palette.page), (0.5, palette.branch), (1, palette.text)]
    layout["coloraxis"] = {
        "cmin": -DECADES,
        "cmax": 0,
        "colorscale": scale,
        "colorbar": {
            "orientation": "h",
            "y": 0,
            "yanchor": "top",
            "ypad": 14,
            "x": 0,
            "xanchor": "left",
            "len": 0.4,
            "thickness": 10,
            "outlinewidth": 0,
            "tickvals": [-6, -4, -2, 0],
            "ticktext": ["≤ 10⁻⁶", "10⁻⁴", "10⁻²", "largest"],
            "tickfont": {"size": NOTE_SIZE, "color": palette.muted},
        },
    }
    return go.Figure({"data": data, "layout": layout})
