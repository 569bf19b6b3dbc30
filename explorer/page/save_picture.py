"""Controls that save the figure of the page as a picture; the browser makes it."""

from importlib.resources import files

import streamlit as st

from explorer.linked_figure.scripts import PICTURE
from explorer.page.asset_urls import linked_figure_url

_FOLDER = files("explorer.page")
_COMPONENT = st.components.v2.component(
    "save_picture",
    html=(_FOLDER / "save_picture.html").read_text(encoding="utf-8"),
    css=(_FOLDER / "own_button.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "save_picture.js").read_text(encoding="utf-8"),
)


def save_picture(name: str, title: str) -> None:
    """Draw the controls.

    Args:
        name: of the file, without its ending.
        title: a line that the user may put above the figure.
    """
    data = {
        "name": name,
        "title": title,
        "component": linked_figure_url(),
        "picture": linked_figure_url(PICTURE),
    }
    _COMPONENT(key="save_picture", data=data)
