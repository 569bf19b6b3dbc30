"""A filter for all loggers: clients can neither forge lines of the log nor fill it."""

import logging
import threading
import time
import traceback
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

WINDOW = 60.0  # seconds in which a message is logged in full once
MAX_LENGTH = 2_000  # characters of a message
ESCAPED = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}  # Unicode categories: control, format, separators

Kind = tuple[object, ...]


@dataclass
class Repeats:
    """How often a kind of message has been logged since `since`."""

    since: float
    count: int = 1


class LogFilter(logging.Filter):
    """Filter that escapes control characters, and counts messages that repeat.

    A message is logged in full once per `WINDOW`. The tenth, hundredth, … of its kind is logged
    in short with the count; the others are left out. Messages are of one kind if the same line of
    code logs them, with an exception from the same line: the text, which a client may choose,
    does not matter.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._repeats: dict[Kind, Repeats] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log a record, after escaping its text."""
        if record.name == "uvicorn.access":  # off by default; its formatter needs the arguments
            return True
        count, before = self._count(kind_of(record))
        if count > 1 and not is_power_of_ten(count):
            return False
        try:
            message = escaped(record.getMessage().rstrip("\n"))
        except Exception:  # the arguments do not fit
            message = escaped(str(record.msg))
        if len(message) > MAX_LENGTH:
            message = f"{message[:MAX_LENGTH]}… ({len(message)} characters)"
        if count > 1:
            message += f" ({count} times within {WINDOW:.0f} s)"
            record.exc_info = record.exc_text = None
        elif before > 1:
            message += f" ({before} times in an earlier {WINDOW:.0f} s)"
        record.msg, record.args = message, ()
        record.stack_info = None
        if isinstance(record.exc_info, tuple) and record.exc_info[1]:
            # What a formatter prints instead of formatting the exception itself.
            record.exc_text = escaped_traceback(record.exc_info[1])
        return True

    def _count(self, kind: Kind) -> tuple[int, int]:
        """Return how often a kind was logged in this window, and in the one before."""
        with self._lock:
            now = self._clock()
            repeats = self._repeats.get(kind)
            if repeats and now - repeats.since < WINDOW:
                repeats.count += 1
                return repeats.count, 0
            self._repeats[kind] = Repeats(now)
            return 1, repeats.count if repeats else 0


class FilteredLogger(logging.Logger):
    """A logger that is created after `filter_logs`."""

    log_filter = LogFilter()

    def __init__(self, name: str, level: int = logging.NOTSET) -> None:
        super().__init__(name, level)
        self.addFilter(self.log_filter)


def filter_logs() -> None:
    """Filter the messages of all loggers, and of those that are created later.

    Handlers would not do: Streamlit gives each of its loggers one, some of them later.
    """
    logging.setLoggerClass(FilteredLogger)
    root = logging.getLogger()
    for logger in (root, *root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            logger.addFilter(FilteredLogger.log_filter)


def kind_of(record: logging.LogRecord) -> Kind:
    """Return what records that differ only in their text have in common."""
    kind: Kind = (record.name, record.levelno, record.pathname, record.lineno)
    if not isinstance(record.exc_info, tuple) or not record.exc_info[1]:
        return kind
    return (*kind, record.exc_info[0], *_raised_at(record.exc_info[2]))


def _raised_at(trace: TracebackType | None) -> Kind:
    """Return the line of code that raised an exception."""
    if trace is None:
        return ()
    while trace.tb_next:
        trace = trace.tb_next
    return (trace.tb_frame.f_code.co_filename, trace.tb_lineno)


def escaped(text: str) -> str:
    """Return the text on one line, with control and formatting characters as `\\n`, `\\x1b`, …"""
    return "".join(
        each.encode("unicode_escape").decode() if unicodedata.category(each) in ESCAPED else each
        for each in text
    )


def escaped_traceback(error: BaseException) -> str:
    """Return a traceback with escaped messages; only lines of code are lines of their own."""
    lines = []
    for part in traceback.format_exception(error):
        is_frame = part.startswith("  File ")
        lines += part.splitlines() if is_frame else [part.strip("\n")]
    return "\n".join(escaped(line)[:MAX_LENGTH] for line in lines)


def is_power_of_ten(count: int) -> bool:
    """Return whether a positive count is 1, 10, 100, …"""
    return str(count).strip("0") == "1"
