"""Long computations on the page, with a progress bar and a button to stop them."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.engine.progress import Progress
from explorer.page.bar import is_phone
from explorer.page.cache import get_cached, get_or_compute
from explorer.page.errors import PROBLEMS, show_problem
from explorer.page.last_result import recall, remember
from explorer.page.limiter import WORK_LIMITER

Value = TypeVar("Value")
_STOPPED = "stopped_job"
_HEIGHT, _PHONE_HEIGHT = 52, 104  # pixels of a job's place: two or four lines, or a button


@dataclass(frozen=True)
class Shown(Generic[Value]):
    """A result on the page; `is_stale` if it is the last one, of other settings."""

    value: Value
    is_stale: bool = False


def job_place() -> DeltaGenerator:
    """Draw a place for a job's progress, and later for a sentence on its result; return it.

    It has the same height whatever it holds, so that what follows does not move.
    """
    height = _PHONE_HEIGHT if is_phone() else _HEIGHT
    with st.container(height=height, border=False, vertical_alignment="center"):
        return st.empty()


def run_job(
    name: str,
    key: tuple[Hashable, ...],
    compute: Callable[[Progress], Value],
    *,
    private: bool,
    message: str,
    place: DeltaGenerator | None = None,
) -> Shown[Value] | None:
    """Return the result of a long computation, cached or computed with a progress bar.

    Args:
        name: distinguishes this job's buttons and its last result from those of other jobs.
        key: the result's cache key.
        compute: returns the result; it calls its argument with the steps done and in total.
        private: whether the result depends on what this user uploaded.
        message: text on the progress bar.
        place: an empty element for the progress bar; None for one here.

    Returns:
        The result. If the user stopped the job or it failed, the last one of this name, or None
        without one; the error is shown.
    """
    placeholder = place or st.empty()
    if st.session_state.get(_STOPPED) == key and get_cached(key, private=private) is None:
        with placeholder.container(horizontal=True, vertical_alignment="center"):
            st.markdown("Stopped.")
            st.button("Run", key=f"run {name}", on_click=_set_stopped, args=(None,))
        return _last(name)

    def with_bar() -> Value:
        with placeholder.container(horizontal=True, vertical_alignment="center"):
            bar = st.progress(0.0, message)
            st.button("Stop", key=f"stop {name}", on_click=_set_stopped, args=(key,))
        return compute(lambda done, total: _advance(bar, message, done / total))

    try:
        value = get_or_compute(
            key, with_bar, private=private, placeholder=placeholder, message=None, is_long=True
        )
    except PROBLEMS as problem:
        show_problem(problem, name)
        return _last(name)
    remember(f"job {name}", (key, private))
    return Shown(value)


def halves(progress: Progress) -> tuple[Progress, Progress]:
    """Return progress callbacks for two tasks of the same length, one after the other."""
    return (
        lambda done, total: progress(done, 2 * total),
        lambda done, total: progress(done + total, 2 * total),
    )


def _last(name: str) -> Shown[Any] | None:
    """Return the last result of a job, if it is still cached."""
    key, private = recall(f"job {name}") or (None, False)
    value = None if key is None else get_cached(key, private=private)
    return None if value is None else Shown(value, is_stale=True)


def _set_stopped(key: object) -> None:
    st.session_state[_STOPPED] = key


def _advance(bar: DeltaGenerator, message: str, part: float) -> None:
    bar.progress(part, f"{message}: {part:.0%}")
    WORK_LIMITER.yield_slot()
