"""The norm of the training loss's gradient by block, at one of the steps that were kept."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer.errors import check_integer
from explorer.figures.charts import (
    Chart,
    axes,
    block_axis,
    logarithmic_axis,
    networks,
    two_layouts,
)
from explorer.figures.theme import ThemeName, theme_of
from explorer.figures.two_layouts import ArrangementName, TwoLayouts

DECADES = (-2, 0)  # of the axis, at least


@dataclass(frozen=True, eq=False)
class BlockGradients:
    """Norms of a network's gradients by block during its training.

    Attributes:
        blocks: number of blocks.
        norms: ‖∂ loss / ∂ parameters of the block‖, `(blocks,)`, by the number of steps done.
    """

    blocks: int
    norms: Mapping[int, np.ndarray]


def block_gradients_figure(
    found: dict[str, BlockGradients],
    step: int,
    *,
    theme: ThemeName = "light",
    arrangement: ArrangementName = "wide",
) -> go.Figure:
    """Draw the gradient norm of every block at a step; the axes are the same at every step.

    Args:
        found: one or two networks by label, the residual one first; one that has no norms at
            the step is not drawn.
        step: number of steps done, ≥ 0.
        theme: "light" or "dark".
        arrangement: "wide" or "narrow".

    Raises:
        InputError: an argument is none of these.
    """
    return block_gradients_layouts(found, step, theme=theme).figure(arrangement)


def block_gradients_layouts(
    found: dict[str, BlockGradients], step: int, *, theme: ThemeName
) -> TwoLayouts:
    """Return the figure of `block_gradients_figure` in both layouts."""
    palette = theme_of(theme)
    drawn = networks(found, BlockGradients, palette)
    step = check_integer("step", step, 0, None)
    nothing = np.zeros(0, np.float32)
    data = []
    for label, record, colour in drawn:
        norms = record.norms.get(step, nothing)
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": label,
                "x": np.arange(1, norms.size + 1),
                "y": norms,
                "line": {"color": colour, "width": 1.5},
                "marker": {"size": 8},
                "hovertemplate": f"{label}, block %{{x}}: gradient norm %{{y:.3g}}<extra></extra>",
                **axes(1),
            }
        )
    every = [norms for record in found.values() for norms in record.norms.values()]
    chart = Chart(
        f"<b>gradient norm of the training loss</b><br>by block, after {step} "
        f"step{'' if step == 1 else 's'}",
        block_axis(max(record.blocks for record in found.values())),
        logarithmic_axis(np.concatenate([nothing, *every]), *DECADES),
    )
    return two_layouts(data, [chart], {label: c for label, _, c in drawn}, palette)
