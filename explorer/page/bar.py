"""The controls above the picture: a row of the most used ones, and the others behind “More”."""

from dataclasses import dataclass
from functools import cached_property

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.elements.lib.mutable_expander_container import ExpanderContainer
from streamlit.elements.lib.mutable_popover_container import PopoverContainer

_WHOLE_ROW = 480  # pixels, more than a phone's page has


@dataclass(frozen=True)
class Bar:
    """Places for controls.

    Attributes:
        experiment: the part of the row for what determines the result.
        display: the part of the row for how it is shown.
        end: the end of the row.
        below: the place below the row, for a field that is needed now.
        is_closed: whether the row itself is behind a button.
        export: the place in what the button “Export” opens; None while that is closed.
    """

    experiment: DeltaGenerator
    display: DeltaGenerator
    end: DeltaGenerator
    below: DeltaGenerator
    is_closed: bool = False
    export: DeltaGenerator | None = None

    @cached_property
    def more(self) -> DeltaGenerator:
        """What the button “More” opens; the button is drawn where something is put there."""
        return self.end if self.is_closed else self.end.popover("More")


def draw_bar(
    closed_in: DeltaGenerator | None = None,
    key: str | None = None,
    export: PopoverContainer | ExpanderContainer | None = None,
    *,
    has_export: bool = False,
) -> Bar:
    """Draw the empty row, with a key for styles; return its places.

    On a phone, and with a place in `closed_in`, all of it is behind one button, which is there;
    with `has_export` also a place for exports, if there is none in `export`.
    """
    if closed_in or is_phone():
        settings = (closed_in or st).popover("Settings")
        places = settings.container(), settings.container(), settings.container()
        if has_export and not export:
            export = settings.expander("Export", key="export", on_change="rerun")
        return Bar(*places, st.container(), is_closed=True, export=_place(export))
    with st.container(horizontal=True, vertical_alignment="bottom", key=key):
        places = part_of_row(), part_of_row(), part_of_row()
    return Bar(*places, st.container(), export=_place(export))


def _place(export: PopoverContainer | ExpanderContainer | None) -> DeltaGenerator | None:
    """Return the place of exports if it is open, with a sentence that stands there until then."""
    if export is None or not export.open:
        return None
    place: DeltaGenerator = export.empty()
    place.caption("There is nothing to save yet.")
    return place


def part_of_row() -> DeltaGenerator:
    """Return a place in a row that keeps its position whatever the parts before it hold.

    Controls are of several heights; aligned at the top, their labels are level.
    """
    return st.container(horizontal=True, vertical_alignment="top", width="content")


def rest_of_row() -> DeltaGenerator:
    """Return a place for a text in the rest of a row; on a phone, in a row of its own."""
    return st.container(width=_WHOLE_ROW if is_phone() else "stretch")


def is_phone() -> bool:
    """Return whether the browser says that it is a phone's."""
    headers = st.context.headers
    return headers.get("Sec-CH-UA-Mobile") == "?1" or "Mobi" in headers.get("User-Agent", "")
