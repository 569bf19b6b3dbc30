"""How long runs of the page take, by how they end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from explorer.page.durations import Durations

RUN_TIMES = {outcome: Durations() for outcome in ("finished", "interrupted", "failed")}


@contextmanager
def timed_run() -> Iterator[None]:
    """Count the time of the `with` block, which is one run of the page."""
    start = time.monotonic()
    outcome = "finished"
    try:
        yield
    except Exception:
        outcome = "failed"
        raise
    except BaseException:  # by which Streamlit ends a run for a newer one
        outcome = "interrupted"
        raise
    finally:
        RUN_TIMES[outcome].add(time.monotonic() - start)
