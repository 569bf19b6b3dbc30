"""The theme of the figures while a picture is made for another theme than the page's."""

import streamlit as st

from explorer.figures.theme import ThemeName

_KEY = "picture_theme"
_TITLES: dict[str, ThemeName | None] = {"As on the page": None, "Light": "light", "Dark": "dark"}


def picture_theme_field() -> None:
    """Draw the field that chooses the theme."""
    st.segmented_control(
        "Colours",
        tuple(_TITLES),
        default="As on the page",
        key=_KEY,
        required=True,
        persist_state="session",
    )


def picture_theme() -> ThemeName | None:
    """Return the chosen theme while the control “Export” is open; None for the page's."""
    chosen = st.session_state.get(_KEY) if st.session_state.get("export") else None
    return _TITLES.get(str(chosen))
