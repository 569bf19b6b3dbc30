"""Long computations on the page, with a progress bar and a button to stop them."""

from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.engine.stack import Progress
from explorer.page.cache import get_cached, get_or_compute
from explorer.page.errors import PROBLEMS, show_problem
from explorer.page.limiter import WORK_LIMITER

Value = TypeVar("Value")
_STOPPED = "stopped_job"


def run_job(
    name: str,
    key: tuple[Hashable, ...],
    compute: Callable[[Progress], Value],
    *,
    private: bool,
    message: str,
) -> Value | None:
    """Return the result of a long computation, cached or computed with a progress bar.

    Args:
        name: distinguishes this job's buttons from those of other jobs.
        key: the result's cache key.
        compute: returns the result; it calls its argument with the steps done and in total.
        private: whether the result depends on what this user uploaded.
        message: text on the progress bar.

    Returns:
        The result, or None if the user stopped the job or it failed; its error is shown.
    """
    placeholder = st.empty()
    if st.session_state.get(_STOPPED) == key and get_cached(key, private=private) is None:
        with placeholder.container(horizontal=True, vertical_alignment="center"):
            st.info("Stopped.")
            st.button("Run", key=f"run {name}", on_click=_set_stopped, args=(None,))
        return None

    def with_bar() -> Value:
        with placeholder.container(horizontal=True, vertical_alignment="center"):
            bar = st.progress(0.0, message)
            st.button("Stop", key=f"stop {name}", on_click=_set_stopped, args=(key,))
        return compute(lambda done, total: _advance(bar, message, done / total))

    try:
        return get_or_compute(
            key, with_bar, private=private, placeholder=placeholder, message=None, is_long=True
        )
    except PROBLEMS as problem:
        show_problem(problem, name)
        return None


def halves(progress: Progress) -> tuple[Progress, Progress]:
    """Return progress callbacks for two tasks of the same length, one after the other."""
    return (
        lambda done, total: progress(done, 2 * total),
        lambda done, total: progress(done + total, 2 * total),
    )


def _set_stopped(key: object) -> None:
    st.session_state[_STOPPED] = key


def _advance(bar: DeltaGenerator, message: str, part: float) -> None:
    bar.progress(part, f"{message}: {part:.0%}")
    WORK_LIMITER.yield_slot()
