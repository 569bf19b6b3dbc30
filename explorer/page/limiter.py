"""A limiter of concurrent computations, with a bounded queue."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from explorer.page.cores import usable_cores
from explorer.page.durations import Durations

POLL_SECONDS = 0.25  # between checks whether the user still waits


class Busy(Exception):
    """The error when no slot is free. The message is for the user."""


class WorkLimiter:
    """A limit on concurrent computations.

    At most `slots` computations run and `queue` wait, each for up to `timeout` seconds. They
    get slots in the order of their arrival.

    Attributes:
        waits: for a slot, of work that is not patient.
        refused: how often it raised `Busy`.
    """

    def __init__(self, slots: int, queue: int, timeout: float) -> None:
        self._slots = self._free = slots
        self._queue: deque[threading.Event] = deque()
        self._max_queued = queue
        self._timeout = timeout
        self._lock = threading.Lock()
        self.waits = Durations()
        self.refused = 0

    @property
    def running(self) -> int:
        """Number of slots that are held."""
        with self._lock:
            return self._slots - self._free

    @property
    def queued(self) -> int:
        """Number of computations that wait for a slot."""
        with self._lock:
            return len(self._queue)

    @contextmanager
    def slot(
        self, on_wait: Callable[[int], None] = lambda ahead: None, *, is_patient: bool = False
    ) -> Iterator[None]:
        """Hold a slot during the `with` block.

        `on_wait` is called periodically with the number of requests ahead in the queue. With
        `is_patient` neither the queue's length nor the time is limited.

        Raises:
            Busy: the queue is full, or the wait exceeds the timeout.
        """
        limits = (float("inf"), None) if is_patient else (self._timeout, self._max_queued)
        start = time.monotonic()
        try:
            self._acquire(on_wait, *limits)
        except Busy:
            with self._lock:
                self.refused += 1
            raise
        if not is_patient:
            self.waits.add(time.monotonic() - start)
        try:
            yield
        finally:
            self._release()

    def yield_slot(self) -> None:
        """Let queued work run first; for long computations, between their parts."""
        with self._lock:
            is_wanted = bool(self._queue)
        if is_wanted:
            self._release()
            self._acquire(lambda ahead: None, float("inf"), None)

    def _acquire(
        self, on_wait: Callable[[int], None], timeout: float, max_queued: int | None
    ) -> None:
        with self._lock:
            if self._free and not self._queue:
                self._free -= 1
                return
            if max_queued is not None and len(self._queue) >= max_queued:
                raise Busy(
                    f"Server busy: {len(self._queue)} requests are queued. Try again in a moment."
                )
            turn = threading.Event()
            self._queue.append(turn)
        deadline = time.monotonic() + timeout
        try:
            while not turn.wait(POLL_SECONDS):
                if time.monotonic() > deadline:
                    raise Busy(
                        f"Server busy: no slot became free within {timeout:g} seconds. Try again "
                        "in a moment."
                    )
                on_wait(self._ahead_of(turn))
        except BaseException:  # Streamlit also stops a script by an exception
            with self._lock:
                has_slot = turn not in self._queue
                if not has_slot:
                    self._queue.remove(turn)
            if has_slot:
                self._release()
            raise

    def _ahead_of(self, turn: threading.Event) -> int:
        with self._lock:
            return self._queue.index(turn) if turn in self._queue else 0

    def _release(self) -> None:
        with self._lock:
            if self._queue:
                self._queue.popleft().set()  # the first in the queue gets the slot
            else:
                self._free += 1


WORK_LIMITER = WorkLimiter(slots=usable_cores(), queue=64, timeout=20)
# Long computations acquire a slot of this limiter first. They yield their slot of the other one,
# so without a limit of their own they would yield to each other and none would finish.
LONG_WORK_LIMITER = WorkLimiter(slots=usable_cores(), queue=64, timeout=120)
