"""Counts of what the middleware refuses, for the metrics."""

from collections import Counter
from enum import StrEnum


class Refusal(StrEnum):
    """A kind of refusal."""

    SESSIONS = "sessions"
    MESSAGE_SIZE = "message_size"
    MESSAGE_RATE = "message_rate"
    UPLOAD = "upload"
    ORIGIN = "origin"


REFUSALS: Counter[Refusal] = Counter()  # only the event loop's thread changes it
