"""The list of lessons, and the card of the step that is shown."""

import re
from html import escape

import streamlit as st

from explorer.page.bar import is_phone
from explorer.page.lessons import (
    Place,
    all_lessons,
    leave_lesson,
    open_step,
    own_lessons,
)
from explorer.page.plain_text import show_message, show_note

# CSS pixels of the card's text: one height for all steps, so that the picture keeps its place.
HEIGHT, PHONE_HEIGHT = 86, 132
_TEXT = "font-size: 0.95rem; line-height: 1.4"
_ANSWERED = "answered_step"


def lesson_list(shown: Place | None) -> None:
    """Draw the button that opens the list of lessons."""
    # Another key closes the list when a lesson is chosen.
    key = f"lessons_{shown.lesson.name}_{shown.number}" if shown else "lessons"
    with st.popover("Lessons", key=key, icon=":material/school:"):
        for number, lesson in enumerate(all_lessons().values(), 1):
            with st.container(gap=None):
                st.button(
                    f"{number}\\. {_literal(lesson.title)}",
                    key=f"lesson_{lesson.name}",
                    on_click=open_step,
                    args=(Place(lesson, 0),),
                    type="tertiary",
                )
                show_note(lesson.summary)
        for sentence in own_lessons().problems:
            show_message("warning", sentence)


def lesson_card(place: Place) -> None:
    """Draw a step: its heading, the buttons to other steps, its text and its question."""
    with st.container(border=True, key="lesson_card", gap="xsmall"):
        with st.container(
            horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
        ):
            _heading(place)
            _buttons(place)
        with st.container(height=PHONE_HEIGHT if is_phone() else HEIGHT, border=False, gap="small"):
            _text(place)


def _heading(place: Place) -> None:
    count = len(place.lesson.steps)
    st.html(
        f'<h2 style="margin: 0; padding: 0; font-size: 1.2rem; line-height: 1.3">'
        f'{place.step.heading.html} <small style="font-weight: 400; font-size: 0.875rem">'
        f"{escape(place.lesson.title)} · {place.number} of {count}</small></h2>",
        width="content",
    )


def _buttons(place: Place) -> None:
    again, leave = (
        ("Again", "Leave") if is_phone() else ("Show this step again", "Leave the lesson")
    )
    with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
        _step_button("Back", "lesson_back", place.previous)
        _step_button("Next", "lesson_next", place.next)
        st.button(
            again,
            key="lesson_again",
            on_click=open_step,
            args=(place,),
            type="tertiary",
            help="Gives the page the settings of this step.",
        )
        st.button(leave, key="lesson_leave", on_click=leave_lesson, type="tertiary")


def _step_button(label: str, key: str, to: Place | None) -> None:
    st.button(label, key=key, on_click=open_step, args=(to,), disabled=to is None)


def _text(place: Place) -> None:
    """Draw the text, and beside it the question, or its answer once the button is clicked."""
    text = f'<div style="{_TEXT}">{place.step.text.html}</div>'
    question, answer = place.step.question, place.step.answer
    if question is None or answer is None:
        st.html(text)
        return
    left, right = st.columns(2, gap="medium")
    left.html(text)
    here = place.lesson.name, place.number
    with right, st.container(horizontal=True, vertical_alignment="top"):
        if st.session_state.get(_ANSWERED) == here:
            st.html(f'<div role="status" style="{_TEXT}">{answer.html}</div>')
            return
        st.html(f'<div style="{_TEXT}"><strong>{question.html}</strong></div>', width="content")
        st.button("Show the answer", key="lesson_answer", on_click=_answer, args=(here,))


def _answer(here: tuple[str, int]) -> None:
    st.session_state[_ANSWERED] = here


def _literal(text: str) -> str:
    """Return a text for a label, in which every sign with a meaning in Markdown is escaped."""
    return re.sub(r"([^\w\s])", r"\\\1", text)
