"""Durations counted in buckets, as the histograms of the server's metrics need them."""

import threading
from bisect import bisect_left
from itertools import accumulate

BOUNDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 120.0)  # seconds


class Durations:
    """Numbers of durations up to each of `BOUNDS`, and their sum."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self._sum = 0.0
        self._lock = threading.Lock()

    def add(self, seconds: float) -> None:
        """Count a duration."""
        with self._lock:
            self._counts[bisect_left(BOUNDS, seconds)] += 1
            self._sum += seconds

    def totals(self) -> tuple[list[int], float]:
        """Return the number of durations up to each bound, the number of all, and their sum."""
        with self._lock:
            return list(accumulate(self._counts)), self._sum
