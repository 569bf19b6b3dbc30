"""Which term dominates at the sum: the identity against F(x), as two maps."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.analysis.downsampling import Window, block_means, whole
from explorer.analysis.sum_comparison import SumComparison
from explorer.errors import check_type
from explorer.figures.printed import ROUNDED, adds_up
from explorer.figures.sheet import base_layout, cell, hidden_axis, sheet_height, text
from explorer.figures.theme import NOTE_SIZE, Theme, ThemeName, theme_of
from explorer.figures.two_layouts import ArrangementName, TwoLayouts


def sum_comparison_figure(
    comparison: SumComparison,
    *,
    theme: ThemeName = "light",
    arrangement: ArrangementName = "wide",
) -> go.Figure:
    """Draw two maps: the identity's part of |x| + |F(x)|, and the category of each cell."""
    return sum_comparison_layouts(comparison, theme=theme).figure(arrangement)


def sum_comparison_layouts(comparison: SumComparison, *, theme: ThemeName) -> TwoLayouts:
    """Return the figure of `sum_comparison_figure` in both layouts."""
    palette = theme_of(theme)
    check_type("comparison", comparison, SumComparison)
    window = whole(comparison.identity.shape)
    part = block_means(comparison.identity_part, window.step)
    category = _most_frequent(comparison.category, window)
    maps = [
        ("identity's part", part, _part_scale(palette), 1),
        ("category", category, _category_scale(palette), 3),
    ]
    data = [
        {
            "type": "heatmap",
            "name": name,
            "z": z,
            "x0": (window.step - 1) / 2,
            "dx": window.step,
            "y0": (window.step - 1) / 2,
            "dy": window.step,
            "zmin": 0,
            "zmax": largest,
            "colorscale": scale,
            "showscale": False,
            "hoverinfo": "skip",
            "xaxis": f"x{axis_number}",
            "yaxis": f"y{axis_number}",
        }
        for axis_number, (name, z, scale, largest) in enumerate(maps, start=1)
    ]
    return TwoLayouts(
        data,
        _layout(comparison, palette, window.step, columns=2),
        _layout(comparison, palette, window.step, columns=1),
    )


def _layout(
    comparison: SumComparison, palette: Theme, step: int, *, columns: int
) -> dict[str, Any]:
    rows, cols = comparison.identity.shape
    width = 420 * columns
    height = sheet_height(width, columns, 2 // columns, rows / cols)
    layout = base_layout(palette, width, height)
    for index, title in enumerate(_titles(comparison, palette, step)):
        axis_number = index + 1
        x, y = cell(index, columns, 2 // columns)
        frame = {"showline": True, "mirror": True, "linecolor": palette.muted, "linewidth": 1}
        frame["constrain"] = "domain"
        # Cells stay square in a zoom.
        matches_x, matches_y = (
            ({"matches": "x"}, {"matches": "y"}) if index else ({}, {"scaleanchor": "x"})
        )
        layout[f"xaxis{axis_number}"] = hidden_axis(
            domain=x, anchor=f"y{axis_number}", range=[-0.5, cols - 0.5], **frame, **matches_x
        )
        layout[f"yaxis{axis_number}"] = hidden_axis(
            domain=y, anchor=f"x{axis_number}", range=[rows - 0.5, -0.5], **frame, **matches_y
        )
        layout["annotations"].append(
            text(x[0], y[1], title, align="left", font={"size": NOTE_SIZE}, yshift=3)
        )
    return layout


def _titles(comparison: SumComparison, palette: Theme, step: int) -> tuple[str, str]:
    means = f" (means of {step}×{step})" if step > 1 else ""
    percents = [f"{100 * count / comparison.identity.size:.0f}" for count in comparison.counts]
    shares = [
        f"<span style='color:{colour}'>■</span> {name} {percent}%"
        for name, colour, percent in zip(
            comparison.categories, category_colours(palette), percents, strict=True
        )
    ]
    missing = comparison.identity.size - sum(comparison.counts)
    if missing:
        percents.append(f"{100 * missing / comparison.identity.size:.0f}")
        shares.append(f"NaN {percents[-1]}%")
    if not adds_up(percents, "100"):
        shares.append(ROUNDED)
    return (
        "<b>which term dominates: |x| / (|x| + |F(x)|)</b> "
        f"<span style='color:{palette.identity}'>x</span>, "
        f"<span style='color:{palette.branch}'>F(x)</span>{means}",
        f"{' · '.join(shares[:2])}<br>{' · '.join(shares[2:])}",
    )


def category_colours(theme: Theme) -> tuple[str, ...]:
    """Return a colour for each of the four categories."""
    return (theme.identity, theme.branch, theme.below[0], theme.zeroed)


def _category_scale(theme: Theme) -> list[tuple[float, str]]:
    colours = category_colours(theme)
    return [(edge / 4, colours[i]) for i in range(4) for edge in (i, i + 1)]


def _part_scale(theme: Theme) -> list[tuple[float, str]]:
    return [(0, theme.branch), (0.5, theme.zero), (1, theme.identity)]


def _most_frequent(codes: np.ndarray, window: Window) -> np.ndarray:
    """Return the most frequent category of each block; NaN for the one without a name."""
    shares = [block_means((codes == code).astype(np.float32), window.step) for code in range(5)]
    found = np.argmax(shares, axis=0)
    return np.where(found == 4, np.nan, found).astype(np.float32)
