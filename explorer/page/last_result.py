"""What worked last in this session, drawn pale while the present settings cannot be run."""

from typing import Any

import streamlit as st

_LAST, _STALE = "last_results", "stale"


def remember(name: str, value: Any) -> None:
    """Keep the settings of the last result of this name."""
    st.session_state.setdefault(_LAST, {})[name] = value


def recall(name: str) -> Any:
    """Return the settings of the last result of this name; None without one."""
    return st.session_state.get(_LAST, {}).get(name)


def set_stale(is_stale: bool) -> None:
    """Set whether the page shows the last result instead of the present one."""
    st.session_state[_STALE] = is_stale


def is_stale() -> bool:
    """Return whether the page shows the last result instead of the present one."""
    return bool(st.session_state.get(_STALE))
