"""Adds a link to the figure, the first stop of the keyboard on the page."""

from importlib.resources import files

import streamlit as st

_COMPONENT = st.components.v2.component(
    "skip_link",
    css=(files("explorer.page") / "skip_link.css").read_text(encoding="utf-8"),
    js=(files("explorer.page") / "skip_link.js").read_text(encoding="utf-8"),
    isolate_styles=False,  # the link is outside of the element
)


def add_skip_link() -> None:
    """Run skip_link.js in the browser; an element without content."""
    _COMPONENT(key="skip_link", height=1)
