"""The confusion matrix and its pictures, by hand and against a loop."""

import numpy as np
import pytest

from explorer import InputError
from explorer.analysis.classification import confusion, in_cell, misclassified

LABELS = np.array([0, 0, 1, 2, 2, 2])
PREDICTED = np.array([0, 1, 1, 0, 2, 0])
NAMES = ("a", "b", "c")


def test_by_hand() -> None:
    expected = [[1, 1, 0], [0, 1, 0], [2, 0, 1]]
    np.testing.assert_array_equal(confusion(LABELS, PREDICTED, NAMES), expected)
    np.testing.assert_array_equal(misclassified(LABELS, PREDICTED), [1, 3, 5])
    np.testing.assert_array_equal(in_cell(LABELS, PREDICTED, 2, 0), [3, 5])
    assert in_cell(LABELS, PREDICTED, 1, 2).size == 0


def test_a_class_without_pictures_has_a_row() -> None:
    found = confusion(LABELS, PREDICTED, (*NAMES, "d"))
    assert found.shape == (4, 4)
    assert found[3].sum() == found[:, 3].sum() == 0


def test_many_pictures_equal_a_loop() -> None:
    random = np.random.default_rng(0)
    labels, predicted = random.integers(5, size=(2, 300)).astype(np.uint8)
    found = confusion(labels, predicted, list("abcde"))
    for true in range(5):
        for guess in range(5):
            cell = in_cell(labels, predicted, true, guess)
            assert cell.tolist() == [
                index
                for index, pair in enumerate(zip(labels, predicted, strict=True))
                if pair == (true, guess)
            ]
            assert found[true, guess] == len(cell)
    assert len(misclassified(labels, predicted)) == 300 - np.trace(found)


def test_what_is_refused() -> None:
    with pytest.raises(InputError, match="labels and predicted must have one length, got 6 and 5"):
        misclassified(LABELS, PREDICTED[:5])
    with pytest.raises(InputError, match=r"predicted must be integers \(N,\), got shape \(6,\) of"):
        misclassified(LABELS, PREDICTED / 2)
    with pytest.raises(InputError, match=r"labels must be integers \(N,\), got shape \(1, 6\)"):
        in_cell(LABELS[None], PREDICTED, 0, 0)
    with pytest.raises(InputError, match="labels must be from 0 to 1 for 2 classes, got 2"):
        confusion(LABELS, PREDICTED, NAMES[:2])
    with pytest.raises(InputError, match="predicted must be from 0 to 2 for 3 classes, got -1"):
        confusion(LABELS, PREDICTED - 1, NAMES)
    with pytest.raises(InputError, match="classes must be a list of the classes' names, got 3"):
        confusion(LABELS, PREDICTED, 3)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="true must be an integer of at least 0, got -1"):
        in_cell(LABELS, PREDICTED, -1, 0)
