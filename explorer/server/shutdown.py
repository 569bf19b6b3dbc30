"""A limit on the time that the server takes to end."""

import os
import signal
import threading
from types import FrameType

GRACE = 3  # seconds


def limit_shutdown() -> None:
    """End the process at the latest `GRACE` seconds after SIGTERM; call it when uvicorn runs.

    uvicorn waits for requests in progress without a limit, and a slow upload may take minutes.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # no signal can be handled
    previous = signal.getsignal(signal.SIGTERM)

    def end(number: int, frame: FrameType | None) -> None:
        timer = threading.Timer(GRACE, os._exit, [128 + number])
        timer.daemon = True
        timer.start()
        if callable(previous):
            previous(number, frame)

    signal.signal(signal.SIGTERM, end)
