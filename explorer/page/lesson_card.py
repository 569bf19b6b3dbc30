"""The list of lessons, and the card of the step that is shown."""

import re
from html import escape
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.lessons import Lesson
from explorer.page.bar import is_phone, part_of_row
from explorer.page.embedding import is_embedded
from explorer.page.lecture import present_button
from explorer.page.lessons import (
    Place,
    all_lessons,
    leave_lesson,
    lesson_after,
    open_step,
    own_lessons,
)
from explorer.page.plain_text import show_message, show_note

# One height of the text for all steps, so that the picture keeps its place: in the page's type,
# and on a phone, where the question stands below the text, in CSS pixels.
_TEXT = "line-height: 1.4; font-size: 0.95rem; height: 5.7rem; overflow-y: auto"
_PHONE_TEXT, PHONE_HEIGHT = "line-height: 1.4; font-size: 0.95rem", 132
_ANSWERED = "answered_step"


def lesson_list(shown: Place | None, *, is_presenting: bool) -> None:
    """Draw the button that opens the list of lessons, with what the presenter needs rarely."""
    # Another key closes the list when a lesson is chosen.
    key = f"lessons_{shown.lesson.name}_{shown.number}" if shown else "lessons"
    with st.popover("Lessons", key=key, icon=":material/school:"):
        with st.container(gap="xxsmall"):
            for number, lesson in enumerate(all_lessons().values(), 1):
                _entry(number, lesson)
        for sentence in own_lessons().problems:
            show_message("warning", sentence)
        if not is_presenting:
            present_button()
        elif shown:
            _rare_buttons(shown, is_short=False)


def _entry(number: int, lesson: Lesson) -> None:
    with st.container(gap=None):
        st.button(
            f"**{number}\\. {_literal(lesson.title)}**",
            key=f"lesson_{lesson.name}",
            on_click=open_step,
            args=(Place(lesson, 0),),
            type="tertiary",
        )
        show_note(lesson.summary)


def lesson_card(place: Place, *, is_title: bool) -> DeltaGenerator:
    """Draw a step: its heading, the buttons to other steps, its text and its question.

    Return the end of the row of buttons. A card in place of the page's title has the controls of
    the page there; the presenter's rare buttons are in the list of lessons.
    """
    with st.container(border=True, key="lesson_card", gap="xsmall"):
        with st.container(
            horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
        ):
            _heading(place, "h1" if is_title else "h2")
            with st.container(
                horizontal=True, vertical_alignment="center", width="content", key="lesson_buttons"
            ):
                _step_button("Back", "lesson_back", place.previous)
                following = None if is_embedded() else lesson_after(place)
                if place.next is None and following:
                    _step_button("Next lesson", "lesson_following", following)
                else:
                    _step_button("Next", "lesson_next", place.next)
                if is_embedded():
                    _again_button(place, is_short=is_phone())
                elif not is_title:
                    _rare_buttons(place, is_short=is_phone())
                end = part_of_row()
        if is_phone():
            with st.container(height=PHONE_HEIGHT, border=False, gap="small"):
                _text(place, _PHONE_TEXT)
        else:
            _text(place, _TEXT)
    return end


def _heading(place: Place, tag: Literal["h1", "h2"]) -> None:
    count = len(place.lesson.steps)
    st.html(
        f'<{tag} style="margin: 0; padding: 0; font-size: 1.2rem; line-height: 1.3">'
        f'{place.step.heading.html} <small style="font-weight: 400; font-size: 0.875rem">'
        f"{escape(place.lesson.title)} · {place.number} of {count}</small></{tag}>",
        width="content",
    )


def _rare_buttons(place: Place, *, is_short: bool) -> None:
    _again_button(place, is_short=is_short)
    leave = "Leave" if is_short else "Leave the lesson"
    st.button(leave, key="lesson_leave", on_click=leave_lesson, type="tertiary")


def _again_button(place: Place, *, is_short: bool) -> None:
    st.button(
        "Again" if is_short else "Show this step again",
        key="lesson_again",
        on_click=open_step,
        args=(place,),
        type="tertiary",
        help="Gives the page the settings of this step.",
    )


def _step_button(label: str, key: str, to: Place | None) -> None:
    st.button(label, key=key, on_click=open_step, args=(to,), disabled=to is None)


def _text(place: Place, style: str) -> None:
    """Draw the text, and beside it the question, or its answer once the button is clicked."""
    text = f'<div style="{style}">{place.step.text.html}</div>'
    question, answer = place.step.question, place.step.answer
    if question is None or answer is None:
        st.html(text)
        return
    left, right = st.columns(2, gap="medium")
    left.html(text)
    here = place.lesson.name, place.number
    if st.session_state.get(_ANSWERED) == here:
        right.html(
            f'<div style="{style}"><strong>{question.html}</strong>'
            f'<div role="status">{answer.html}</div></div>'
        )
        return
    with right, st.container(gap="xsmall"):
        st.html(f'<div style="{_PHONE_TEXT}"><strong>{question.html}</strong></div>')
        st.button("Show the answer", key="lesson_answer", on_click=_answer, args=(here,))


def _answer(here: tuple[str, int]) -> None:
    st.session_state[_ANSWERED] = here


def _literal(text: str) -> str:
    """Return a text for a label, in which every sign with a meaning in Markdown is escaped."""
    return re.sub(r"([^\w\s])", r"\\\1", text)
