"""The exception for invalid input, and checks of arguments that raise it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


class InputError(ValueError):
    """An argument or a file that cannot be used.

    The message states what is wrong, what was received and what was expected. It is safe to
    show to the user.
    """


def describe(value: Any, limit: int = 40) -> str:
    """Return a short description of any value, for an error message.

    Large integers, which Python may refuse to print, are described by their size, and objects
    that cannot be printed by their type; other texts are one line of at most `limit` characters.
    """
    if isinstance(value, int) and value.bit_length() > 128:
        return f"an integer of {value.bit_length()} bits"
    try:
        text = " ".join(repr(value).split())
    except Exception:  # a foreign __repr__ may raise anything
        text = f"an object of type {type(value).__name__}"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def as_array(name: str, value: Any) -> np.ndarray:
    """Return `np.asarray(value)`.

    Raises:
        InputError: NumPy cannot read the value, or it is an array with masked values.
    """
    if np.ma.is_masked(value):
        raise InputError(
            f"{name} has masked values, which would be read as numbers; replace them first, for "
            f"instance with {name}.filled(0)."
        )
    try:
        return np.asarray(value)
    except Exception:  # a foreign __array__ may raise anything
        raise InputError(
            f"{name} must be a number or one array of numbers with rows of equal length, got "
            f"{describe(value)}."
        ) from None


def check_array(name: str, value: Any, *axes: int) -> np.ndarray:
    """Return `value` as an array of real numbers; bfloat16 and float8 count as such.

    Args:
        name: the argument's name, for the error message.
        value: any object.
        axes: the legal numbers of axes; none for any number.

    Raises:
        InputError: `value` is no such array, or it has no values.
    """
    array = as_array(name, value)
    if array.dtype.kind not in "biuf" and not np.can_cast(array.dtype, np.float32):
        raise InputError(f"{name} must hold real numbers, got dtype {describe(array.dtype.name)}.")
    if axes and array.ndim not in axes:
        raise InputError(
            f"{name} must have {' or '.join(map(str, axes))} axes, got {array.ndim} with shape "
            f"{array.shape}."
        )
    if array.size == 0:
        raise InputError(f"{name} must have no empty axis, got shape {array.shape}.")
    return array


def check_type(name: str, value: Any, kind: type[T]) -> T:
    """Return `value`; InputError unless it is an instance of `kind`."""
    if isinstance(value, kind):
        return value
    raise InputError(f"{name} must be a {kind.__name__}, got {describe(value)}.")


def check_list(name: str, value: Any, kind: type) -> None:
    """Raise InputError unless `value` is a list or tuple of one or more objects of this type."""
    if not isinstance(value, list | tuple) or not value:
        raise InputError(
            f"{name} must be a list of at least one {kind.__name__}, got {describe(value)}."
        )
    for index, each in enumerate(value):
        check_type(f"{name}[{index}]", each, kind)


def check_dict(name: str, value: Any, kind: type) -> None:
    """Raise InputError unless `value` is a dict of one or more objects of this type."""
    if not isinstance(value, dict) or not value:
        raise InputError(
            f"{name} must be a dict of at least one {kind.__name__}, got {describe(value)}."
        )
    for key, each in value.items():
        check_type(f"{name}[{describe(key)}]", each, kind)


def check_choice(name: str, value: Any, choices: Iterable[str]) -> str:
    """Return `value`; InputError unless it is one of `choices`."""
    names = tuple(choices)
    if isinstance(value, str) and value in names:
        return value
    raise InputError(f"{name} must be one of {', '.join(names)}; got {describe(value)}.")


def check_path(name: str, value: Any) -> Path:
    """Return `value` as a path; InputError unless it is a text or a path."""
    if isinstance(value, str | Path):
        return Path(value)
    raise InputError(f"{name} must be the path of a file, got {describe(value)}.")


def check_flag(name: str, value: Any) -> bool:
    """Return `value` as a bool; InputError unless it is True or False."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise InputError(f"{name} must be True or False, got {describe(value)}.")


def check_integer(name: str, value: Any, low: int, high: int | None) -> int:
    """Return `value` as an int, without rounding or wrapping; `3.0` is accepted as 3.

    Args:
        name: the argument's name, for the error message.
        value: any object.
        low, high: the smallest and largest legal integer; None for no upper limit.

    Raises:
        InputError: `value` is not an integer in this range.
    """
    array = _scalar(value)
    if array is not None and np.isfinite(array):
        integer = int(array)
        if integer == array and integer >= low and (high is None or integer <= high):
            return integer
    expected = f"from {low} to {high}" if high is not None else f"of at least {low}"
    raise InputError(f"{name} must be an integer {expected}, got {describe(value)}.")


def check_real(name: str, value: Any) -> float:
    """Return `value` as a float, with 0.0 for −0.0.

    Args:
        name: the argument's name, for the error message.
        value: any object.

    Raises:
        InputError: `value` is not a real number within float32's range.
    """
    array = _scalar(value)
    if array is not None:
        real = float(array) + 0.0
        if abs(real) <= float(np.finfo(np.float32).max):
            return real
    raise InputError(
        f"{name} must be a real number within float32's range of ±3.4e38, got {describe(value)}."
    )


def _scalar(value: Any) -> np.ndarray | None:
    """Return an integer or a real number of any type as an array without axes; else None."""
    if not np.isscalar(value) and not hasattr(value, "dtype"):
        return None
    try:
        array = as_array("value", value)
    except InputError:
        return None
    return array if array.ndim == 0 and array.dtype.kind in "iuf" else None
