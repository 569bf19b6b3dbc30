"""Reader of uploaded files: pictures, NumPy arrays and tables."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np

from explorer.errors import InputError
from explorer.inputs.arrays import read_npy, read_npz
from explorer.inputs.images import read_image
from explorer.inputs.limits import (
    MAX_FILE_BYTES,
    MAX_PICTURE_SIDE,
    check_shape,
    format_megabytes,
    format_shape,
)
from explorer.inputs.tables import read_table

FILE_EXTENSIONS = (".png", ".jpg", ".jpeg", ".npy", ".npz", ".csv", ".tsv", ".txt")


@dataclass(frozen=True)
class Upload:
    """A file that was read.

    Attributes:
        array: `(H, W, C)` float32.
        is_image: whether it was a picture; its values are in [0, 1].
        notes: sentences on what was dropped, converted or resized.
    """

    array: np.ndarray
    is_image: bool
    notes: tuple[str, ...] = ()


def read_upload(
    filename: str, data: bytes, *, name: str | None = None, max_side: int = MAX_PICTURE_SIDE
) -> np.ndarray:
    """Read an uploaded file as an array; `decode_upload` also returns notes.

    Args:
        filename: its extension selects the format: .png, .jpg, .jpeg, .npy, .npz,
            .csv, .tsv or .txt.
        data: the file's bytes.
        name: the array to read from an .npz file with several.
        max_side: pictures whose longer side exceeds it, in pixels, are resized to it.

    Returns:
        `(H, W, C)` float32. Pictures are scaled to [0, 1], with C = 1 for grey and C = 3 for
        colour. Arrays keep their values; a 2-D array gets C = 1.

    Raises:
        InputError: the file cannot be read or exceeds the limits; the message states what was
            received and what was expected.
    """
    return decode_upload(filename, data, name=name, max_side=max_side).array


def decode_upload(
    filename: str, data: bytes, *, name: str | None = None, max_side: int = MAX_PICTURE_SIDE
) -> Upload:
    """Read an uploaded file as `read_upload` does, with notes on what was changed."""
    ending = PurePath(filename).suffix.lower()
    if ending not in FILE_EXTENSIONS:
        raise InputError(
            f"The file {_extension_text(ending)}; expected one of {', '.join(FILE_EXTENSIONS)}."
        )
    if not data:
        raise InputError(f"The file is empty (0 bytes); expected a {ending} file with content.")
    if len(data) > MAX_FILE_BYTES:
        raise InputError(
            f"The file is {format_megabytes(len(data))}; the limit is "
            f"{format_megabytes(MAX_FILE_BYTES)}."
        )
    if ending in (".png", ".jpg", ".jpeg"):
        picture, notes = read_image(ending, data, max_side)
        check_shape(picture.shape)
        return Upload(picture, is_image=True, notes=notes)
    if ending in (".csv", ".tsv", ".txt"):
        table, notes = read_table(data, ending)
        return Upload(as_input(table), is_image=False, notes=notes)
    readers: dict[str, Callable[[bytes], np.ndarray]] = {
        ".npy": read_npy,
        ".npz": lambda file: read_npz(file, name),
    }
    return Upload(as_input(readers[ending](data)), is_image=False)


def as_input(array: np.ndarray) -> np.ndarray:
    """Return a real 2-D or 3-D array as `(H, W, C)` float32.

    Raises:
        InputError: the shape exceeds the limits, or a value is not finite in float32.
    """
    if array.ndim == 2:
        array = array[:, :, None]
    check_shape(array.shape)
    with np.errstate(over="ignore"):
        x = np.ascontiguousarray(array, dtype=np.float32)
    bad = ~np.isfinite(x)
    if bad.any():
        nan = int(np.isnan(x).sum())
        row, col, channel = (int(i) for i in np.unravel_index(bad.argmax(), bad.shape))
        raise InputError(
            f"The input holds values that are not finite ({nan:,} NaN, {int(bad.sum()) - nan:,} "
            f"infinite or beyond float32's range), the first at row {row}, column {col}, channel "
            f"{channel} of {format_shape(x.shape)}, counted from 0; expected finite numbers within "
            "±3.4e38."
        )
    return x


def _extension_text(ending: str) -> str:
    is_readable = 1 < len(ending) <= 9 and ending[1:].isalnum()
    return f"name ends in {ending}" if is_readable else "name has no readable extension"
