"""Which term dominates at the sum: the identity against F(x), as two maps."""

from typing import Literal

import numpy as np
import plotly.graph_objects as go

from explorer.analysis.downsampling import Window, block_means, whole
from explorer.analysis.sum_comparison import SumComparison
from explorer.figures.sheet import base_layout, cell, hidden_axis, sheet_height, text
from explorer.figures.theme import NOTE_SIZE, THEMES, Theme, ThemeName


def sum_comparison_figure(
    comparison: SumComparison,
    *,
    theme: ThemeName = "light",
    arrangement: Literal["wide", "narrow"] = "wide",
) -> go.Figure:
    """Draw two maps: the identity's part of |x| + |F(x)|, and the category of each cell."""
    palette = THEMES[theme]
    shape = comparison.identity.shape
    columns = {"wide": 2, "narrow": 1}[arrangement]
    rows, width = 2 // columns, 420 * columns
    height = sheet_height(width, columns, rows, shape[0] / shape[1])
    layout = base_layout(palette, width, height)
    window = whole(shape)
    parts = [
        (
            "identity's part",
            block_means(comparison.identity_part, window.step),
            _part_scale(palette),
            1,
        ),
        ("category", _most_frequent(comparison.category, window), _category_scale(palette), 3),
    ]
    titles = [
        "<b>which term dominates: |x| / (|x| + |F(x)|)</b> "
        f"<span style='color:{palette.identity}'>x</span>, "
        f"<span style='color:{palette.branch}'>F(x)</span>",
        " · ".join(
            f"<span style='color:{colour}'>■</span> {name} {count / comparison.identity.size:.0%}"
            for name, colour, count in zip(
                comparison.categories, category_colours(palette), comparison.counts, strict=True
            )
        ),
    ]
    data = []
    for index, ((name, z, scale, top), title) in enumerate(zip(parts, titles, strict=True)):
        axis = index + 1
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
                "xaxis": f"x{axis}",
                "yaxis": f"y{axis}",
            }
        )
        x, y = cell(index, columns, rows)
        frame = {"showline": True, "mirror": True, "linecolor": palette.muted, "linewidth": 1}
        linked = ({"matches": "x"}, {"matches": "y"}) if index else ({}, {})
        layout[f"xaxis{axis}"] = hidden_axis(
            domain=x, anchor=f"y{axis}", range=[-0.5, shape[1] - 0.5], **frame, **linked[0]
        )
        layout[f"yaxis{axis}"] = hidden_axis(
            domain=y, anchor=f"x{axis}", range=[shape[0] - 0.5, -0.5], **frame, **linked[1]
        )
        means = f" (means of {window.step}×{window.step})" if window.step > 1 and not index else ""
        layout["annotations"].append(
            text(x[0], y[1], title + means, font={"size": NOTE_SIZE}, yshift=3)
        )
    return go.Figure({"data": data, "layout": layout})


def category_colours(theme: Theme) -> tuple[str, ...]:
    """Return a colour for each of the four categories."""
    return (theme.identity, theme.branch, theme.below[0], theme.zeroed)


def _category_scale(theme: Theme) -> list[tuple[float, str]]:
    colours = category_colours(theme)
    return [(edge / 4, colours[i]) for i in range(4) for edge in (i, i + 1)]


def _part_scale(theme: Theme) -> list[tuple[float, str]]:
    return [(0, theme.branch), (0.5, theme.zero), (1, theme.identity)]


def _most_frequent(codes: np.ndarray, window: Window) -> np.ndarray:
    shares = [block_means((codes == code).astype(np.float32), window.step) for code in range(4)]
    return np.argmax(shares, axis=0).astype(np.uint8)
