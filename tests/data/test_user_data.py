"""The user's own data, given as arrays and as a file."""

import io
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.data import Dataset, dataset_from_arrays, read_dataset
from explorer.data.prepare import prepare
from explorer.errors import InputError
from tests.files import npz

X = np.arange(48.0).reshape(8, 2, 3)
Y = np.array([7, 3] * 4)


def raw(images: np.ndarray, data: Dataset) -> np.ndarray:
    """Return pictures of whole numbers as they were given, in float64."""
    return np.rint(images.astype(float) * data.deviation + data.mean)


def test_pictures_labels_and_names() -> None:
    data = dataset_from_arrays(X, Y, title="Ramps")
    assert data.classes == ("3", "7")
    assert data.shape == (2, 3, 1)
    assert (len(data.train_labels), len(data.test_labels)) == (6, 2)
    for images, labels in (
        (data.train_images, data.train_labels),
        (data.test_images, data.test_labels),
    ):
        at = raw(images, data)[:, 0, 0, 0].astype(int) // 6
        np.testing.assert_array_equal(raw(images, data)[..., 0], X[at])
        assert [data.classes[label] for label in labels] == [str(label) for label in Y[at]]
    assert data.title == "Ramps"


def test_standardisation_is_that_of_the_training_pictures() -> None:
    data = dataset_from_arrays(X, Y)
    train = raw(data.train_images, data)
    assert data.mean == train.sum() / 36
    np.testing.assert_allclose(data.deviation, np.sqrt(np.square(train - data.mean).sum() / 36))
    expected = ((raw(data.test_images, data) - data.mean) / data.deviation).astype(np.float32)
    np.testing.assert_array_equal(data.test_images, expected)


@given(st.integers(0, 2**32 - 1), st.integers(2, 20), st.integers(1, 4))
@settings(deadline=None, max_examples=25)
def test_every_picture_is_there_once(seed: int, classes: int, channels: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(rng.permutation(1000)[:classes] - 500, rng.integers(2, 9)))
    x = rng.permutation(len(y) * 4 * channels).reshape(len(y), 2, 2, channels)
    data = dataset_from_arrays(x, y, seed=seed)
    images = np.concatenate([data.train_images, data.test_images])
    labels = np.concatenate([data.train_labels, data.test_labels])
    found = {
        tuple(image): int(data.classes[label])
        for image, label in zip(raw(images, data).reshape(len(y), -1), labels, strict=True)
    }
    assert found == {tuple(a): b for a, b in zip(x.reshape(len(y), -1), y, strict=True)}


def test_the_users_arrays_are_left_alone() -> None:
    x, y = X.astype(np.float32), Y.astype(np.int32)
    dataset_from_arrays(x, y)
    np.testing.assert_array_equal(x, X)
    assert x.flags.writeable
    assert y.flags.writeable


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        ([0, 1], ("0", "1")),
        ([-5, 1000], ("-5", "1000")),
        ([2.0, 1.0], ("1", "2")),
        ([True, False], ("0", "1")),
        (np.array([2**64 - 1, 5], np.uint64), ("5", str(2**64 - 1))),
        (np.array([2**53, 2**53 + 1]), (str(2**53), str(2**53 + 1))),
        (np.array([3, 1], np.float16), ("1", "3")),
    ],
    ids=["0, 1", "negative", "floats", "bools", "uint64", "int64", "float16"],
)
def test_labels_of_any_type_keep_their_values(y: Any, classes: tuple[str, str]) -> None:
    labels = np.tile(np.asarray(y), 4)
    assert dataset_from_arrays(X, labels).classes == classes
    assert read_dataset(npz(x=X, y=labels)).classes == classes


def test_a_file_gives_what_its_arrays_give() -> None:
    for x in (X, np.asfortranarray(X[..., None]), X.astype(np.uint8), X.astype(">f4")):
        given, read = dataset_from_arrays(x, Y, seed=5), read_dataset(npz(x=x, y=Y), seed=5)
        np.testing.assert_array_equal(read.train_images, given.train_images)
        np.testing.assert_array_equal(read.train_labels, given.train_labels)
        np.testing.assert_array_equal(read.test_images, given.test_images)
        np.testing.assert_array_equal(read.test_labels, given.test_labels)
        assert read.key == given.key == dataset_from_arrays(X, Y, seed=5).key


def test_other_arrays_of_the_file_are_ignored() -> None:
    file = io.BytesIO()
    np.savez(file, other=np.array(["text"]), y=Y, x=X)
    assert read_dataset(file.getvalue()).key == dataset_from_arrays(X, Y).key


def test_the_key_depends_on_everything_that_fixes_the_numbers() -> None:
    changed = X.copy()
    changed[0, 0, 0] = 5
    every = [
        dataset_from_arrays(X, Y),
        dataset_from_arrays(X, Y, seed=1),
        dataset_from_arrays(changed, Y),
        dataset_from_arrays(X.reshape(8, 3, 2), Y),
        dataset_from_arrays(X, Y[::-1]),
        dataset_from_arrays(X, Y + 1),
    ]
    assert len({data.key for data in every}) == len(every)
    assert all(data.key[0] == "arrays" for data in every)


def test_the_largest_legal_data_set_is_read() -> None:
    x = np.zeros((5000, 32, 32, 4), np.uint8)
    x[::2] = 1
    y = np.arange(5000) % 20
    data = read_dataset(npz(x=x, y=y))
    assert data.train_images.shape == (4000, 32, 32, 4)
    assert data.test_images.shape == (1000, 32, 32, 4)
    assert data.number_of_classes == 20


def test_one_pixel_and_four_pictures_are_enough() -> None:
    data = dataset_from_arrays(np.arange(4).reshape(4, 1, 1), np.array([0, 0, 1, 1]))
    assert data.train_images.shape == data.test_images.shape == (2, 1, 1, 1)


def with_value(value: float) -> np.ndarray:
    x = X.copy()
    x[2, 1, 0] = value
    return x


# NumPy warns where it is rounded or converted.
SIGNALLING_NAN = np.array([0x7FF0000000000001] * 8, np.uint64).view(np.float64)
# Arrays, and what is said of them, given as arrays or in a file.
BAD: dict[str, tuple[Any, Any, str]] = {
    "1-D x": (np.ones(8), Y, r"x must have 3 axes .* or 4 axes .*, got 1 with shape 8; .*reshape"),
    "2-D x": (np.ones((8, 64)), Y, r"got 2 with shape 8×64; .* x\.reshape\(len\(x\), H, W\)"),
    "5-D x": (np.ones((8, 1, 1, 1, 1)), Y, "got 5 with shape"),
    "0-D x": (np.array(1.0), Y, r"got 0 with shape \(\)"),
    "2-D y": (X, np.eye(8), r"y must have 1 axis, .* shape 8×8; use y\.argmax\(axis=1\)"),
    "column y": (X, Y[:, None], r"y must have 1 axis, .* shape 8×1; use y\.ravel\(\)\."),
    "0-D y": (X, np.array(3), r"y must have 1 axis, .* got 0 with shape \(\)\."),
    "fewer labels": (X, Y[:7], "x has 8 pictures but y has 7 labels; expected one label"),
    "too many pictures": (
        np.ones((5001, 1, 1)),
        np.arange(5001) % 2,
        "has 5,001 (pictures|labels); the limit is 5,000: keep some .* keep = numpy.random",
    ),
    "too high": (
        np.ones((8, 33, 2)),
        Y,
        r"33×2 pixels; the limit is 32×32: .* x\[:, :32, :32\]",
    ),
    "too wide": (np.ones((8, 2, 33, 3)), Y, "of 2×33 pixels; the limit is 32×32"),
    "channels": (np.ones((8, 6, 6, 5)), Y, r"of 5 channels; the limit is 4\."),
    "channels first": (
        np.ones((8, 3, 40, 40)),
        Y,
        r"of 40 channels; the limit is 4: if they come first, use x.transpose\(0, 2, 3, 1\)",
    ),
    "NaN": (with_value(np.nan), Y, r"\(1 NaN, .* at image 2, row 1, column 0"),
    "infinity": (with_value(-np.inf), Y, r"\(0 NaN, 1 infinite"),
    "beyond float32": (with_value(1e300), Y, r"\(0 NaN, 1 infinite or beyond float32's range"),
    "all equal": (np.full((8, 2, 2), 0.5), Y, "x has the same value, 0.5, everywhere"),
    "one class": (X, np.full(8, 4), "y has only the label 4; expected at least 2"),
    "21 classes": (
        np.ones((42, 1, 1)),
        np.arange(42) // 2 * 10,
        r"y has 21 different labels; the limit is 20: .* x\[y < 200\]",
    ),
    "single picture": (X, [9, 3, 3, 3, 4, 4, 4, 4], "y has the label 9 only once; expected"),
    "fractions": (X, Y + 0.5, "whole numbers within ±2⁵³, got 7.5 at position 0"),
    "NaN label": (X, np.where(Y > 5, Y, np.nan), "got nan at position 1"),
    "signalling NaN": (
        np.tile(SIGNALLING_NAN[:, None, None], (1, 2, 3)),
        Y,
        r"\(48 NaN, 0 infinite",
    ),
    "signalling NaN label": (X, SIGNALLING_NAN, "got nan at position 0"),
    "longdouble NaN label": (X, np.full(8, np.nan, np.longdouble), "got nan at position 0"),
    "infinite label": (X, np.where(Y > 5, Y, np.inf), "got inf at position 1"),
    "label beyond 2⁵³": (X, Y * 1e17, "got 7e[+]17 at position 0"),
    "complex x": (X * 1j, Y, "complex"),
    "complex y": (X, Y * 1j, "complex"),
}


@pytest.mark.parametrize("read", [False, True], ids=["arrays", "file"])
@pytest.mark.parametrize(("x", "y", "message"), BAD.values(), ids=BAD)
def test_bad_arrays_give_one_sentence(x: Any, y: Any, message: str, read: bool) -> None:
    data = npz(x=np.asarray(x), y=np.asarray(y))
    with pytest.raises(InputError) as caught:
        read_dataset(data) if read else dataset_from_arrays(x, y)
    assert re.search(message, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X[:0], Y[:0], "x must have no empty axis, got shape .0, 2, 3."),
        (X, Y[:0], "y must have no empty axis"),
        (X.astype(object), Y, "x must hold real numbers, got dtype 'object'"),
        (X.astype(str), Y, "x must hold real numbers, got dtype 'str"),
        (X, Y.astype(object), "y must hold real numbers, got dtype 'object'"),
        (X, ["cat", "dog"] * 4, "y must hold whole numbers, got 'cat': .* numpy.unique"),
        ([[[1]], [[1, 2]]], [0, 1], "x must be a number or one array of numbers"),
    ],
)
def test_arrays_of_other_types_are_refused(x: Any, y: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        dataset_from_arrays(x, y)


@pytest.mark.parametrize("title", ["", "a" * 81, "a\nb", None, 3])
def test_the_title_is_checked(title: Any) -> None:
    with pytest.raises(InputError, match="title must be a "):
        dataset_from_arrays(X, Y, title=title)


@pytest.mark.parametrize("seed", [-1, 2**32, 0.5, None, "x"])
def test_the_seed_is_checked(seed: Any) -> None:
    message = "seed must be an integer from 0 to 4294967295"
    with pytest.raises(InputError, match=message):
        dataset_from_arrays(X, Y, seed=seed)
    with pytest.raises(InputError, match=message):
        read_dataset(npz(x=X, y=Y), seed=seed)


def test_test_pictures_beyond_float32_are_refused() -> None:
    images = np.zeros((8, 1, 1, 1), np.float32)
    arguments: dict[str, Any] = {
        "labels": np.repeat([0, 1], 4).astype(np.int32),
        "seed": 0,
        "classes": ("0", "1"),
        "title": "",
        "source": "",
        "key": (),
    }
    data = prepare(np.arange(8, dtype=np.float32).reshape(8, 1, 1, 1), **arguments)
    to_test = raw(data.test_images, data).astype(int).ravel()
    images[:, 0, 0, 0] = np.arange(8) * 1e-30
    images[to_test] = 1e38
    with pytest.raises(InputError, match="too far from those of the training pictures"):
        prepare(images, **arguments)
