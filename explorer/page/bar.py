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
    """Draw the empty row; return its places."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        experiment = _part()
        display = _part()
        more = st.popover("More")
    return Bar(experiment, display, more, st.container())


def _part() -> DeltaGenerator:
    return st.container(horizontal=True, vertical_alignment="bottom", width="content")
