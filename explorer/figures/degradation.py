"""Final training loss against depth: the degradation of deep plain networks."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer.errors import InputError
from explorer.figures.charts import (
    LOSS_DECADES,
    Chart,
    axes,
    logarithmic_axis,
    networks,
    two_layouts,
)
from explorer.figures.theme import ThemeName, theme_of
from explorer.figures.two_layouts import ArrangementName, TwoLayouts


@dataclass(frozen=True)
class DepthSweep:
    """Networks of several depths, trained alike.

    Attributes:
        blocks: number of blocks of every network.
        loss: final training loss of every network; None where it is not trained yet.
    """

    blocks: tuple[int, ...]
    loss: tuple[float | None, ...]

    def __post_init__(self) -> None:
        if len(self.blocks) != len(self.loss):
            raise InputError(
                f"loss must have a value or None for each of the {len(self.blocks)} depths, got "
                f"{len(self.loss)}."
            )


def degradation_figure(
    found: dict[str, DepthSweep],
    *,
    theme: ThemeName = "light",
    arrangement: ArrangementName = "wide",
) -> go.Figure:
    """Draw the final training loss against the number of blocks, as far as it is known.

    The axis also counts layers with weights: stem, head and two per block (He et al. 2015,
    Sec. 4.2; the figure is their Fig. 1 and 4, at the end of the training).

    Args:
        found: one or two networks by label, the residual one first.
        theme: "light" or "dark".
        arrangement: "wide" or "narrow".

    Raises:
        InputError: an argument is none of these.
    """
    return degradation_layouts(found, theme=theme).figure(arrangement)


def degradation_layouts(found: dict[str, DepthSweep], *, theme: ThemeName) -> TwoLayouts:
    """Return the figure of `degradation_figure` in both layouts."""
    palette = theme_of(theme)
    drawn = networks(found, DepthSweep, palette)
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": label,
            "x": sweep.blocks,
            "y": sweep.loss,
            "customdata": [_layers(blocks) for blocks in sweep.blocks],
            "connectgaps": True,
            "line": {"color": colour, "width": 2.5},
            "marker": {"size": 9},
            "hovertemplate": f"{label}, %{{x}} blocks (%{{customdata}} layers): "
            "final training loss %{y:.4f}<extra></extra>",
            **axes(1),
        }
        for label, sweep, colour in drawn
    ]
    depths = sorted({blocks for _, sweep, _ in drawn for blocks in sweep.blocks})
    known = [loss for _, sweep, _ in drawn for loss in sweep.loss if loss is not None]
    x = {
        "range": [0, max(depths, default=1) * 1.08],
        "tickvals": depths,
        "ticktext": [f"{blocks}<br>({_layers(blocks)})" for blocks in depths],
        "title": {"text": "blocks (layers)"},
    }
    y = logarithmic_axis(np.array(known), *LOSS_DECADES)
    chart = Chart("<b>final training loss</b><br>by depth", x, y)
    return two_layouts(data, [chart], {label: c for label, _, c in drawn}, palette)


def _layers(blocks: int) -> int:
    return 2 * blocks + 2
