"""The gallery: one sheet per stage with one tile per channel."""

from typing import Any, get_args

import plotly.graph_objects as go

from explorer.analysis.colour_limits import Scope, colour_limits, stage_maps
from explorer.analysis.gallery import Gallery
from explorer.errors import check_choice, check_type
from explorer.figures.sheet import base_layout, cell, sheet_height, text
from explorer.figures.template import map_template
from explorer.figures.theme import BEYOND, TITLE_SIZE, Theme, ThemeName, diverging_scale, theme_of
from explorer.figures.two_layouts import ArrangementName, TwoLayouts
from explorer.records import BlockTrace


def gallery_figure(
    trace: BlockTrace,
    tiles: Gallery,
    *,
    scope: Scope = "block",
    theme: ThemeName = "light",
    arrangement: ArrangementName = "wide",
) -> go.Figure:
    """Draw a gallery. Axes count tiles from 0: tile (r, c) is centred near (c, r).

    The scope "map" would need a colour scale per tile, which a sheet does not have; it is
    treated as "stage".
    """
    return gallery_layouts(trace, tiles, scope=scope, theme=theme).figure(arrangement)


def gallery_layouts(
    trace: BlockTrace, tiles: Gallery, *, scope: Scope, theme: ThemeName
) -> TwoLayouts:
    """Return the figure of `gallery_figure` in both layouts.

    The page sends it without Plotly's validation, like the stage figure, because it is
    built again at every change of channel.
    """
    palette = theme_of(theme)
    check_choice("scope", scope, get_args(Scope))
    check_type("tiles", tiles, Gallery)
    limits = colour_limits([trace], [stage_maps(trace, 0)], "stage" if scope == "map" else scope, 0)
    data: list[dict[str, Any]] = []
    for axis_number, (stage, sheet) in enumerate(tiles.sheets.items(), start=1):
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
                "xaxis": f"x{axis_number}",
                "yaxis": f"y{axis_number}",
            }
        )
    return TwoLayouts(data, _layout(tiles, palette, 4), _layout(tiles, palette, 2))


def _layout(tiles: Gallery, theme: Theme, columns: int) -> dict[str, Any]:
    rows, width = -(-len(tiles.sheets) // columns), 280 * columns
    height_x, width_x = tiles.tiles["x"]
    aspect = tiles.rows * (height_x + 1) / (tiles.cols * (width_x + 1))
    height = sheet_height(width, columns, rows, aspect)
    layout = base_layout(theme, width, height, template=map_template(theme))
    means = f", means of {tiles.step}×{tiles.step}" if tiles.step > 1 else ""
    for index, stage in enumerate(tiles.sheets):
        axis_number = index + 1
        x, y = cell(index, columns, rows)
        matches_x, matches_y = ({"matches": "x"}, {"matches": "y"}) if index else ({}, {})
        layout[f"xaxis{axis_number}"] = {
            "domain": x,
            "anchor": f"y{axis_number}",
            "range": [-0.5, tiles.cols - 0.5],
            "showline": False,
            **matches_x,
        }
        layout[f"yaxis{axis_number}"] = {
            "domain": y,
            "anchor": f"x{axis_number}",
            "range": [tiles.rows - 0.5, -0.5],
            "showline": False,
            **matches_y,
        }
        layout["annotations"].append(
            text(x[0], y[1], f"<b>{stage}</b>{means}", font={"size": TITLE_SIZE}, yshift=2)
        )
    return layout
