"""What has been computed, kept for the next rerun: bounded in entries, bytes and time.

Everything that the page computes or decodes goes through `kept`, and so through the gate.
"""

import threading
import weakref
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np
import streamlit as st
from cachetools import TTLCache
from streamlit.delta_generator import DeltaGenerator

from explorer.page.errors import PROBLEMS
from explorer.page.gate import GATE
from explorer.programs import bound_programs

MAX_ENTRIES, MAX_BYTES, SECONDS = 256, 2**30, 3600
Made = TypeVar("Made")


class Store:
    """Values by key. A value with an owner is let go with its owner."""

    def __init__(self, entries: int, size: int, seconds: float) -> None:
        # Counting every entry as a full share of the bytes bounds their number too.
        share = size // entries
        self._values: TTLCache[tuple[int, Hashable], Any] = TTLCache(
            size, seconds, getsizeof=lambda value: max(size_of(value), share)
        )
        self._lock = threading.Lock()

    def names(self) -> list[Any]:
        """What there is, the longest kept first."""
        with self._lock:
            return [key for _, key in list(self._values)]

    def get(self, key: Hashable, owner: object = None) -> Any:
        """The value, or None."""
        with self._lock:
            return self._values.get((id(owner), key))

    def put(self, key: Hashable, value: Any, owner: object = None) -> None:
        """Keeps the value, if it is not larger than all that may be kept."""
        with self._lock:
            try:
                self._values[id(owner), key] = value
            except ValueError:  # larger than the store: it is made anew each time
                return
        if owner is not None:
            weakref.finalize(owner, self._forget, (id(owner), key)).atexit = False

    def _forget(self, key: tuple[int, Hashable]) -> None:
        with self._lock:
            self._values.pop(key, None)


def size_of(value: Any) -> int:
    """Bytes of all arrays in a record, a mapping or a sequence."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if is_dataclass(value):
        return sum(size_of(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, Mapping):
        return sum(map(size_of, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(size_of, value))
    return 0


STORE = Store(MAX_ENTRIES, MAX_BYTES, SECONDS)


class _Session:
    """Stands for a reader's session, and goes with it."""


def kept(
    key: tuple[Hashable, ...],
    make: Callable[[], Made],
    *,
    private: bool,
    place: DeltaGenerator,
    words: str | None,
) -> Made:
    """What `make` makes, from the store if it is there.

    Args:
        key: names the result completely; the first part says what it is.
        make: computes it, and gives no None.
        private: whether it came from what this reader brought: then it is kept for
            this session alone.
        place: an empty element that shows `words` meanwhile, or that others come first.
            With None for words `make` uses it itself.

    Raises:
        Busy: too many others compute something.
    """
    owner = _owner(private)
    found = STORE.get(key, owner)
    if found is None:

        def waiting(before: int) -> None:
            place.caption(f"Waiting for a place to compute; {before} come before.")

        try:
            with GATE.place(waiting):
                found = STORE.get(key, owner)  # another may have made it meanwhile
                if found is None:
                    found = make() if words is None else _shown(make, place, words)
                    STORE.put(key, found, owner)
                    bound_programs()
        except PROBLEMS:
            place.empty()
            raise
        place.empty()
    return found


def _shown(make: Callable[[], Made], place: DeltaGenerator, words: str) -> Made:
    with place, st.spinner(words):
        return make()


def peek(key: tuple[Hashable, ...], *, private: bool) -> Any:
    """What the store has under this key, or None."""
    return STORE.get(key, _owner(private))


def _owner(private: bool) -> object:
    return st.session_state.setdefault("session", _Session()) if private else None
