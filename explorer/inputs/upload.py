"""Reads an uploaded file into an input, or says in one sentence why not."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np

from explorer.errors import InputError
from explorer.inputs.arrays import read_npy, read_npz
from explorer.inputs.images import read_image
from explorer.inputs.limits import MAX_FILE_BYTES, MAX_PICTURE_SIDE, check_shape, text_shape
from explorer.inputs.tables import read_csv

ACCEPTED = (".png", ".jpg", ".jpeg", ".npy", ".npz", ".csv")


@dataclass(frozen=True)
class Upload:
    """A file that was read.

    `array` is `(H, W, C)` float32; `is_image` tells values in [0, 1] from a
    picture; `notes` are sentences on what was changed on the way.
    """

    array: np.ndarray
    is_image: bool
    notes: tuple[str, ...] = ()


def read_upload(
    filename: str, data: bytes, *, name: str | None = None, max_side: int = MAX_PICTURE_SIDE
) -> np.ndarray:
    """The array of an uploaded file; `decode_upload` also tells what was changed.

    Args:
        filename: its ending chooses the reader: .png, .jpg, .jpeg, .npy, .npz or .csv.
        data: the file's bytes.
        name: which array of an .npz with several.
        max_side: images whose longer side exceeds it are resized to it, in pixels.

    Returns:
        `(H, W, C)` float32. Images are scaled to [0, 1]; grey gives C = 1, colour 3.
        Arrays keep their values; 2-D ones become C = 1.

    Raises:
        InputError: one sentence that says what is wrong, what was received and
            what is accepted.
    """
    return decode_upload(filename, data, name=name, max_side=max_side).array


def decode_upload(
    filename: str, data: bytes, *, name: str | None = None, max_side: int = MAX_PICTURE_SIDE
) -> Upload:
    """Like `read_upload`, with notes on what was dropped, turned or resized."""
    ending = PurePath(filename).suffix.lower()
    if ending not in ACCEPTED:
        raise InputError(
            f"The file's ending is {_plain(ending)}; accepted are {', '.join(ACCEPTED)}."
        )
    if not data:
        raise InputError(f"The file is empty (0 bytes); accepted is a {ending} file with content.")
    if len(data) > MAX_FILE_BYTES:
        raise InputError(
            f"The file has {len(data):,} bytes; accepted are at most {MAX_FILE_BYTES:,}."
        )
    if ending in (".png", ".jpg", ".jpeg"):
        picture, notes = read_image(ending, data, max_side)
        check_shape(picture.shape)
        return Upload(picture, is_image=True, notes=notes)
    readers: dict[str, Callable[[bytes], np.ndarray]] = {
        ".npy": read_npy,
        ".npz": lambda file: read_npz(file, name),
        ".csv": read_csv,
    }
    return Upload(as_input(readers[ending](data)), is_image=False)


def as_input(array: np.ndarray) -> np.ndarray:
    """A real 2-D or 3-D array of any type as `(H, W, C)` float32, or InputError."""
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
            f"The input holds {nan:,} NaN and {int(bad.sum()) - nan:,} values that are infinite "
            f"or beyond float32's range, the first at row {row}, column {col}, channel {channel} "
            f"(counted from 0) of {text_shape(x.shape)}; accepted are finite numbers up to 3.4e38."
        )
    return x


def _plain(ending: str) -> str:
    return ending if 1 < len(ending) <= 9 and ending[1:].isalnum() else "missing or unreadable"
