"""The top of the page: its title or a lesson, and the controls beside it."""

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.page.bar import Bar, draw_bar, is_phone, part_of_row
from explorer.page.controls import segmented_choice, undrawn_choice
from explorer.page.copy_link import copy_link
from explorer.page.embedding import is_embedded
from explorer.page.lecture import presenter_buttons
from explorer.page.lesson_card import lesson_card, lesson_list
from explorer.page.lessons import Place


def title_row(
    titles: Mapping[str, str],
    headings: Mapping[str, str],
    sentences: Mapping[str, str],
    *,
    lesson: Place | None,
    mode: str | None,
) -> tuple[str, Bar]:
    """Draw title, sentence or lesson, and the choice of the view; return the view and the bar.

    Args:
        titles, headings, sentences: of the views; the first view is the default.
        lesson: the step that stands in place of the sentence, and for a presenter and in an
            embedded page also in place of the title.
        mode: the presenter mode, None in the usual one.
    """
    is_presenting = mode is not None
    is_bare = is_presenting or is_embedded()
    is_short = is_bare or is_phone()
    is_closed = lesson is not None or is_short
    if lesson and is_bare:
        title, controls = None, lesson_card(lesson, is_title=True)
    else:
        title, controls = _empty_row()
    with (
        controls,
        st.container(
            horizontal=True, vertical_alignment="center", width="content", key="page_controls"
        ),
    ):
        buttons, export = part_of_row(), None
        if not is_short:
            with buttons:
                copy_link()
        if not is_closed:
            export = buttons.popover("Export", key="export", on_change="rerun")
        if is_embedded():
            view = undrawn_choice(tuple(titles), "view")
        else:
            view = _navigation(buttons, titles, lesson, is_presenting=is_presenting)
    if title:
        title.title(headings[view], anchor=False)
        if lesson:
            lesson_card(lesson, is_title=False)
        else:
            st.markdown(sentences[view])
    closed_in = buttons if is_closed else None
    return view, draw_bar(closed_in, "controls", export, has_export=True)


def _navigation(
    buttons: DeltaGenerator, titles: Mapping[str, str], lesson: Place | None, *, is_presenting: bool
) -> str:
    """Draw what leads to lessons and views; return the view."""
    is_short = is_presenting or is_phone()
    with buttons:
        lesson_list(lesson, is_presenting=is_presenting)
    with buttons.popover("View") if is_short else st.container(width="content"):
        # One control instead of Streamlit pages: all views share channel, pin and experiment.
        view = segmented_choice(
            "View", tuple(titles), key="view", titles=titles, label_visibility="collapsed"
        )
        if is_presenting:
            presenter_buttons()
    return view


def _empty_row() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Draw a row; return the places of a title and of controls at its end."""
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        return st.container(width="content"), st.container(width="content")
