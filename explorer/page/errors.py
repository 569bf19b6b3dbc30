"""Error messages on the page."""

import logging
import re

import streamlit as st

from explorer.errors import InputError
from explorer.page.limiter import Busy

PROBLEMS = (InputError, Busy)  # errors that the user can resolve
_LOG = logging.getLogger(__name__)


def escape_markdown(text: str) -> str:
    """Escape every character of `text` that Streamlit's Markdown would interpret."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~$:<>^=&])", r"\\\1", text)


def show_problem(problem: Exception, place: str = "page") -> None:
    """Show the message as literal text, with a button to try again if the server is busy.

    `place` distinguishes this button from those of other places on the page.
    """
    if isinstance(problem, Busy):
        st.warning(escape_markdown(str(problem)))
        st.button("Try again", key=f"try again {place}")
    else:
        st.error(escape_markdown(str(problem)))


def report_script_error(error: Exception) -> bool:
    """Log an unexpected error and tell the user what to do."""
    _LOG.exception("The page failed", exc_info=error)
    st.error("The page failed unexpectedly. Change a setting or reload the page.")
    return True
