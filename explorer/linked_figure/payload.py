"""The message to a linked figure: links between panels, and figures as strict JSON.

payload.d.ts holds the same types for the browser.
"""

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go


@dataclass(frozen=True)
class PanelPixel:
    """A pixel of a panel, rows and columns from 0."""

    panel: str
    row: int
    col: int

    @property
    def text(self) -> str:
        """The pixel as the browser reports it."""
        return f"{self.panel},{self.row},{self.col}"


@dataclass(frozen=True)
class ValueTerm:
    """The value of a panel, after a text; `colour` None is the page's text colour."""

    panel: str
    text: str
    colour: str | None = None
    kind: Literal["value"] = field(default="value", init=False)


@dataclass(frozen=True)
class TextTerm:
    """A text between values, such as a sign."""

    text: str
    kind: Literal["text"] = field(default="text", init=False)


@dataclass(frozen=True)
class LargerTerm:
    """The text of the panel whose value is larger in magnitude; none where both are 0."""

    panels: tuple[str, str]
    texts: tuple[str, str]
    kind: Literal["larger"] = field(default="larger", init=False)


@dataclass(frozen=True)
class NegativeTerm:
    """A text that is shown where the value of a panel is negative."""

    panel: str
    text: str
    kind: Literal["negative"] = field(default="negative", init=False)


@dataclass(frozen=True)
class SignsTerm:
    """A text by the signs of two panels' values; none where one is 0 or not finite.

    The texts are for both positive, the first alone, the second alone, and neither.
    """

    panels: tuple[str, str]
    texts: tuple[str, str, str, str]
    kind: Literal["signs"] = field(default="signs", init=False)


@dataclass(frozen=True)
class RoundedTerm:
    """A text that is shown where the values of panels, as printed, do not add up to a total."""

    panels: tuple[str, ...]
    total: str
    text: str
    kind: Literal["rounded"] = field(default="rounded", init=False)


Term = ValueTerm | TextTerm | LargerTerm | NegativeTerm | SignsTerm | RoundedTerm
Line = tuple[Term, ...]


@dataclass(frozen=True)
class PinLink:
    """Panels of the same pixels, of which the user pins one.

    Attributes:
        panels: names of the heatmap traces that are panels, in reading order.
        label: what the figure is, for screen readers.
        rows, cols: pixels of every panel.
        title: what changes from message to message; announced to screen readers.
        hint: what the readout says while no pixel is pointed at or pinned.
        touch_hint: the same for a screen without a mouse, if it has other words.
        readout: lines of terms under the figure.
        readouts: by panel, the lines in its place while the pixel is one of that panel.
        fields: for a panel, the panels that fed it, and how far its window there extends before
            and after the pixel.
        grids: for a panel, the offset and stride of its pixels: pixel n is centred on
            offset + stride · n.
        cells: rows and columns to be marked in every panel.
        pin: the pinned pixel.
        acked_pin: the pin as the browser last reported it.
        exact: the pinned pixel's values by panel, where the panels show means over blocks.
        window: the rows and columns in view as the browser last reported them, empty for
            all; None where they need not be reported.
    """

    panels: tuple[str, ...]
    label: str
    rows: int
    cols: int
    title: str = ""
    hint: str = ""
    touch_hint: str = ""
    readout: tuple[Line, ...] = ()
    readouts: dict[str, tuple[Line, ...]] = field(default_factory=dict)
    fields: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    grids: dict[str, tuple[int, int]] = field(default_factory=dict)
    cells: tuple[tuple[int, int], ...] = ()
    pin: PanelPixel | None = None
    acked_pin: str | None = None
    exact: dict[str, float] | None = None
    window: str | None = None
    mode: Literal["pin"] = field(default="pin", init=False)


@dataclass(frozen=True)
class PickLink:
    """Panels of the same cells, of which a click picks one.

    Attributes:
        panels, label, rows, cols, hint, touch_hint: as in `PinLink`.
        labels: the readout of each cell, row by row.
        picked: the cell that is marked while the pointer is elsewhere.
        curves: for a panel that is a chart, its scatter traces: each is a row, and its points are
            the columns. Such a panel is not zoomed.
        point_labels: for such a panel, the readout of each point.
    """

    panels: tuple[str, ...]
    label: str
    rows: int
    cols: int
    hint: str
    labels: tuple[str, ...] = ()
    touch_hint: str = ""
    picked: PanelPixel | None = None
    curves: dict[str, tuple[str, ...]] = field(default_factory=dict)
    point_labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    mode: Literal["pick"] = field(default="pick", init=False)


@dataclass(frozen=True)
class BoxLink:
    """Panels in which dragging draws a box.

    Attributes:
        panels, label: as in `PinLink`.
        box: the box in axis units as left, right, low, high; None for none.
    """

    panels: tuple[str, ...]
    label: str
    box: tuple[float, float, float, float] | None = None
    mode: Literal["box"] = field(default="box", init=False)


Link = PinLink | PickLink | BoxLink


@dataclass(frozen=True)
class View:
    """What a figure shows of its arrays.

    Attributes:
        subject: identifies the arrays and all else that the figure's views have in common.
        channel: 0 … channels − 1, or None for the mean over channels.
        channels: how many there are.
        scope: which maps share a colour limit.
    """

    subject: str
    channel: int | None
    channels: int
    scope: str


def revision(link: Link | None, digest: str) -> str:
    """Return the revision of a figure's axes: Plotly keeps a zoom while this stays the same.

    Linked panels of one kind with the same rows and columns have the same axes, whatever they
    show; any other figure has its own. `digest` identifies the figure.
    """
    if isinstance(link, PinLink) or (isinstance(link, PickLink) and not link.curves):
        return f"{link.mode} {link.rows}×{link.cols}"
    return digest


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
