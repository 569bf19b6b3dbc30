"""A button that copies the address of the page, which holds all settings."""

from importlib.resources import files

import streamlit as st

_FOLDER = files("explorer.page")
_COMPONENT = st.components.v2.component(
    "copy_link",
    css=(_FOLDER / "own_button.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "copy_link.js").read_text(encoding="utf-8"),
)


def copy_link() -> None:
    """Draw the button; copy_link.js acts on the click."""
    _COMPONENT(key="copy_link", width="content")
