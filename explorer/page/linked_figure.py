"""A Plotly figure that stays alive: one DOM node, whatever Python sends next.

The browser's half is `linked_figure.js`. It knows panels, pixels, rows and
columns, and nothing of residual networks.
"""

import json
from pathlib import Path
from typing import Literal

import plotly.graph_objects as go
import streamlit as st

from explorer.page.assets import plotly_url

_HERE = Path(__file__).parent
_COMPONENT = st.components.v2.component(
    "linked_figure",
    html="<div class='linked-figure'></div>",
    css=(_HERE / "linked_figure.css").read_text(encoding="utf-8"),
    js=(_HERE / "linked_figure.js").read_text(encoding="utf-8"),
    isolate_styles=False,  # Plotly puts its styles in the document's head
)


def current_theme(key: str) -> Literal["light", "dark"]:
    """The theme that the reader's browser shows, as the figure `key` last saw it."""
    seen = st.session_state.get(key, {}).get("theme") or st.context.theme.type
    return "dark" if seen == "dark" else "light"


def linked_figure(
    wide: go.Figure, narrow: go.Figure, *, theme: Literal["light", "dark"], key: str
) -> None:
    """Shows a figure, keeping its node, zoom and place on the page through every change.

    Args:
        wide: the figure for windows of enough width.
        narrow: the same traces with the layout for small windows.
        theme: the theme that it was drawn for; the browser asks again if it shows
            another one.
        key: name of the figure on the page.
    """
    figure = json.loads(wide.to_json())
    payload = {
        "plotly": plotly_url(),
        "theme": theme,
        "data": figure["data"],
        "layouts": [figure["layout"], json.loads(narrow.to_json())["layout"]],
    }
    _COMPONENT(key=key, data=payload, on_theme_change=lambda: None)
