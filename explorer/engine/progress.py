"""The progress of long computations, as they report it to a function of the caller."""

from collections.abc import Callable
from typing import Any

from explorer.errors import InputError, describe

Progress = Callable[[int, int], None]


def check_progress(progress: Any) -> Progress:
    """Return the function `progress`, or one that does nothing for None."""
    if progress is None:
        return no_progress
    if not callable(progress):
        raise InputError(
            "progress must be a function of the number of blocks done and in total, or None; got "
            f"{describe(progress)}."
        )
    found: Progress = progress
    return found


def no_progress(done: int, total: int) -> None:
    """Do nothing; stands in for a `progress` of None."""
