"""Predicted classes against labels: the confusion matrix and the pictures behind it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from explorer.errors import InputError, as_array, check_integer, describe


def confusion(labels: np.ndarray, predicted: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Return the confusion matrix `(K, K)` int: pictures by label (rows) and prediction (columns).

    Args:
        labels, predicted: `(N,)` integers, 0 … K−1.
        classes: the K names of the classes.

    Raises:
        InputError: an argument is outside its documented range.
    """
    true, guessed = _check_pair(labels, predicted)
    if not isinstance(classes, list | tuple) or not classes:
        raise InputError(f"classes must be a list of the classes' names, got {describe(classes)}.")
    count = len(classes)
    for name, values in (("labels", true), ("predicted", guessed)):
        outside = values[(values < 0) | (values >= count)]
        if outside.size:
            raise InputError(
                f"{name} must be from 0 to {count - 1} for {count} classes, got {outside[0]}."
            )
    found = np.zeros((count, count), int)
    np.add.at(found, (true, guessed), 1)
    return found


def misclassified(labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return the indices of the pictures whose predicted class is not their label, ascending.

    Args:
        labels, predicted: `(N,)` integers.

    Raises:
        InputError: they are not such arrays of one length.
    """
    true, guessed = _check_pair(labels, predicted)
    return np.flatnonzero(true != guessed)


def in_cell(labels: np.ndarray, predicted: np.ndarray, true: int, guess: int) -> np.ndarray:
    """Return the indices of the pictures in one cell of the confusion matrix, ascending.

    Args:
        labels, predicted: `(N,)` integers.
        true: the label, the cell's row.
        guess: the predicted class, the cell's column.

    Raises:
        InputError: an argument is outside its documented range.
    """
    given, guessed = _check_pair(labels, predicted)
    row = check_integer("true", true, 0, None)
    column = check_integer("guess", guess, 0, None)
    return np.flatnonzero((given == row) & (guessed == column))


def _check_pair(labels: Any, predicted: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return both arrays; InputError unless they are `(N,)` integers of one length."""
    pair = as_array("labels", labels), as_array("predicted", predicted)
    for name, array in zip(("labels", "predicted"), pair, strict=True):
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise InputError(
                f"{name} must be integers (N,), got shape {array.shape} of {array.dtype.name}."
            )
    if len(pair[0]) != len(pair[1]):
        raise InputError(
            f"labels and predicted must have one length, got {len(pair[0])} and {len(pair[1])}."
        )
    return pair
