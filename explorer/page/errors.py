"""Problems, told to the reader in plain words."""

import logging
import re

import streamlit as st

from explorer.errors import InputError
from explorer.page.limiter import Busy

PROBLEMS = (InputError, Busy)  # what a reader can do something about
_LOG = logging.getLogger(__name__)


def plain(text: str) -> str:
    """`text` with every sign escaped that Streamlit's Markdown would act on."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~$:<>^=&])", r"\\\1", text)


def show_problem(problem: Exception) -> None:
    """Shows its sentence as it is, whatever signs it holds; and a button where that helps."""
    if isinstance(problem, Busy):
        st.warning(plain(str(problem)))
        st.button("Try again")
    else:
        st.error(plain(str(problem)))


def report_script_error(error: Exception) -> bool:
    """Logs an error that nobody foresaw, and tells the reader what still works."""
    _LOG.exception("The page failed", exc_info=error)
    st.error("Something failed inside the explorer. Change a setting or reload the page.")
    return True
