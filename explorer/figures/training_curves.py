"""Training loss and test accuracy of one or two networks over the steps of their training."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.figures.charts import (
    ACCURACY_AXIS,
    LOSS_DECADES,
    Chart,
    axes,
    logarithmic_axis,
    networks,
    pale,
    two_layouts,
)
from explorer.figures.theme import ThemeName, theme_of
from explorer.figures.two_layouts import ArrangementName, TwoLayouts

AROUND = 430  # pixels of the window that the wide figure leaves to what is above and below it
NEAR = 4  # steps before and after each that its mean is over


@dataclass(frozen=True, eq=False)
class TrainingCurve:
    """The numbers of a training, or of its part up to now.

    Attributes:
        history: float32 by name, of which "train loss" `(done,)` and "test accuracy", at
            `checked_at`, are drawn.
        checked_at: the steps after which the test accuracy was taken.
        steps: number of all steps; `done` is smaller while the training runs.
    """

    history: Mapping[str, np.ndarray]
    checked_at: np.ndarray
    steps: int


def training_curves_figure(
    found: dict[str, TrainingCurve],
    *,
    theme: ThemeName = "light",
    arrangement: ArrangementName = "wide",
) -> go.Figure:
    """Draw training loss and test accuracy over the steps.

    The axes do not depend on how many of the steps are done, unless a loss is below 0.001 or
    above 10.

    Args:
        found: one or two networks by label, the residual one first.
        theme: "light" or "dark".
        arrangement: "wide" or "narrow".

    Raises:
        InputError: an argument is none of these.
    """
    return training_curves_layouts(found, theme=theme).figure(arrangement)


def training_curves_layouts(found: dict[str, TrainingCurve], *, theme: ThemeName) -> TwoLayouts:
    """Return the figure of `training_curves_figure` in both layouts."""
    palette = theme_of(theme)
    drawn = networks(found, TrainingCurve, palette)
    # Each step's values first, so that they lie behind every line.
    data = [_every_step(label, curve, colour) for label, curve, colour in drawn]
    data += [_smoothed(label, curve, colour) for label, curve, colour in drawn]
    data += [_accuracy(label, curve, colour) for label, curve, colour in drawn]
    losses = np.concatenate([curve.history["train loss"] for curve in found.values()])
    steps = {"range": [0, max(curve.steps for curve in found.values())], "nticks": 7}
    steps |= {"title": {"text": "step"}}
    charts = [
        Chart(
            "<b>training loss</b><br>of each step's batch",
            steps,
            logarithmic_axis(losses, *LOSS_DECADES),
        ),
        Chart(
            "<b>test accuracy</b><br>fraction of test pictures classified correctly",
            {**steps, "matches": "x"},
            ACCURACY_AXIS,
        ),
    ]
    note = f"Training loss: pale, every step; line, the mean of the {2 * NEAR + 1} steps around it."
    legend = {label: colour for label, _, colour in drawn}
    return two_layouts(data, charts, legend, palette, note, around=AROUND)


def smoothed(values: np.ndarray) -> np.ndarray:
    """Return the mean of each value, the 4 before it and the 4 after it, as far as they exist."""
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    at = np.arange(values.size)
    starts, ends = np.maximum(at - NEAR, 0), np.minimum(at + NEAR + 1, values.size)
    return (sums[ends] - sums[starts]) / (ends - starts)


def _every_step(label: str, curve: TrainingCurve, colour: str) -> dict[str, Any]:
    loss = curve.history["train loss"]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"{label}: training loss of every step",
        "x": np.arange(1, loss.size + 1),
        "y": loss,
        "line": {"color": pale(colour, 0.45), "width": 1},
        "hoverinfo": "skip",
        **axes(1),
    }


def _smoothed(label: str, curve: TrainingCurve, colour: str) -> dict[str, Any]:
    loss = curve.history["train loss"]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"{label}: training loss",
        "x": np.arange(1, loss.size + 1),
        "y": smoothed(loss),
        "customdata": loss,
        "line": {"color": colour, "width": 2.5},
        "hovertemplate": f"{label}, step %{{x}}: training loss %{{customdata:.4f}}, "
        f"mean of the steps around it %{{y:.4f}}<extra></extra>",
        **axes(1),
    }


def _accuracy(label: str, curve: TrainingCurve, colour: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": f"{label}: test accuracy",
        "x": curve.checked_at,
        "y": curve.history["test accuracy"],
        "line": {"color": colour, "width": 2.5},
        "marker": {"size": 6},
        "cliponaxis": False,
        "hovertemplate": f"{label}, step %{{x}}: test accuracy %{{y:.1%}}<extra></extra>",
        **axes(2),
    }
