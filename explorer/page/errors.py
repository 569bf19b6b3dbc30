"""Error messages on the page."""

import logging
import re

import streamlit as st

from explorer.errors import InputError
from explorer.page.limiter import Busy

PROBLEMS = (InputError, Busy)  # what the user can do something about
_LOG = logging.getLogger(__name__)


def escape_markdown(text: str) -> str:
    """Return `text` with every character escaped that Streamlit's Markdown would interpret."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~$:<>^=&])", r"\\\1", text)


def show_problem(problem: Exception) -> None:
    """Show the message as it is, whatever characters it holds, and a button where that helps."""
    if isinstance(problem, Busy):
        st.warning(escape_markdown(str(problem)))
        st.button("Try again")
    else:
        st.error(escape_markdown(str(problem)))


def report_script_error(error: Exception) -> bool:
    """Log an unexpected error and show what the user can do."""
    _LOG.exception("The page failed", exc_info=error)
    st.error("The page failed unexpectedly. Change a setting or reload the page.")
    return True
