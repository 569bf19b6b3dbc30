"""Whether a page elsewhere shows this one in a frame."""

import streamlit as st

from explorer.page.link_state import setting


def is_embedded() -> bool:
    """Return whether the URL has `embed=true`, outside the presenter mode, which has it too.

    Then the page has no navigation: the page around it says what is shown.
    """
    return bool(st.context.is_embedded) and setting("present") is None
