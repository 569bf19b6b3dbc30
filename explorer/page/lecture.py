"""The presenter mode: its parameter in the URL, its controls, and what runs in the browser."""

from importlib.resources import files

import streamlit as st

from explorer.page.embedding import is_embedded
from explorer.page.link_state import publish, restore, setting

MODES = "true", "light", "dark"  # values of the URL's `present`; "true" is the system's theme
_FOLDER = files("explorer.page")
_COMPONENT = st.components.v2.component(
    "lecture",
    css=(_FOLDER / "lecture.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "lecture.js").read_text(encoding="utf-8"),
    isolate_styles=False,  # its rules are for the page
)


def presenter_mode() -> str | None:
    """Return the theme of the presenter mode as the URL has it; None in the usual mode."""
    restore("present", lambda text: text if text in MODES else None, f"one of {', '.join(MODES)}")
    mode: str | None = setting("present")
    publish("present", mode, None)
    return mode


def present_button() -> None:
    """Draw the button that starts the presenter mode; lecture.js acts on the click."""
    st.button("Present (key p)", key="present_system", icon=":material/present_to_all:")


def presenter_buttons() -> None:
    """Draw the buttons of the presenter mode; lecture.js acts on the clicks."""
    with st.container(horizontal=True):
        st.button("Full screen (f)", key="full_screen")
        st.button("Light", key="present_light")
        st.button("Dark", key="present_dark")
        st.button("End (p)", key="present_end")


def keep_lecture(mode: str | None) -> None:
    """Run lecture.js in the browser; an element without content."""
    _COMPONENT(key="lecture", data={"present": mode, "embedded": is_embedded()}, height=1)
