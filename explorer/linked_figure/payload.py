"""What Python sends to a linked figure: what belongs together, and figures as strict JSON."""

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import plotly.graph_objects as go


@dataclass(frozen=True)
class PanelPixel:
    """A pixel of a panel, rows and columns from 0."""

    panel: str
    row: int
    col: int


@dataclass(frozen=True)
class Link:
    """What links the panels of a figure.

    Attributes:
        panels: names of the heatmap traces that are panels, in reading order.
        rows, cols: pixels of every panel.
        label: what the figure is, for screen readers.
        fields: for a panel, the panels that fed it and the radius of its window there.
        grids: for a panel, where its pixels lie: pixel n is centred on offset + stride · n.
        readout: lines under the figure, each of terms. `{"panel", "text", "colour"}` shows
            a value, `{"text"}` a sign, `{"larger": [a, b], "say": [..]}` which of two
            is larger in size, `{"negative": a, "say": [..]}` words where a < 0.
        labels: in place of a readout, one text a pixel, row by row.
        hint: what the line says while there is no pixel to speak of.
        pin: the pixel that Python knows to be pinned.
        exact: its values by panel, exact where the panels themselves show means.
        cells: rows and columns to be marked in every panel.
        window: whether Python wants to know the rows and columns in view.
        view: the rows and columns in view as Python knows them, empty for all.
        picks: whether a click picks a cell, each time anew, instead of pinning it.
        title: what changes from picture to picture, spoken when it does.
        box: where dragging draws a box instead of zooming, the box in axis units as
            left, right, low, high, or empty.
        acked_pin: the pin as the browser last reported it.
    """

    panels: tuple[str, ...] = ()
    rows: int = 1
    cols: int = 1
    label: str = ""
    fields: dict[str, dict[str, int]] = field(default_factory=dict)
    grids: dict[str, tuple[int, int]] = field(default_factory=dict)
    readout: tuple[tuple[dict[str, Any], ...], ...] = ()
    labels: tuple[str, ...] | None = None
    hint: str = ""
    pin: PanelPixel | None = None
    exact: dict[str, float] | None = None
    cells: tuple[tuple[int, int], ...] = ()
    window: bool = False
    view: str = ""
    picks: bool = False
    title: str = ""
    box: tuple[float, ...] | None = None
    acked_pin: str | None = None


def as_json(part: go.Figure | go.Layout | Mapping[str, Any]) -> str:
    """Return strict JSON, without NaN and Infinity."""
    if isinstance(part, go.Figure):
        return str(part.to_json())
    if isinstance(part, go.Layout):
        part = part.to_plotly_json()
    return json.dumps(_finite(part), default=_typed_array, allow_nan=False)


def _finite(part: Any) -> Any:
    """Return `part` with None for NaN and ±Inf, which JSON does not have."""
    if isinstance(part, Mapping):
        return {name: _finite(value) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return [_finite(value) for value in part]
    return None if isinstance(part, float) and not math.isfinite(part) else part


def _typed_array(array: np.ndarray) -> dict[str, str] | list[Any]:
    """Return an array as plotly.js reads it: in base64, or as a list for other types."""
    if array.dtype not in (np.float32, np.float64, np.uint8):
        return list(array.tolist())
    shape = ", ".join(str(side) for side in array.shape)
    data = base64.b64encode(array.tobytes()).decode()
    return {"dtype": array.dtype.str[1:], "bdata": data, "shape": shape}
