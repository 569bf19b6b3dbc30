"""A data set read from an uploaded .npz file."""

import numpy as np

from explorer.data.dataset import Dataset
from explorer.data.user_arrays import (
    TITLE,
    check_lengths,
    check_x_shape,
    check_y_shape,
    find_classes,
    own_dataset,
)
from explorer.errors import InputError, check_type
from explorer.inputs.arrays import npz_names, printable, read_npz_values
from explorer.inputs.limits import MAX_FILE_BYTES, format_megabytes
from explorer.inputs.random_streams import check_seed

MAX_NAMES = 8  # that a message lists


def read_dataset(data: bytes, *, seed: float = 0) -> Dataset:
    """Read the user's own data set from an .npz file with arrays `x` and `y`.

    `numpy.savez_compressed("data.npz", x=x, y=y)` writes such a file. Nothing in it is unpickled,
    and the sizes in its headers are checked before memory is taken.

    Args:
        data: the file's bytes, at most 40 MB; its arrays are as for `dataset_from_arrays`.
        seed: integer 0 … 2³²−1, fixes the split.

    Raises:
        InputError: the file cannot be read, or its arrays are outside the documented ranges.
    """
    check_type("data", data, bytes)
    split_seed = check_seed(seed)
    if len(data) > MAX_FILE_BYTES:
        raise InputError(
            f"The file is {format_megabytes(len(data))}; the limit is "
            f"{format_megabytes(MAX_FILE_BYTES)}."
        )
    _check_names(npz_names(data))
    labels, classes = find_classes(read_npz_values(data, "y", check_y_shape))

    def check_shape(shape: tuple[int, ...]) -> None:
        check_x_shape(shape)
        check_lengths(shape[0], len(labels))

    images = read_npz_values(data, "x", check_shape, np.float32)
    return own_dataset(images, labels, classes, split_seed, TITLE)


def _check_names(names: list[str]) -> None:
    """Raise InputError if x or y is not among the names of a file with arrays."""
    missing = [name for name in ("x", "y") if name not in names]
    if names and missing:
        others = ", ".join(printable(name) for name in names[:MAX_NAMES])
        raise InputError(
            f"The .npz file has no array named {' or '.join(missing)}, but {others}; expected a "
            "file written by numpy.savez('data.npz', x=x, y=y)."
        )
