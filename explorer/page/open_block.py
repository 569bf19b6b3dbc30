"""Buttons that open the block of a network that the user has clicked in a view of one block."""

from collections.abc import Mapping

import streamlit as st

from explorer.page.embedding import is_embedded
from explorer.page.link_state import change_setting
from explorer.page.plain_text import show_note

VIEWS = {"forward": "Forward", "what_if": "What if", "gradients": "Gradients"}


def open_block(block: str | None, *, weights: str, key: str) -> None:
    """Draw the buttons for a block, or a hint if none is clicked; an embedded page has neither.

    Args:
        block: its name in the network.
        weights: the value of the control "Weights" for blocks of this kind of network.
        key: of the control that selects the block.
    """
    if is_embedded():  # nothing would lead back
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if block is None:
            st.caption("Click on a block to open it in another view.")
            return
        show_note(block)
        for view, title in VIEWS.items():
            settings = {"weights": weights, key: block, "view": view}
            st.button(f"Open in {title}", key=f"open_{view}", on_click=open_link, args=(settings,))


def open_link(settings: Mapping[str, str]) -> None:
    """Set the controls of these keys, before the next run draws them."""
    for key, value in settings.items():
        change_setting(key, value)
