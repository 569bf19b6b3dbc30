"""Arrays of a .npz or .npy file as they are. Sizes are checked before any value is read."""

import io
import math
import zipfile
from typing import IO

import numpy as np

from explorer.errors import InputError
from explorer.inputs.arrays import (
    ARCHIVE_ERRORS,
    check_stored_type,
    checked_header,
    printable,
    read_values,
)
from explorer.inputs.budgeted_bytes import BudgetedBytesIO
from explorer.inputs.limits import format_megabytes, format_shape

DIRECTORY_BYTES_PER_MEMBER = 200


def open_npz(data: bytes, max_members: int) -> zipfile.ZipFile:
    """Open a .npz file and read its directory.

    Raises:
        InputError: it is no ZIP archive, or has more than `max_members` members.
    """
    directory = max_members * DIRECTORY_BYTES_PER_MEMBER + 100_000
    file = BudgetedBytesIO(data, reads=100, size=directory)
    try:
        archive = zipfile.ZipFile(file)
    except ARCHIVE_ERRORS:
        raise _unreadable(data, f" of at most {max_members:,} members") from None
    if (members := len(archive.infolist())) > max_members:
        raise InputError(
            f"The .npz file has {members:,} members; the limit is {max_members:,}: save fewer "
            "arrays."
        )
    file.set_budget(reads=100 * max_members, size=2 * len(data) + 100 * max_members)
    return archive


def read_npz_arrays(archive: zipfile.ZipFile, max_bytes: int) -> dict[str, np.ndarray]:
    """Return every array of an archive by its name.

    Args:
        archive: of `open_npz`.
        max_bytes: limit of all members together, unpacked, and of all results together.

    Returns:
        floating-point numbers as float32, integers and truth values as they are stored.

    Raises:
        InputError: a member is no array of real numbers, is empty, is damaged or is compressed in
            an unknown way; or the limit is exceeded.
    """
    members = archive.infolist()
    _check_total(sum(member.file_size for member in members), max_bytes)
    found: dict[str, np.ndarray] = {}
    remaining = max_bytes
    for member in members:
        name = member.filename.removesuffix(".npy")
        if name == member.filename or name in found:
            raise InputError(
                f"The .npz file has a member {printable(member.filename)} that is no array or is "
                "there twice; expected a file written by numpy.savez."
            )
        found[name] = _read_member(archive, member, name, remaining, max_bytes)
        remaining -= found[name].nbytes
    return found


def read_npy_array(data: bytes, max_bytes: int) -> np.ndarray:
    """Return the array of a .npy file, with the types of `read_npz_arrays`.

    Args:
        data: the file's bytes.
        max_bytes: limit of the result.

    Raises:
        InputError: the file is damaged, its values are no real numbers or none, or the limit is
            exceeded.
    """
    return _read_array(io.BytesIO(data), len(data), "The array", 0, max_bytes)


def _read_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, remaining: int, max_bytes: int
) -> np.ndarray:
    subject = f"The array {printable(name)}"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputError(
            f"{subject} is compressed by an unsupported method; expected a file written by "
            "numpy.savez or numpy.savez_compressed."
        )
    try:
        with archive.open(member) as stream:
            return _read_array(stream, member.file_size, subject, max_bytes - remaining, max_bytes)
    except InputError:
        raise
    except ARCHIVE_ERRORS:
        raise InputError(
            f"{subject} cannot be unpacked; expected an undamaged file written by numpy.savez."
        ) from None


def _read_array(
    stream: IO[bytes], stored_size: int, subject: str, taken: int, max_bytes: int
) -> np.ndarray:
    """Return one array, if it takes no more of `max_bytes` than the bytes `taken` leave."""
    shape, fortran_order, stored = checked_header(stream, stored_size)
    check_stored_type(stored, subject)
    dtype = np.dtype(np.float32) if stored.kind == "f" else stored.newbyteorder("=")
    size = math.prod(shape)
    _check_total(taken + size * dtype.itemsize, max_bytes)
    if not size:
        raise InputError(
            f"{subject} has shape {format_shape(shape)}, so no value; expected no empty axis."
        )
    values = np.empty(shape or (1,), dtype)  # `read_values` needs an axis
    read_values(stream, values.T if fortran_order else values, values.shape, stored, subject)
    return values.reshape(shape)


def _check_total(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise InputError(
            f"The file holds {format_megabytes(size)} when unpacked, as float32 where it "
            f"holds real numbers; the limit is {format_megabytes(max_bytes)}: save fewer arrays."
        )


def _unreadable(data: bytes, limit: str) -> InputError:
    return InputError(
        f"The .npz file is not a readable ZIP archive{limit} ({len(data):,} bytes received); "
        "expected a file written by numpy.savez."
    )
