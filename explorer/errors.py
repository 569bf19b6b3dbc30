"""The exception for invalid input, and checks of arguments that raise it."""

from typing import Any

import numpy as np


class InputError(ValueError):
    """An argument or a file that cannot be used.

    The message states what is wrong, what was received and what was expected. It is safe to
    show to the user.
    """


def describe(value: Any, limit: int = 40) -> str:
    """Return a short description of any value, for an error message.

    Large integers, which Python may refuse to print, are described by their size; other texts
    are truncated to `limit` characters.
    """
    if isinstance(value, int) and value.bit_length() > 128:
        return f"an integer of {value.bit_length()} bits"
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def check_integer(name: str, value: Any, low: int, high: int | None) -> int:
    """Return `value` as an int, without rounding or wrapping; `3.0` is accepted as 3.

    Args:
        name: the argument's name, for the error message.
        value: any object.
        low, high: the smallest and largest legal integer; None for no upper limit.

    Raises:
        InputError: `value` is not an integer in this range.
    """
    array = np.asarray(value) if np.isscalar(value) or hasattr(value, "dtype") else np.empty(0)
    if array.ndim == 0 and array.dtype.kind in "iuf" and np.isfinite(array):
        integer = int(array)
        if integer == array and integer >= low and (high is None or integer <= high):
            return integer
    expected = f"from {low} to {high}" if high is not None else f"of at least {low}"
    raise InputError(f"{name} must be an integer {expected}, got {describe(value)}.")
