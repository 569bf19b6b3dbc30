"""The results of a session's earlier runs of the page, limited in bytes."""

import weakref
from collections.abc import Callable, Hashable
from typing import ClassVar

import streamlit as st

MAX_EARLIER_BYTES = 64 * 2**20  # of one session, of what its last run of the page did not use
MAX_KEYS = 256
_SESSION = "session_results"
Key = tuple[int, Hashable]  # an owner's identifier and the key of a result


class SessionResults:
    """The cached results that a session has used and that are quickly computed again.

    Those of the present run of the page stay, whatever their size: the page would compute them
    again at every click. Of the others the least recently used are dropped first.
    """

    # The session that used a result last, which alone may drop it.
    _last: ClassVar[weakref.WeakValueDictionary[Key, "SessionResults"]] = (
        weakref.WeakValueDictionary()
    )

    def __init__(self) -> None:
        self._run = 0
        self._used: dict[Key, tuple[int, int]] = {}  # by key: the last run, and the bytes

    def begin_run(self) -> None:
        """Note that the page starts to run again."""
        self._run += 1

    def use(self, key: Key, size: int) -> None:
        """Note that the present run uses the result of this key."""
        self._used.pop(key, None)
        self._used[key] = self._run, size
        self._last[key] = self
        if len(self._used) > MAX_KEYS:
            del self._used[next(iter(self._used))]

    def make_room(self, drop: Callable[[Key], None]) -> None:
        """Call `drop` with the keys of earlier results beyond `MAX_EARLIER_BYTES`.

        To be called before a result is computed, so that its memory can be that of the dropped.
        """
        earlier = {key: size for key, (run, size) in self._used.items() if run < self._run}
        excess = sum(earlier.values()) - MAX_EARLIER_BYTES
        for key, size in earlier.items():
            if excess <= 0:
                return
            excess -= size
            del self._used[key]
            if self._last.get(key) is self:
                drop(key)


def session_results() -> SessionResults:
    """Return those of this session."""
    found: SessionResults = st.session_state.setdefault(_SESSION, SessionResults())
    return found
