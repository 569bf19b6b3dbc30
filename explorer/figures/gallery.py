"""The gallery: one sheet of tiles a stage, a tile a channel."""

from typing import Any, Literal

import plotly.graph_objects as go

from explorer.analysis.colour_limits import Scope, colour_limits, stage_maps
from explorer.analysis.gallery import Gallery
from explorer.figures.sheet import base_layout, cell, hidden_axis, sheet_height, text
from explorer.figures.theme import BEYOND, THEMES, TITLE_SIZE, ThemeName, diverging_scale
from explorer.records import BlockTrace

COLUMNS = {"wide": 4, "narrow": 2}


def gallery_figure(
    trace: BlockTrace,
    tiles: Gallery,
    *,
    scope: Scope = "block",
    theme: ThemeName = "light",
    arrangement: Literal["wide", "narrow"] = "wide",
) -> go.Figure:
    """Draws a gallery. Axes count tiles from 0, so that tile (r, c) is centred near (c, r).

    The scope "map" would give every tile a scale of its own, which one sheet cannot
    show; it counts as "stage" here.
    """
    return go.Figure(gallery_spec(trace, tiles, scope=scope, theme=theme, arrangement=arrangement))


def gallery_spec(
    trace: BlockTrace,
    tiles: Gallery,
    *,
    scope: Scope,
    theme: ThemeName,
    arrangement: Literal["wide", "narrow"],
) -> dict[str, Any]:
    """The gallery as plain `data` and `layout`, which the page sends unchecked, as it does
    with the stage figure: it is made again at every change of channel."""
    palette = THEMES[theme]
    limits = colour_limits([trace], [stage_maps(trace, 0)], "stage" if scope == "map" else scope, 0)
    columns = COLUMNS[arrangement]
    rows = -(-len(tiles.sheets) // columns)
    height_x, width_x = tiles.tiles["x"]
    aspect = tiles.rows * (height_x + 1) / (tiles.cols * (width_x + 1))
    width = 280 * columns
    layout = base_layout(palette, width, sheet_height(width, columns, rows, aspect))
    data: list[dict[str, Any]] = []
    for number, (stage, sheet) in enumerate(tiles.sheets.items(), start=1):
        limit = limits[stage] * (1 + BEYOND)
        pitch_y, pitch_x = (1 / (side + 1) for side in tiles.tiles[stage])
        data.append(
            {
                "type": "heatmap",
                "name": stage,
                "z": sheet,
                "x0": -0.5 + pitch_x / 2,
                "dx": pitch_x,
                "y0": -0.5 + pitch_y / 2,
                "dy": pitch_y,
                "zmin": -limit,
                "zmax": limit,
                "colorscale": diverging_scale(palette),
                "showscale": False,
                "hoverinfo": "skip",
                "xaxis": f"x{number}",
                "yaxis": f"y{number}",
            }
        )
        x, y = cell(number - 1, columns, rows)
        linked = ({"matches": "x"}, {"matches": "y"}) if number > 1 else ({}, {})
        layout[f"xaxis{number}"] = hidden_axis(
            domain=x, anchor=f"y{number}", range=[-0.5, tiles.cols - 0.5], **linked[0]
        )
        layout[f"yaxis{number}"] = hidden_axis(
            domain=y, anchor=f"x{number}", range=[tiles.rows - 0.5, -0.5], **linked[1]
        )
        means = f", means of {tiles.step}×{tiles.step}" if tiles.step > 1 else ""
        layout["annotations"].append(
            text(x[0], y[1], f"<b>{stage}</b>{means}", font={"size": TITLE_SIZE}, yshift=2)
        )
    return {"data": data, "layout": layout}
