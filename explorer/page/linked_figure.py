"""A Plotly figure that stays alive: one DOM node, whatever Python sends next.

The browser's half is `linked_figure.js`. It knows panels, pixels, rows and
columns, and nothing of residual networks; `Link` tells it what belongs together.
"""

import base64
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explorer.figures.theme import THEMES, ThemeName
from explorer.page.assets import plotly_url

# What the browser may say, and as what; a hostile one may send anything.
_SAID = {"theme": str, "pin": str, "pick": str, "window": str, "box": list, "step": int}
_HERE = Path(__file__).parent
_HTML = """
<div class="linked-figure">
  <div class="linked-figure-plot"></div>
  <canvas></canvas>
  <div class="linked-figure-ledger" hidden></div>
  <div class="linked-figure-spoken" aria-live="polite"></div>
</div>
"""
_COMPONENT = st.components.v2.component(
    "linked_figure",
    html=_HTML,
    css=(_HERE / "linked_figure.css").read_text(encoding="utf-8"),
    js=(_HERE / "linked_figure.js").read_text(encoding="utf-8"),
    isolate_styles=False,  # Plotly puts its styles in the document's head
)


@dataclass(frozen=True)
class Place:
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
        fields: for a panel, the panels that fed it and the reach of its window there.
        grids: for a panel, where its pixels lie: pixel n is centred on offset + stride · n.
        ledger: lines under the figure, each of terms. `{"panel", "text", "colour"}` shows
            a value, `{"text"}` a sign, `{"larger": [a, b], "say": [..]}` which of two
            is larger in size, `{"negative": a, "say": [..]}` words where a < 0.
        labels: in place of a ledger, one text a pixel, row by row.
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
        heard: the pin as the browser last told it.
    """

    panels: tuple[str, ...] = ()
    rows: int = 1
    cols: int = 1
    label: str = ""
    fields: dict[str, dict[str, int]] = field(default_factory=dict)
    grids: dict[str, tuple[int, int]] = field(default_factory=dict)
    ledger: tuple[tuple[dict[str, Any], ...], ...] = ()
    labels: tuple[str, ...] | None = None
    hint: str = ""
    pin: Place | None = None
    exact: dict[str, float] | None = None
    cells: tuple[tuple[int, int], ...] = ()
    window: bool = False
    view: str = ""
    picks: bool = False
    title: str = ""
    box: tuple[float, ...] | None = None
    heard: str | None = None


def current_theme(key: str) -> ThemeName:
    """The theme that the reader's browser shows, as the figure `key` last saw it."""
    seen = told(key, "theme") or st.context.theme.type
    return "dark" if seen == "dark" else "light"


def told(key: str, name: Literal["theme", "pin", "pick", "window", "box", "step"]) -> Any:
    """What the browser last said of figure `key`; None if it has not, or nothing of that kind."""
    state = st.session_state.get(key)
    said = state.get(name) if isinstance(state, Mapping) else None
    return said if isinstance(said, _SAID[name]) else None


def linked_figure(
    figure: go.Figure | Mapping[str, Any],
    *,
    key: str,
    theme: ThemeName,
    narrow: go.Layout | Mapping[str, Any] | None = None,
    link: Link | None = None,
    **callbacks: Any,
) -> None:
    """Shows a figure, keeping its node, zoom and place on the page through every change.

    Args:
        figure: what to show, or its `data` and `layout` as plain dicts; the layout has
            a width, a height and margins in pixels, and is scaled to the room there is.
        key: name of the figure on the page; `told` reads what the browser says of it.
        theme: the theme that it was drawn for; the browser asks again if it shows
            another one.
        narrow: the layout for small windows, for the same traces.
        link: what links its panels; None for a picture to look at.
        callbacks: `on_pin_change` and the like, called when the browser says so.
    """
    drawn = {"figure": as_json(figure), "narrow": as_json(narrow) if narrow else "null"}
    digest = hashlib.blake2b("".join(drawn.values()).encode(), digest_size=8).hexdigest()
    parts = {
        **drawn,
        "digest": json.dumps(digest),  # the browser draws again only what has changed
        "link": as_json(asdict(link or Link())),
        "theme": json.dumps(theme),
        "accent": json.dumps(THEMES[theme].accent),
        "plotly": json.dumps(plotly_url()),
    }
    message = ",".join(f'"{name}":{text}' for name, text in parts.items())
    handlers = {f"on_{name}_change": _nothing for name in _SAID} | callbacks
    _COMPONENT(key=key, data=f"{{{message}}}".encode(), **handlers)


def as_json(part: go.Figure | go.Layout | Mapping[str, Any]) -> str:
    """Strict JSON, as the browser's parser wants it."""
    if isinstance(part, go.Figure):
        return str(part.to_json())
    if isinstance(part, go.Layout):
        part = part.to_plotly_json()
    return json.dumps(_finite(part), default=_typed_array, allow_nan=False)


def _finite(part: Any) -> Any:
    """`part` with None for NaN and ±Inf, which JSON has no words for."""
    if isinstance(part, Mapping):
        return {name: _finite(value) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return [_finite(value) for value in part]
    return None if isinstance(part, float) and not math.isfinite(part) else part


def _typed_array(array: np.ndarray) -> dict[str, str] | list[Any]:
    """An array as plotly.js reads it, in base64; small types only, as JSON else."""
    if array.dtype not in (np.float32, np.float64, np.uint8):
        return list(array.tolist())
    shape = ", ".join(str(side) for side in array.shape)
    data = base64.b64encode(array.tobytes()).decode()
    return {"dtype": array.dtype.str[1:], "bdata": data, "shape": shape}


def _nothing() -> None:
    """Streamlit asks for a callback for every value that a component may send."""
