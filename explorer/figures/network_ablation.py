"""Test accuracy of trained networks after blocks are deleted or swapped."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.figures.charts import (
    ACCURACY_AXIS,
    Chart,
    axes,
    block_axis,
    networks,
    pale,
    two_layouts,
)
from explorer.figures.theme import ThemeName, theme_of
from explorer.figures.two_layouts import ArrangementName, TwoLayouts
from explorer.records import NetworkAblation

SHIFT = 0.015  # of draws to the side of their number of blocks, as a fraction of the axis


def network_ablation_figure(
    found: dict[str, NetworkAblation],
    *,
    theme: ThemeName = "light",
    arrangement: ArrangementName = "wide",
) -> go.Figure:
    """Draw the test accuracy by deleted block, by swapped pair and by number of deleted blocks.

    The third panel is that of Veit et al. 2016, Fig. 5a: every draw and their mean.

    Args:
        found: one or two networks by label, the residual one first.
        theme: "light" or "dark".
        arrangement: "wide" or "narrow".

    Raises:
        InputError: an argument is none of these.
    """
    return network_ablation_layouts(found, theme=theme).figure(arrangement)


def network_ablation_layouts(found: dict[str, NetworkAblation], *, theme: ThemeName) -> TwoLayouts:
    """Return the figure of `network_ablation_figure` in both layouts."""
    palette = theme_of(theme)
    drawn = networks(found, NetworkAblation, palette)
    blocks = max(record.deleted.size for record in found.values())
    counts = max(int(record.counts.max(initial=0)) for record in found.values())
    draws = max(record.random.shape[-1] for record in found.values())
    ends = (blocks, blocks - 1, counts)
    data = [
        _intact(label, record.intact, colour, max(end, 1), number)
        for number, end in enumerate(ends, start=1)
        for label, record, colour in drawn
    ]
    for label, record, colour in drawn:
        data += [
            _accuracies(label, "deleted", "without block %{x}", record.deleted, colour, 1),
            _accuracies(label, "swapped", "block %{x} after the next", record.swapped, colour, 2),
        ]
    # The draws of two networks stand side by side, and behind the lines.
    data += [
        _draws(label, record, colour, SHIFT * max(counts, 8) * (2 * index + 1 - len(drawn)))
        for index, (label, record, colour) in enumerate(drawn)
    ]
    data += [_mean(label, record, colour) for label, record, colour in drawn]
    pairs = block_axis(blocks - 1) | {"title": {"text": "first block of the pair"}}
    numbers = block_axis(counts) | {"title": {"text": "blocks deleted"}}
    charts = [
        Chart("<b>one block deleted</b><br>test accuracy", block_axis(blocks), ACCURACY_AXIS),
        Chart("<b>two neighbours swapped</b><br>test accuracy", pairs, ACCURACY_AXIS),
        Chart(
            f"<b>random blocks deleted</b><br>mean test accuracy; dots: {draws} draws each",
            numbers,
            ACCURACY_AXIS,
        ),
    ]
    legend = {label: colour for label, _, colour in drawn}
    return two_layouts(data, charts, legend, palette, "Dashed: the intact network.")


def _intact(label: str, accuracy: float, colour: str, end: int, number: int) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"{label}: intact",
        "x": [0.4, end + 0.6],
        "y": [accuracy, accuracy],
        "line": {"color": colour, "width": 1.5, "dash": "dash"},
        "hovertemplate": f"{label}, intact: test accuracy %{{y:.1%}}<extra></extra>",
        **axes(number),
    }


def _accuracies(
    label: str, change: str, what: str, values: np.ndarray, colour: str, number: int
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": f"{label}: {change}",
        "x": np.arange(1, values.size + 1),
        "y": values,
        "line": {"color": colour, "width": 2},
        "marker": {"size": 6},
        "hovertemplate": f"{label}, {what}: test accuracy %{{y:.1%}}<extra></extra>",
        **axes(number),
    }


def _draws(label: str, record: NetworkAblation, colour: str, shift: float) -> dict[str, Any]:
    draws = record.random.shape[-1]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{label}: random, every draw",
        "x": np.repeat(record.counts + shift, draws),
        "y": record.random.ravel(),
        "customdata": np.repeat(record.counts, draws),
        "marker": {"color": pale(colour, 0.35), "size": 5},
        "hovertemplate": f"{label}, one draw of %{{customdata}} blocks deleted: "
        "test accuracy %{y:.1%}<extra></extra>",
        **axes(3),
    }


def _mean(label: str, record: NetworkAblation, colour: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": f"{label}: random, mean",
        "x": record.counts,
        "y": record.mean,
        "line": {"color": colour, "width": 2},
        "marker": {"size": 6},
        "hovertemplate": f"{label}, %{{x}} random blocks deleted: mean test accuracy %{{y:.1%}}"
        "<extra></extra>",
        **axes(3),
    }
