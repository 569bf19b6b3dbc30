"""Sentences that may contain words from outside, such as a file name or a URL parameter.

Streamlit's own messages read Markdown, which makes links even of escaped addresses. These are
HTML without Markdown, with every sign of the sentence escaped.
"""

from html import escape
from typing import Literal

import streamlit as st

Kind = Literal["error", "warning", "info"]
_TINTS: dict[Kind, str] = {
    "error": "rgba(255, 43, 43, 0.1)",
    "warning": "rgba(255, 196, 0, 0.15)",
    "info": "rgba(28, 131, 225, 0.1)",
}
_BOX = "padding: 1rem; border-radius: 0.5rem; overflow-wrap: anywhere; background: "
_NOTE = "font-size: 0.875rem; overflow-wrap: anywhere"


def show_message(kind: Kind, sentence: str) -> None:
    """Show a sentence as plain text in a coloured box, and announce it to screen readers."""
    role = "status" if kind == "info" else "alert"
    _show(f'<div data-kind="{kind}" role="{role}" style="{_BOX}{_TINTS[kind]}">', sentence)


def show_note(sentence: str) -> None:
    """Show a sentence as plain text in the size of a caption."""
    _show(f'<div style="{_NOTE}">', sentence)


def _show(opening: str, sentence: str) -> None:
    st.html(f"{opening}{escape(sentence)}</div>")
