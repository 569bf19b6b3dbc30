"""The one exception that a reader's input can cause, and how its message is made."""

from typing import Any

import numpy as np


class InputError(ValueError):
    """An argument or a file that the explorer cannot use.

    Its message is one plain sentence that says what is wrong, what was
    received and what is accepted; it is safe to show as it is.
    """


def describe(value: Any, limit: int = 40) -> str:
    """A short text of any received value, for an error message.

    Integers of thousands of digits, which Python refuses to print, are told by
    their size; everything else is cut at `limit` characters.
    """
    if isinstance(value, int) and value.bit_length() > 128:
        return f"an integer of {value.bit_length()} bits"
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def check_whole_number(name: str, value: Any, low: int, high: int | None) -> int:
    """`value` as an int; InputError unless it is whole and in `low … high`.

    `3.0` counts as 3. Nothing is rounded and nothing wraps.
    """
    array = np.asarray(value) if np.isscalar(value) or hasattr(value, "dtype") else np.empty(0)
    if array.ndim == 0 and array.dtype.kind in "iuf" and np.isfinite(array):
        number = int(array)
        if number == array and number >= low and (high is None or number <= high):
            return number
    legal = f"from {low} to {high}" if high is not None else f"of at least {low}"
    raise InputError(f"{name} must be a whole number {legal}, got {describe(value)}.")
