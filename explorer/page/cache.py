"""Cache of computed results, bounded in entries, bytes and time.

Results that the page computes or decodes go through `get_or_compute`, and so through the work
limiter. Numbers of a result that are computed later take a slot of the limiter themselves.
"""

import itertools
import threading
import weakref
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np
import streamlit as st
from cachetools import TTLCache
from streamlit.delta_generator import DeltaGenerator

from explorer.engine.compilation_cache import limit_compiled_programs
from explorer.page.earlier_results import session_results
from explorer.page.errors import PROBLEMS
from explorer.page.limiter import LONG_WORK_LIMITER, WORK_LIMITER

MAX_ENTRIES, MAX_BYTES, SECONDS = 256, 2**30, 3600
Value = TypeVar("Value")


class Owner:
    """The session that a cached value belongs to; its values are dropped with it."""

    _identifiers = itertools.count(1)

    def __init__(self) -> None:
        self.identifier = next(self._identifiers)


class ResultCache:
    """Values by key. A value with an owner is dropped with its owner, at the next use."""

    def __init__(self, entries: int, size: int, seconds: float) -> None:
        # Every entry counts as at least one share of the bytes, which limits the entries too.
        share = size // entries
        self._values: TTLCache[tuple[int, Hashable], Any] = TTLCache(
            size, seconds, getsizeof=lambda value: max(size_of(value), share)
        )
        self._lock = threading.Lock()
        self._dropped: deque[tuple[int, Hashable]] = deque()  # keys whose owners are gone

    def names(self) -> list[Any]:
        """Return all keys, the oldest first."""
        with self._lock:
            self._drop()
            return [key for _, key in list(self._values)]

    def size(self) -> float:
        """Return the bytes that count against the limit."""
        with self._lock:
            self._drop()
            return self._values.currsize

    def get(self, key: Hashable, owner: Owner | None = None) -> Any:
        """Return the value of a key, or None."""
        with self._lock:
            self._drop()
            return self._values.get((_owner_id(owner), key))

    def put(self, key: Hashable, value: Any, owner: Owner | None = None) -> None:
        """Cache the value, unless it is larger than the whole cache."""
        full_key = _owner_id(owner), key
        with self._lock:
            self._drop()
            try:
                self._values[full_key] = value
            except ValueError:  # larger than the cache: it is computed each time
                return
        if owner is not None:
            # The garbage collector may call this at any moment, so it must not wait for the lock.
            weakref.finalize(owner, self._dropped.append, full_key).atexit = False

    def drop(self, full_key: tuple[int, Hashable]) -> None:
        """Drop the value of an owner's identifier and a key, if it is there."""
        with self._lock:
            self._values.pop(full_key, None)

    def _drop(self) -> None:
        while self._dropped:
            self._values.pop(self._dropped.popleft(), None)


def _owner_id(owner: Owner | None) -> int:
    return 0 if owner is None else owner.identifier


def size_of(value: Any) -> int:
    """Return the bytes of files and arrays in a record, a mapping or a sequence, each once."""
    return sum(dict(_buffers(value)).values())


def _buffers(value: Any) -> Iterator[tuple[int, int]]:
    """Yield the address and the bytes of every file and every array."""
    if isinstance(value, bytes):
        yield id(value), len(value)
    elif isinstance(value, np.ndarray):
        yield value.__array_interface__["data"][0], value.nbytes
    elif is_dataclass(value):
        for field in fields(value):
            yield from _buffers(getattr(value, field.name))
    elif isinstance(value, Mapping | list | tuple):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _buffers(each)


RESULT_CACHE = ResultCache(MAX_ENTRIES, MAX_BYTES, SECONDS)


def get_or_compute(
    key: tuple[Hashable, ...],
    compute: Callable[[], Value],
    *,
    private: bool,
    placeholder: DeltaGenerator,
    message: str | None,
    is_long: bool = False,
    is_quick: bool = False,
) -> Value:
    """Return the cached result of this key, or compute it in a slot of the work limiter.

    Args:
        key: identifies the result completely; its first part names the kind of result.
        compute: returns the result, never None.
        private: whether the result depends on an upload, so that it is cached for this session
            only.
        placeholder: an empty element that shows `message` during the computation, or the
            position in the queue. If `message` is None, `compute` fills the element.
        is_long: whether `compute` takes long and yields its slot to others between its parts.
        is_quick: whether `compute` takes a moment, so that a large result may be dropped once the
            session does not use it any more.

    Raises:
        Busy: too many computations are queued.
    """
    owner = owner_of(private)
    found = RESULT_CACHE.get(key, owner)
    if found is None:

        def show_queue(ahead: int) -> None:
            placeholder.caption(f"Waiting to compute: {ahead} requests are ahead in the queue.")

        try:
            with (
                LONG_WORK_LIMITER.slot(show_queue) if is_long else nullcontext(),
                WORK_LIMITER.slot(show_queue),
            ):
                found = RESULT_CACHE.get(key, owner)  # another session may have computed it
                if found is None:
                    if is_quick:
                        session_results().make_room(RESULT_CACHE.drop)
                    found = (
                        compute()
                        if message is None
                        else _with_spinner(compute, placeholder, message)
                    )
                    RESULT_CACHE.put(key, found, owner)
                    limit_compiled_programs()
        except PROBLEMS:
            placeholder.empty()
            raise
        placeholder.empty()
    if is_quick:
        session_results().use((_owner_id(owner), key), size_of(found))
    return found


def get_or_compute_part(key: tuple[Hashable, ...], compute: Callable[[], Value]) -> Value:
    """Return a cached part of a result, or compute it; for code that already has a slot."""
    found = RESULT_CACHE.get(key)
    if found is None:
        found = compute()
        RESULT_CACHE.put(key, found)
    return found


def _with_spinner(compute: Callable[[], Value], placeholder: DeltaGenerator, message: str) -> Value:
    with placeholder, st.spinner(message):
        return compute()


def get_cached(key: tuple[Hashable, ...], *, private: bool) -> Any:
    """Return the cached result of this key, or None."""
    return RESULT_CACHE.get(key, owner_of(private))


def owner_of(private: bool) -> Owner | None:
    return st.session_state.setdefault("session", Owner()) if private else None
