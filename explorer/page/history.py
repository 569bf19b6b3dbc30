"""Makes views and variants the entries of the browser's history."""

from importlib.resources import files

import streamlit as st

_COMPONENT = st.components.v2.component(
    "history", js=(files("explorer.page") / "history.js").read_text(encoding="utf-8")
)


def keep_history() -> None:
    """Run history.js in the browser; an element without content."""
    _COMPONENT(key="history", height=1)
