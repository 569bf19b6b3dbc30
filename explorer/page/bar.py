"""The controls above the picture: a row of the most used ones, and the others behind “More”."""

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


@dataclass(frozen=True)
class Bar:
    """Places for controls.

    Attributes:
        experiment: the part of the row for what determines the result.
        display: the part of the row for how it is shown.
        more: what a button opens.
        below: the place below the row, for a field that is needed now.
    """

    experiment: DeltaGenerator
    display: DeltaGenerator
    more: DeltaGenerator
    below: DeltaGenerator


def draw_bar() -> Bar:
    """Draw the empty row; return its places. On a phone, all of it is behind one button."""
    if _is_phone():
        more = st.popover("Settings")
        return Bar(more.container(), more.container(), more, st.container())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        experiment, display = part_of_row(), part_of_row()
        more = st.popover("More")
    return Bar(experiment, display, more, st.container())


def _is_phone() -> bool:
    """Return whether the browser says that it is a phone's."""
    headers = st.context.headers
    return headers.get("Sec-CH-UA-Mobile") == "?1" or "Mobi" in headers.get("User-Agent", "")


def part_of_row() -> DeltaGenerator:
    """Return a place in a row that keeps its position whatever the parts before it hold."""
    return st.container(horizontal=True, vertical_alignment="bottom", width="content")
