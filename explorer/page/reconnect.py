"""Runs the page when a browser is connected again, perhaps to another process."""

from importlib.resources import files

import streamlit as st

_COMPONENT = st.components.v2.component(
    "reconnect", js=(files("explorer.page") / "reconnect.js").read_text(encoding="utf-8")
)


def run_when_reconnected() -> None:
    """Run reconnect.js in the browser; an element without content."""
    _COMPONENT(key="reconnect", height=1, on_reconnected_change=lambda: None)
