"""Reads NumPy's .npy and .npz files. The header is judged before any value is read."""

import io
import lzma
import math
import struct
import tokenize
import zipfile
import zlib
from typing import IO, NoReturn

import numpy as np
from numpy.lib import format as npy_format

from explorer.errors import InputError
from explorer.inputs.budgeted_bytes import BudgetedBytesIO
from explorer.inputs.limits import check_shape, text_shape

MAX_ITEM_BYTES = 16
MAX_MEMBERS = 100
MAX_HEADER_BYTES = 10_000
VALUES_AT_A_TIME = 2**18

# What NumPy lets out when a header is no Python literal of the expected form.
HEADER_ERRORS = (
    ValueError,
    LookupError,
    TypeError,
    SyntaxError,
    RecursionError,
    MemoryError,
    tokenize.TokenError,
)


# What zipfile lets out when an archive is damaged, encrypted or of an unknown method.
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


def read_npy(data: bytes) -> np.ndarray:
    """The array of a .npy file as float32, 2-D or 3-D."""
    return _read_array(io.BytesIO(data), len(data))


def read_npz(data: bytes, name: str | None) -> np.ndarray:
    """One array of a .npz file: the only one, or the one called `name`."""
    try:
        with _open_archive(data) as archive:
            member = _choose(archive.infolist(), name)
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise InputError(
                    "The .npz is compressed by another method than ZIP's own deflate; accepted is "
                    "what numpy.savez writes."
                )
            with archive.open(member) as stream:
                return _read_array(stream, member.file_size)
    except InputError:
        raise
    except ARCHIVE_ERRORS:
        raise InputError(
            f"The file's ending is .npz but its {len(data):,} bytes are no readable ZIP archive; "
            "accepted is what numpy.savez writes."
        ) from None


def npz_names(data: bytes) -> list[str]:
    """The names of the arrays in a .npz file, in order; empty if it cannot be read."""
    try:
        with _open_archive(data) as archive:
            return [_array_name(member) for member in _arrays(archive.infolist())]
    except (*ARCHIVE_ERRORS, InputError):
        return []


def _read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, order and type, reading no more than a sensible header's length.

    NumPy itself would first read as many bytes as the header claims to have.
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
            f"The array's header claims {length:,} bytes; accepted are at most "
            f"{MAX_HEADER_BYTES:,}."
        )
    header = io.BytesIO(start + stream.read(max(0, 8 + width + length - 12)))
    header.seek(npy_format.MAGIC_LEN)
    shape, fortran_order, dtype = read(header)
    return shape, fortran_order, dtype


def _open_archive(data: bytes) -> zipfile.ZipFile:
    """The archive, if its directory is short."""
    file = BudgetedBytesIO(data, reads=10_000, size=150_000)
    archive = zipfile.ZipFile(file)
    file.allow(reads=100_000, size=2 * len(data))
    members = len(archive.infolist())
    if members > MAX_MEMBERS:
        raise InputError(f"The .npz holds {members:,} members; accepted are at most {MAX_MEMBERS}.")
    return archive


def _arrays(members: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    return [member for member in members if member.filename.endswith(".npy")]


def _array_name(member: zipfile.ZipInfo) -> str:
    return member.filename.removesuffix(".npy")


def _choose(members: list[zipfile.ZipInfo], name: str | None) -> zipfile.ZipInfo:
    arrays = {_array_name(member): member for member in _arrays(members)}
    if not arrays:
        raise InputError(
            f"The .npz holds {len(members)} members and no array; accepted is what numpy.savez "
            "writes."
        )
    if name is None and len(arrays) == 1:
        return next(iter(arrays.values()))
    if name is not None and name in arrays:
        return arrays[name]
    names = ", ".join(_plain(key) for key in list(arrays)[:8])
    wanted = "none was chosen" if name is None else f"{_plain(name)} was asked for"
    raise InputError(
        f"The .npz holds {len(arrays)} arrays and {wanted}; accepted is one name of: {names}."
    )


def _plain(name: str) -> str:
    """A member's name, fit to be shown: word characters only, at most 30 of them."""
    return "".join(c if c.isalnum() or c in "_-" else "?" for c in name[:30]) or "?"


def _read_array(stream: IO[bytes], size: int) -> np.ndarray:
    try:
        shape, fortran_order, dtype = _read_header(stream)
    except InputError:
        raise
    except HEADER_ERRORS:
        raise InputError(
            f"The array's header cannot be read ({size:,} bytes received); accepted is what "
            "numpy.save writes, version 1 or 2."
        ) from None
    if dtype.hasobject:
        raise InputError(
            "The array holds Python objects, which would have to be unpickled and could run code; "
            "accepted are arrays of real numbers."
        )
    if dtype.kind not in "biuf" or dtype.itemsize > MAX_ITEM_BYTES:
        kind = {"c": "complex numbers", "V": "structured records"}.get(dtype.kind, "no numbers")
        raise InputError(f"The array holds {kind}; accepted are arrays of real numbers.")
    if len(shape) not in (2, 3):
        raise InputError(
            f"The array has {len(shape)} axes ({text_shape(shape)}); accepted are 2 (H, W) or "
            "3 (H, W, C)."
        )
    check_shape(shape if len(shape) == 3 else (*shape, 1))
    flat = _values(stream, shape, dtype)
    return flat.reshape(shape, order="F" if fortran_order else "C")


def _values(stream: IO[bytes], shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """The values as float32, a part at a time: as stored they may be four times as large."""
    values = np.empty(math.prod(shape), np.float32)
    for start in range(0, values.size, VALUES_AT_A_TIME):
        part = values[start : start + VALUES_AT_A_TIME]
        found = stream.read(part.size * dtype.itemsize)
        if len(found) != part.size * dtype.itemsize:
            _raise_truncated(shape, dtype, f"{start * dtype.itemsize + len(found):,}")
        with np.errstate(over="ignore"):
            part[:] = np.frombuffer(found, dtype)
    if stream.read(1):
        _raise_truncated(shape, dtype, "more")
    return values


def _raise_truncated(shape: tuple[int, ...], dtype: np.dtype, received: str) -> NoReturn:
    raise InputError(
        f"The header promises {text_shape(shape)} values in "
        f"{math.prod(shape) * dtype.itemsize:,} bytes, received are {received}; accepted is a "
        "whole file."
    )
