"""Collection of garbage, for a small part of the time."""

import asyncio
import gc
import time

PAUSE = 1.0  # second between collections, at least
SHARE = 1 / 20  # of the time that collections may take


async def collect_garbage() -> None:
    """Collect garbage while the page is in use.

    Streamlit's own collection (`runner.postScriptGC`) follows every run. With 150 sessions each
    took 0.1 s, in which no other user is served, and most of the server's time in all.
    """
    pause, seen = PAUSE, -1
    while True:
        await asyncio.sleep(pause)
        young = gc.get_stats()[0]["collections"]
        if young == seen:  # nothing has happened
            continue
        start = time.perf_counter()
        gc.collect()
        pause = max(PAUSE, (time.perf_counter() - start) / SHARE)
        seen = gc.get_stats()[0]["collections"]
