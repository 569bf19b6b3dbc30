"""What has been computed, kept for the next rerun: bounded in entries, bytes and time.

Everything that the page computes or decodes goes through `kept`, and so through the gate.
"""

import itertools
import threading
import weakref
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from contextlib import nullcontext
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np
import streamlit as st
from cachetools import TTLCache
from streamlit.delta_generator import DeltaGenerator

from explorer.page.errors import PROBLEMS
from explorer.page.gate import GATE, LONG
from explorer.programs import bound_programs

MAX_ENTRIES, MAX_BYTES, SECONDS = 256, 2**30, 3600
Made = TypeVar("Made")


class Owner:
    """Stands for whom a value belongs to, and goes with them. No two have the same number."""

    _numbers = itertools.count(1)

    def __init__(self) -> None:
        self.number = next(self._numbers)


class Store:
    """Values by key. A value with an owner is let go with its owner, at the next use."""

    def __init__(self, entries: int, size: int, seconds: float) -> None:
        # Counting every entry as a full share of the bytes bounds their number too.
        share = size // entries
        self._values: TTLCache[tuple[int, Hashable], Any] = TTLCache(
            size, seconds, getsizeof=lambda value: max(size_of(value), share)
        )
        self._lock = threading.Lock()
        self._gone: deque[tuple[int, Hashable]] = deque()  # keys whose owners are gone

    def names(self) -> list[Any]:
        """What there is, the longest kept first."""
        with self._lock:
            self._let_go()
            return [key for _, key in list(self._values)]

    def get(self, key: Hashable, owner: Owner | None = None) -> Any:
        """The value, or None."""
        with self._lock:
            self._let_go()
            return self._values.get((_number(owner), key))

    def put(self, key: Hashable, value: Any, owner: Owner | None = None) -> None:
        """Keeps the value, if it is not larger than all that may be kept."""
        full_key = _number(owner), key
        with self._lock:
            self._let_go()
            try:
                self._values[full_key] = value
            except ValueError:  # larger than the store: it is made anew each time
                return
        if owner is not None:
            # The garbage collector may call this at any moment, so it must not wait for the lock.
            weakref.finalize(owner, self._gone.append, full_key).atexit = False

    def _let_go(self) -> None:
        while self._gone:
            self._values.pop(self._gone.popleft(), None)


def _number(owner: Owner | None) -> int:
    return 0 if owner is None else owner.number


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


def kept(
    key: tuple[Hashable, ...],
    make: Callable[[], Made],
    *,
    private: bool,
    place: DeltaGenerator,
    words: str | None,
    is_long: bool = False,
) -> Made:
    """What `make` makes, from the store if it is there.

    Args:
        key: names the result completely; the first part says what it is.
        make: computes it, and gives no None.
        private: whether it came from what this reader brought: then it is kept for
            this session alone.
        place: an empty element that shows `words` meanwhile, or that others come first.
            With None for words `make` uses it itself.
        is_long: whether it takes long and gives way to others between its parts.

    Raises:
        Busy: too many others compute something.
    """
    owner = _owner(private)
    found = STORE.get(key, owner)
    if found is None:

        def waiting(before: int) -> None:
            place.caption(f"Waiting for a place to compute; {before} come before.")

        try:
            with LONG.place(waiting) if is_long else nullcontext(), GATE.place(waiting):
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


def _owner(private: bool) -> Owner | None:
    return st.session_state.setdefault("session", Owner()) if private else None
