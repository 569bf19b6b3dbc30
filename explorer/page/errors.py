"""Error messages on the page."""

import logging

import streamlit as st

from explorer.errors import InputError
from explorer.page.limiter import Busy
from explorer.page.plain_text import show_message

PROBLEMS = (InputError, Busy)  # errors that the user can resolve
_LOG = logging.getLogger(__name__)


def show_problem(problem: Exception, place: str = "page") -> None:
    """Show the message, with a button to try again if the server is busy.

    `place` distinguishes this button from those of other places on the page.
    """
    if isinstance(problem, Busy):
        show_message("warning", str(problem))
        st.button("Try again", key=f"try again {place}")
    else:
        show_message("error", str(problem))


def report_script_error(error: Exception) -> bool:
    """Log an unexpected error and tell the user what to do."""
    _LOG.exception("The page failed", exc_info=error)
    st.error("The page failed unexpectedly. Change a setting or reload the page.")
    return True
