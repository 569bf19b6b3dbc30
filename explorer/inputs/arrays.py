"""Readers of NumPy's .npy and .npz files. The header is checked before any value is read."""

import io
import lzma
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, TypeVar

import numpy as np
from numpy.lib import format as npy_format

from explorer.errors import InputError
from explorer.inputs.budgeted_bytes import BudgetedBytesIO
from explorer.inputs.layout import as_stored, batch_shape, choose_layout, layout_fix
from explorer.inputs.limits import MAX_ELEMENTS, check_shape, format_shape

T = TypeVar("T")

MAX_ITEM_BYTES = 16
MAX_MEMBERS = 100
MAX_HEADER_BYTES = 10_000
CHUNK_SIZE = 2**18

# Exceptions that NumPy raises when a header is not a Python literal of the expected form.
HEADER_ERRORS = (
    ValueError,
    LookupError,
    TypeError,
    SyntaxError,
    RecursionError,
    MemoryError,
    tokenize.TokenError,
)

# Exceptions that zipfile raises for a damaged archive, encryption or an unknown compression.
ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    RuntimeError,
    OSError,
    ValueError,
    OverflowError,
)


@dataclass(frozen=True)
class StoredArray:
    """An array that was read from a file.

    Attributes:
        batch: `(N, H, W, C)` float32.
        layout: the layout of the stored axes, one of `LAYOUTS`.
        is_integer: whether the stored values are integers.
        notes: sentences on how the axes were read.
    """

    batch: np.ndarray
    layout: str
    is_integer: bool
    notes: tuple[str, ...]


def read_npy(data: bytes, layout: str) -> StoredArray:
    """Read the array of a .npy file; `layout` is as for `choose_layout`."""
    return _read_array(io.BytesIO(data), len(data), layout)


def read_npz(data: bytes, name: str | None, layout: str) -> StoredArray:
    """Read one array of a .npz file: the only one, or the one called `name`."""
    return _read_member(data, name, lambda stream, size: _read_array(stream, size, layout))


def read_npz_values(
    data: bytes,
    name: str,
    check: Callable[[tuple[int, ...]], object],
    dtype: type[np.generic] | None = None,
) -> np.ndarray:
    """Read one array of a .npz file as it is stored, without a meaning of its axes.

    Args:
        data: the file's bytes.
        name: the array's name.
        check: is called with the shape in the array's header before memory is taken for the
            values, and raises InputError for a shape that must not be read.
        dtype: the type of the result; None for the stored one.

    Returns:
        an array in C order; stored values beyond the range of `dtype` become infinite.

    Raises:
        InputError: the file or the array cannot be read, holds no real numbers, or is refused by
            `check`; or the array is empty.
    """

    def read(stream: IO[bytes], size: int) -> np.ndarray:
        subject = f"The array {printable(name)}"
        shape, fortran_order, stored = checked_header(stream, size)
        check_stored_type(stored, subject)
        check(shape)
        if min(shape, default=0) < 1:
            raise InputError(
                f"{subject} has shape {format_shape(shape)}; expected at least one axis, none "
                "of them empty."
            )
        values = np.empty(shape, stored if dtype is None else dtype)
        read_values(stream, values.T if fortran_order else values, shape, stored, subject)
        return values

    return _read_member(data, name, read)


def npz_names(data: bytes) -> list[str]:
    """Return the names of the arrays in a .npz file, in order; none if it cannot be read."""
    try:
        with _open_archive(data) as archive:
            return [_array_name(member) for member in _arrays(archive.infolist())]
    except (*ARCHIVE_ERRORS, InputError):
        return []


def stored_shape(data: bytes, name: str | None = None) -> tuple[int, ...] | None:
    """Return the shape in the header of a .npy file or of an array in a .npz file.

    None if there is no readable header; `name` is as for `read_npz`.
    """
    try:
        if data.startswith(npy_format.MAGIC_PREFIX):
            return _read_header(io.BytesIO(data))[0]
        with (
            _open_archive(data) as archive,
            archive.open(_choose(archive.infolist(), name)) as stream,
        ):
            return _read_header(stream)[0]
    except (*HEADER_ERRORS, *ARCHIVE_ERRORS, InputError):
        return None


def printable(name: str) -> str:
    """Return a member's name for a message: word characters only, at most 30 of them."""
    return "".join(c if c.isalnum() or c in "_-" else "?" for c in name[:30]) or "?"


def _read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Return shape, Fortran order and type, reading at most `MAX_HEADER_BYTES`.

    NumPy itself would first read as many bytes as the file declares for the header.
    """
    start = stream.read(12)
    version = npy_format.read_magic(io.BytesIO(start))
    read = {
        (1, 0): npy_format.read_array_header_1_0,
        (2, 0): npy_format.read_array_header_2_0,
    }[version]
    width = 2 if version == (1, 0) else 4
    length = int.from_bytes(start[8 : 8 + width], "little")
    if length > MAX_HEADER_BYTES:
        raise InputError(
            f"The .npy header is {length:,} bytes long; the limit is {MAX_HEADER_BYTES:,}."
        )
    header = io.BytesIO(start + stream.read(max(0, 8 + width + length - 12)))
    header.seek(npy_format.MAGIC_LEN)
    shape, fortran_order, dtype = read(header)
    return tuple(map(int, shape)), fortran_order, dtype  # NumPy accepts bools


def _read_member(data: bytes, name: str | None, read: Callable[[IO[bytes], int], T]) -> T:
    """Return what `read` makes of a member's stream and size; `name` is as for `read_npz`."""
    try:
        with _open_archive(data) as archive:
            member = _choose(archive.infolist(), name)
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise InputError(
                    "The .npz file uses an unsupported compression method; expected a file written "
                    "by numpy.savez or numpy.savez_compressed."
                )
            with archive.open(member) as stream:
                return read(stream, member.file_size)
    except InputError:
        raise
    except ARCHIVE_ERRORS:
        raise InputError(
            f"The .npz file is not a readable ZIP archive ({len(data):,} bytes received); expected "
            "a file written by numpy.savez."
        ) from None


def _open_archive(data: bytes) -> zipfile.ZipFile:
    """Open an archive of at most `MAX_MEMBERS` members."""
    file = BudgetedBytesIO(data, reads=10_000, size=150_000)
    archive = zipfile.ZipFile(file)
    file.set_budget(reads=100_000, size=2 * len(data))
    members = len(archive.infolist())
    if members > MAX_MEMBERS:
        raise InputError(f"The .npz file has {members:,} members; the limit is {MAX_MEMBERS}.")
    return archive


def _arrays(members: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    return [member for member in members if member.filename.endswith(".npy")]


def _array_name(member: zipfile.ZipInfo) -> str:
    return member.filename.removesuffix(".npy")


def _choose(members: list[zipfile.ZipInfo], name: str | None) -> zipfile.ZipInfo:
    arrays = {_array_name(member): member for member in _arrays(members)}
    if not arrays:
        raise InputError(
            "The .npz file holds no array; expected a file written by numpy.savez "
            f"(members received: {len(members)})."
        )
    if name is None and len(arrays) == 1:
        return next(iter(arrays.values()))
    if name is not None and name in arrays:
        return arrays[name]
    names = ", ".join(printable(key) for key in list(arrays)[:8])
    problem = (
        f"holds {len(arrays)} arrays and none is selected"
        if name is None
        else f"has no array named {printable(name)}"
    )
    raise InputError(f"The .npz file {problem}; expected one of: {names}.")


def _read_array(stream: IO[bytes], size: int, layout: str) -> StoredArray:
    shape, fortran_order, dtype = checked_header(stream, size)
    check_stored_type(dtype)
    layout, notes = choose_layout(shape, layout)
    batch = np.empty(_checked_batch_shape(shape, layout), np.float32)
    stored = as_stored(batch, layout)
    read_values(stream, stored.T if fortran_order else stored, shape, dtype)
    return StoredArray(batch, layout, dtype.kind in "iu", notes)


def checked_header(stream: IO[bytes], size: int) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Return shape, Fortran order and type; InputError if there is no readable header."""
    try:
        return _read_header(stream)
    except InputError:
        raise
    except HEADER_ERRORS:
        raise InputError(
            f"The .npy header cannot be read ({size:,} bytes received); expected a file written by "
            "numpy.save, format version 1 or 2."
        ) from None


def check_stored_type(dtype: np.dtype, subject: str = "The array") -> None:
    """Raise InputError unless values of this type are real numbers."""
    if dtype.hasobject:
        raise InputError(
            f"{subject} holds Python objects, which need unpickling and could run code; expected "
            "real numbers."
        )
    if dtype.kind == "V" and dtype.names is None and dtype.itemsize == 2:
        raise InputError(
            f"{subject} has the type {dtype.str}, as which NumPy stores bfloat16; expected real "
            "numbers: save it with numpy.save('x.npy', x.astype('float32'))."
        )
    if dtype.kind not in "biuf" or dtype.itemsize > MAX_ITEM_BYTES:
        values = {"c": "complex numbers", "V": "structured records"}.get(
            dtype.kind, "values that are not numbers"
        )
        raise InputError(f"{subject} holds {values}; expected real numbers.")


def _checked_batch_shape(shape: tuple[int, ...], layout: str) -> tuple[int, int, int, int]:
    """Return `batch_shape`, after a check of every image's shape and of the number of values."""
    images, *image = batch_shape(shape, layout)
    try:
        check_shape(tuple(image))
    except InputError as error:
        raise InputError(f"{str(error).removesuffix('.')}{layout_fix(shape, layout)}.") from None
    if images < 1:
        raise InputError(
            f"The array has shape {format_shape(shape)}, so no image; expected at least one."
        )
    if (values := math.prod(shape)) > MAX_ELEMENTS:
        first = max(1, MAX_ELEMENTS // math.prod(image))
        raise InputError(
            f"The array has {values:,} values ({format_shape(shape)}); the limit is "
            f"{MAX_ELEMENTS:,}: save fewer images, for instance x[:{first}]."
        )
    return (images, image[0], image[1], image[2])


def read_values(
    stream: IO[bytes],
    target: np.ndarray,
    shape: tuple[int, ...],
    dtype: np.dtype,
    subject: str = "The array",
) -> None:
    """Read the values into `target` in chunks; the stored values may be four times as large."""
    received = 0
    for part in _chunks(target):
        found = stream.read(part.size * dtype.itemsize)
        received += len(found)
        if len(found) != part.size * dtype.itemsize:
            raise InputError(
                f"{subject} is truncated: its header declares {_declared(shape, dtype)} but "
                f"{received:,} bytes were received; expected the complete file."
            )
        with np.errstate(over="ignore", invalid="ignore"):  # signalling NaN too
            part[...] = np.frombuffer(found, dtype).reshape(part.shape)
    if stream.read(1):
        raise InputError(
            f"{subject} holds more data than the {_declared(shape, dtype)} that its header "
            "declares; expected a file written by numpy.save."
        )


def _chunks(array: np.ndarray) -> Iterator[np.ndarray]:
    """Return views of successive parts of an array, each of at most `CHUNK_SIZE` values."""
    if array.ndim > 1 and array[0].size > CHUNK_SIZE:
        for part in array:
            yield from _chunks(part)
        return
    rows = max(1, CHUNK_SIZE // array[0].size)
    for start in range(0, len(array), rows):
        yield array[start : start + rows]


def _declared(shape: tuple[int, ...], dtype: np.dtype) -> str:
    return f"{format_shape(shape)} values ({math.prod(shape) * dtype.itemsize:,} bytes)"
