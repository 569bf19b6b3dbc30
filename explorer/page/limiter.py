"""How many readers' work runs at once; the others wait their turn, up to a point."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOOK = 0.25  # seconds between two looks at whether the reader still waits


class Busy(Exception):
    """There is no place for this work now; the message says so and what to do."""


class WorkLimiter:
    """At most `places` hold the gate at once, at most `queue` wait, each up to `timeout` seconds.

    Those who wait are let in in the order in which they came.
    """

    def __init__(self, places: int, queue: int, timeout: float) -> None:
        self._free = places
        self._queue: deque[threading.Event] = deque()
        self._most = queue
        self._patience = timeout
        self._lock = threading.Lock()

    @contextmanager
    def slot(self, waiting: Callable[[int], None] = lambda before: None) -> Iterator[None]:
        """A place while the block lasts.

        `waiting` is called now and then with how many still come before this one.

        Raises:
            Busy: the queue is full, or the wait too long.
        """
        self._enter(waiting, self._patience, self._most)
        try:
            yield
        finally:
            self._leave()

    def yield_slot(self) -> None:
        """Lets those who wait go first; for work that takes long, between its parts."""
        with self._lock:
            is_wanted = bool(self._queue)
        if is_wanted:
            self._leave()
            self._enter(lambda before: None, float("inf"), None)

    def _enter(self, waiting: Callable[[int], None], timeout: float, most: int | None) -> None:
        with self._lock:
            if self._free and not self._queue:
                self._free -= 1
                return
            if most is not None and len(self._queue) >= most:
                raise Busy(
                    f"Server busy: {len(self._queue)} requests are queued. Try again in a moment."
                )
            turn = threading.Event()
            self._queue.append(turn)
        deadline = time.monotonic() + timeout
        try:
            while not turn.wait(LOOK):
                if time.monotonic() > deadline:
                    raise Busy(
                        f"Server busy: no slot became free within {timeout:g} seconds. Try again "
                        "in a moment."
                    )
                waiting(self._before(turn))
        except BaseException:  # Streamlit also stops a script by an exception
            with self._lock:
                has_place = turn not in self._queue
                if not has_place:
                    self._queue.remove(turn)
            if has_place:
                self._leave()
            raise

    def _before(self, turn: threading.Event) -> int:
        with self._lock:
            return self._queue.index(turn) if turn in self._queue else 0

    def _leave(self) -> None:
        with self._lock:
            if self._queue:
                self._queue.popleft().set()  # the place goes from hand to hand
            else:
                self._free += 1


WORK_LIMITER = WorkLimiter(places=os.cpu_count() or 1, queue=64, timeout=20)
# Before it, for long work: of what gives way only so much is begun, else none would ever end.
LONG_WORK_LIMITER = WorkLimiter(places=os.cpu_count() or 1, queue=64, timeout=120)
