"""Reader of uploaded files: pictures, NumPy arrays and tables."""

from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

from explorer.errors import InputError, check_integer, check_type
from explorer.inputs.arrays import StoredArray, read_npy, read_npz
from explorer.inputs.formats import recognise
from explorer.inputs.images import constant_note, read_image
from explorer.inputs.layout import AUTO, check_layout, layouts_of
from explorer.inputs.limits import (
    MAX_FILE_BYTES,
    MAX_PICTURE_SIDE,
    MAX_SIDE,
    check_shape,
    format_megabytes,
    format_shape,
)
from explorer.inputs.tables import read_table


@dataclass(frozen=True)
class Upload:
    """A file that was read.

    Attributes:
        array: `(H, W, C)` float32, the image `index` of a batch.
        is_image: whether it is a picture: an image file, with values in [0, 1], or an array of
            integers.
        notes: sentences on what was dropped, converted, resized or assumed.
        batch: `(N, H, W, C)` float32 of a stack or a batch, else None.
        layout: how the axes of an array were read, one of `layouts`; None for other files.
        layouts: the layouts that an array with as many axes can have.
    """

    array: np.ndarray
    is_image: bool
    notes: tuple[str, ...] = ()
    batch: np.ndarray | None = None
    layout: str | None = None
    layouts: tuple[str, ...] = ()


def read_upload(
    filename: str,
    data: bytes,
    *,
    name: str | None = None,
    layout: str = AUTO,
    index: int = 0,
    max_side: int = MAX_PICTURE_SIDE,
) -> np.ndarray:
    """Read an uploaded file as an array; `decode_upload` also returns notes.

    Args:
        filename: its ending is needed for tables only; other formats are recognised by content.
        data: the file's bytes: a picture (PNG, JPEG, WebP, BMP, GIF, TIFF), an array (.npy,
            .npz) or a table (.csv, .tsv, .txt).
        name: the array to read from an .npz file with several.
        layout: the meaning of an array's axes, one of `LAYOUTS`, or "auto" as for
            `choose_layout`.
        index: the image to return of a stack or a batch, counted from 0.
        max_side: pictures whose longer side exceeds it, in pixels, are resized to it.

    Returns:
        `(H, W, C)` float32. Pictures are scaled to [0, 1], with C = 1 for grey and C = 3 for
        colour. Arrays keep their values; one without channels gets C = 1.

    Raises:
        InputError: the file cannot be read or exceeds the limits; the message states what was
            received and what was expected.
    """
    return decode_upload(
        filename, data, name=name, layout=layout, index=index, max_side=max_side
    ).array


def decode_upload(
    filename: str,
    data: bytes,
    *,
    name: str | None = None,
    layout: str = AUTO,
    index: int = 0,
    max_side: int = MAX_PICTURE_SIDE,
) -> Upload:
    """Read an uploaded file as `read_upload` does, with notes on what was changed."""
    check_type("filename", filename, str)
    check_type("data", data, bytes)
    if name is not None:
        check_type("name", name, str)
    check_layout(layout)
    side = check_integer("max_side", max_side, 1, MAX_SIDE)
    if not data:
        raise InputError("The file is empty (0 bytes); expected a file with content.")
    if len(data) > MAX_FILE_BYTES:
        raise InputError(
            f"The file is {format_megabytes(len(data))}; the limit is "
            f"{format_megabytes(MAX_FILE_BYTES)}."
        )
    kind, notes = recognise(filename, data)
    match kind:
        case "NPY":
            return _upload_of(read_npy(data, layout), index, notes)
        case "NPZ":
            return _upload_of(read_npz(data, name, layout), index, notes)
        case "TABLE":
            table, table_notes = read_table(data, PurePath(filename).suffix.lower())
            return Upload(as_input(table), is_image=False, notes=table_notes)
    picture, picture_notes = read_image(kind, data, side)
    check_shape(picture.shape)
    return Upload(picture, is_image=True, notes=(*notes, *picture_notes))


def _upload_of(stored: StoredArray, index: Any, notes: tuple[str, ...]) -> Upload:
    """Return the upload of an array, with image `index` of a batch."""
    batch, is_batch = stored.batch, "N" in stored.layout
    at = check_integer("index", index, 0, len(batch) - 1) if is_batch else 0
    notes = (*notes, *stored.notes)
    if is_batch:
        notes = (*notes, f"This is image {at} of {len(batch):,}, counted from 0.")
    array = as_input(batch[at])
    if stored.is_integer:
        notes = (
            *notes,
            f"The array holds integers, from {array.min():g} to {array.max():g}, and is treated "
            "as a picture.",
            *constant_note(array),
        )
    return Upload(
        array,
        is_image=stored.is_integer,
        notes=notes,
        batch=batch if is_batch else None,
        layout=stored.layout,
        layouts=layouts_of(len(stored.layout)),
    )


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
    check_finite(x)
    return x


def check_finite(x: np.ndarray) -> None:
    """Raise InputError unless all values of an image or a batch are finite."""
    bad = ~np.isfinite(x)
    if not bad.any():
        return
    nan = int(np.isnan(x).sum())
    axes = ("image", "row", "column", "channel")[-x.ndim :]
    first = np.unravel_index(bad.argmax(), bad.shape)
    position = ", ".join(f"{name} {int(at)}" for name, at in zip(axes, first, strict=True))
    raise InputError(
        f"The input holds values that are not finite ({nan:,} NaN, {int(bad.sum()) - nan:,} "
        f"infinite or beyond float32's range), the first at {position} of "
        f"{format_shape(x.shape)}, counted from 0; expected finite numbers within ±3.4e38."
    )
