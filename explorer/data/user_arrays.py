"""A data set of the user's own pictures and labels, within limits."""

import hashlib
from typing import Any

import numpy as np

from explorer.data.dataset import Dataset
from explorer.data.prepare import prepare
from explorer.errors import InputError, as_array, check_array, check_type, describe
from explorer.inputs.limits import format_shape
from explorer.inputs.random_streams import check_seed
from explorer.inputs.upload import check_finite

MAX_PICTURES = 5_000
MAX_SIDE = 32
MAX_CHANNELS = 4
MAX_CLASSES = 20
MAX_TITLE = 80
MAX_FLOAT_LABEL = 2**53  # up to which float64 holds every whole number
TITLE = "Own data"
SOURCE = "your own data"
KEEP_SOME = (
    "keep some of them, for instance x[keep] and y[keep] with keep = "
    f"numpy.random.permutation(len(x))[:{MAX_PICTURES}]"
)
NUMBER_THEM = "number other labels with numpy.unique(y, return_inverse=True)[1]"


def dataset_from_arrays(
    x: np.ndarray, y: np.ndarray, *, seed: float = 0, title: str = TITLE
) -> Dataset:
    """Return the data set of these pictures and labels, split and standardised.

    About one picture in five is to test on, and at least one of every class. The classes are the
    different labels in ascending order.

    Args:
        x: `(N, H, W)` or `(N, H, W, C)`, finite real numbers; at most 5,000 pictures of 32×32
            pixels and 4 channels.
        y: `(N,)`, the whole number that is each picture's label; 2 to 20 different ones, each of
            them at least twice.
        seed: integer 0 … 2³²−1, fixes the split.
        title: what the data set is called, 1 to 80 characters.

    Raises:
        InputError: an argument is outside its documented range, or all values of the training
            pictures are equal.
    """
    split_seed, title = check_seed(seed), _check_title(title)
    pictures, values = check_array("x", x), _check_labels(y)
    check_x_shape(pictures.shape)
    check_y_shape(values.shape)
    check_lengths(len(pictures), len(values))
    labels, classes = find_classes(values)
    with np.errstate(over="ignore", invalid="ignore"):
        images = np.array(pictures, np.float32, order="C")
    return own_dataset(images, labels, classes, split_seed, title)


def own_dataset(
    images: np.ndarray, labels: np.ndarray, classes: tuple[str, ...], seed: int, title: str
) -> Dataset:
    """Return the data set of pictures and labels of legal shapes; `images` is overwritten.

    Args:
        images: `(N, H, W)` or `(N, H, W, C)` float32 in C order.
        labels: `(N,)` int32, 0 … K−1.
        classes: the K names of the classes.
        seed: integer 0 … 2³²−1, fixes the split.
        title: what the data set is called.

    Raises:
        InputError: a value is not finite, or `prepare` refuses the pictures.
    """
    if images.ndim == 3:
        images = images[..., None]
    with np.errstate(invalid="ignore"):
        ends = images.min(), images.max()
    if not np.isfinite(ends).all():
        check_finite(images)
    digest = hashlib.blake2b(repr((images.shape, classes, seed)).encode(), digest_size=16)
    digest.update(images.data)
    digest.update(labels.data)
    return prepare(
        images,
        labels,
        seed=seed,
        classes=classes,
        title=title,
        source=SOURCE,
        key=("arrays", digest.hexdigest()),
    )


def check_x_shape(shape: tuple[int, ...]) -> None:
    """Raise InputError unless this is a legal shape of x."""
    if len(shape) not in (3, 4):
        raise InputError(
            f"x must have 3 axes (N, H, W) or 4 axes (N, H, W, C), got {len(shape)} with shape "
            f"{format_shape(shape)}; expected pictures with rows and columns, for instance "
            "x.reshape(len(x), H, W)."
        )
    if min(shape) < 1:
        raise InputError(
            f"x has shape {format_shape(shape)}; expected at least one picture, pixel and channel."
        )
    channels = shape[3] if len(shape) == 4 else 1
    if channels > MAX_CHANNELS:
        first = ": if they come first, use x.transpose(0, 2, 3, 1)"
        raise InputError(
            f"x has pictures of {_count(channels)} channels; the limit is {MAX_CHANNELS}"
            f"{first if shape[1] <= MAX_CHANNELS else ''}."
        )
    if max(shape[1:3]) > MAX_SIDE:
        raise InputError(
            f"x has pictures of {format_shape(shape[1:3])} pixels; the limit is "
            f"{MAX_SIDE}×{MAX_SIDE}: shrink them, or cut a part out, for instance "
            f"x[:, :{MAX_SIDE}, :{MAX_SIDE}]."
        )
    if shape[0] > MAX_PICTURES:
        raise InputError(
            f"x has {_count(shape[0])} pictures; the limit is {MAX_PICTURES:,}: {KEEP_SOME}."
        )


def check_y_shape(shape: tuple[int, ...]) -> None:
    """Raise InputError unless this is a legal shape of y."""
    if len(shape) != 1:
        way_out = ""
        if len(shape) == 2:
            way_out = f"; use y.{'ravel()' if shape[1] == 1 else 'argmax(axis=1) if it is one-hot'}"
        raise InputError(
            f"y must have 1 axis, with the expected label of every picture, got {len(shape)} with "
            f"shape {format_shape(shape)}{way_out}."
        )
    if not 1 <= shape[0] <= MAX_PICTURES:
        raise InputError(
            f"y has {_count(shape[0])} labels; the limit is {MAX_PICTURES:,}: {KEEP_SOME}."
            if shape[0] > 0
            else "y has no labels; expected one for each picture."
        )


def check_lengths(pictures: int, labels: int) -> None:
    """Raise InputError unless there is a label for every picture."""
    if pictures != labels:
        raise InputError(
            f"x has {_count(pictures)} pictures but y has {_count(labels)} labels; expected one "
            "label for each picture."
        )


def find_classes(y: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the labels `(N,)` as int32 0 … K−1, and the names of the K classes.

    Args:
        y: `(N,)` real numbers.

    Raises:
        InputError: they are no whole numbers, too many or too few different ones, or one of them
            is there only once.
    """
    found, labels, sizes = np.unique(_whole_numbers(y), return_inverse=True, return_counts=True)
    classes = tuple(str(int(value)) for value in found)
    if len(classes) < 2:
        raise InputError(f"y has only the label {classes[0]}; expected at least 2 different ones.")
    if len(classes) > MAX_CLASSES:
        raise InputError(
            f"y has {len(classes):,} different labels; the limit is {MAX_CLASSES}: keep the "
            f"pictures of some of them, for instance x[y < {classes[MAX_CLASSES]}] and "
            f"y[y < {classes[MAX_CLASSES]}]."
        )
    if sizes.min() < 2:
        raise InputError(
            f"y has the label {classes[sizes.argmin()]} only once; expected every label at least "
            "twice, for a picture to train and one to test on: add one, or remove this one."
        )
    return labels.astype(np.int32), classes


def _whole_numbers(y: np.ndarray) -> np.ndarray:
    """Return the labels as integers of any type; InputError unless they are whole numbers."""
    if y.dtype.kind in "biu":
        return y
    with np.errstate(over="ignore", invalid="ignore"):
        real = y.astype(np.float64)
        wrong = ~(np.abs(real) <= MAX_FLOAT_LABEL) | (real != np.floor(real))
    if wrong.any():
        at = int(wrong.argmax())
        raise InputError(
            f"y must hold whole numbers within ±2⁵³, got {real[at]:g} at position {at:,}, counted "
            f"from 0; expected labels such as 0, 1, 2: {NUMBER_THEM}."
        )
    return real.astype(np.int64)


def _check_labels(y: Any) -> np.ndarray:
    """Return `check_array` of y, with a way out for labels that are words."""
    array = as_array("y", y)
    if array.dtype.kind in "US" and array.size:
        raise InputError(
            f"y must hold whole numbers, got {describe(str(array.flat[0]))}: {NUMBER_THEM}."
        )
    return check_array("y", array)


def _check_title(title: Any) -> str:
    text = check_type("title", title, str)
    if 1 <= len(text) <= MAX_TITLE and text.isprintable():
        return text
    raise InputError(
        f"title must be a text of 1 to {MAX_TITLE} printable characters, got {describe(text)}."
    )


def _count(number: int) -> str:
    """Return a number from a file's header for a message; it may have thousands of digits."""
    return f"{number:,}" if number < 10**12 else "over 10¹²"
