"""The header of a safetensors file, checked in full before any value is read."""

import json
import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from explorer.errors import InputError, describe
from explorer.inputs.limits import format_shape

MAX_HEADER_BYTES = 1_000_000
MAX_TENSORS = 10_000
MAX_AXES = 8
LENGTH_BYTES = 8
# NumPy's types by the format's; BF16 is the upper half of a float32.
TYPES = MappingProxyType(
    {
        "F64": "<f8",
        "F32": "<f4",
        "F16": "<f2",
        "BF16": "<u2",
        "I64": "<i8",
        "I32": "<i4",
        "I16": "<i2",
        "I8": "<i1",
        "U64": "<u8",
        "U32": "<u4",
        "U16": "<u2",
        "U8": "<u1",
        "BOOL": "?",
    }
)
_KEYS = {"dtype", "shape", "data_offsets"}
_EXPECTED = "expected a complete file as written by safetensors"


@dataclass(frozen=True)
class Entry:
    """A tensor's type, a key of `TYPES`, its shape, and the bytes `start` … `end` of the file."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def read_header(data: bytes) -> tuple[dict[str, Entry], dict[str, str]]:
    """Return the tensors by name and the metadata of a safetensors file.

    Raises:
        InputError: the header cannot be read, is larger than the limits, or does not describe the
            bytes that follow it: each byte must belong to exactly one tensor.
    """
    length = int.from_bytes(data[:LENGTH_BYTES], "little")
    if length > MAX_HEADER_BYTES:
        raise InputError(
            f"The safetensors header is {describe(length)} bytes long by its length field; the "
            f"limit is {MAX_HEADER_BYTES:,}: {_EXPECTED}."
        )
    first = LENGTH_BYTES + length
    if first > len(data):
        raise InputError(
            f"The safetensors header is {length:,} bytes long by its length field, but the file "
            f"has {len(data):,} bytes: {_EXPECTED}."
        )
    header = _parse(data[LENGTH_BYTES:first])
    metadata = _check_metadata(header.pop("__metadata__", {}))
    if not 1 <= len(header) <= MAX_TENSORS:
        raise InputError(
            f"The safetensors file has {len(header):,} tensors; expected from 1 to {MAX_TENSORS:,}."
        )
    entries = {name: _check_entry(name, value, first, len(data)) for name, value in header.items()}
    _check_layout(entries, first, len(data))
    return entries, metadata


def printable_name(name: str) -> str:
    """Return a tensor's name for a message: letters, digits and "_-.", at most 60 of them."""
    plain = "".join(c if c.isalnum() or c in "_-." else "?" for c in name[:60])
    return plain + ("…" if len(name) > 60 else "") or "?"


def _parse(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text.decode(), object_pairs_hook=_without_duplicates)
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"The safetensors header is not readable JSON ({describe(str(error), 80)}): "
            f"{_EXPECTED}."
        ) from None
    if not isinstance(header, dict):
        raise InputError(
            f"The safetensors header must be a JSON object, got {describe(header)}: {_EXPECTED}."
        )
    return header


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InputError(
                f"The safetensors header has the name {printable_name(name)} twice: {_EXPECTED}."
            )
        found[name] = value
    return found


def _check_metadata(value: Any) -> dict[str, str]:
    if isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
        return value
    raise InputError(
        f"The safetensors metadata must be an object of texts, got {describe(value)}: {_EXPECTED}."
    )


def _check_entry(name: str, value: Any, first: int, size: int) -> Entry:
    """Return a tensor's entry, whose offsets are counted from `first`, the end of the header."""
    tensor = f"The tensor {printable_name(name)}"
    if not isinstance(value, dict) or set(value) != _KEYS:
        raise InputError(
            f"{tensor} must have dtype, shape and data_offsets in the safetensors header, got "
            f"{describe(value)}."
        )
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in TYPES:
        raise InputError(
            f"{tensor} has the type {describe(dtype)}; expected F32, F16, BF16 or F64: save it "
            "with tensor.float()."
        )
    if not _are_integers(shape, 1) or len(shape) > MAX_AXES:
        raise InputError(
            f"{tensor} has the shape {describe(shape)}; expected at most {MAX_AXES} integers of "
            "at least 1."
        )
    if not _are_integers(offsets, 0) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise InputError(
            f"{tensor} has the data_offsets {describe(offsets)}; expected two integers of at "
            "least 0 in increasing order."
        )
    start, end = offsets
    if end > size - first:
        raise InputError(
            f"{tensor} ends at byte {describe(end)} of the data, and the file has "
            f"{size - first:,} bytes of data: {_EXPECTED}."
        )
    if math.prod(shape) * np.dtype(TYPES[dtype]).itemsize != end - start:
        raise InputError(
            f"{tensor} has {end - start:,} bytes, which is not the size of {dtype} values of "
            f"shape {format_shape(tuple(shape))}: {_EXPECTED}."
        )
    return Entry(dtype, tuple(shape), first + start, first + end)


def _are_integers(values: Any, low: int) -> bool:
    return isinstance(values, list) and all(type(each) is int and each >= low for each in values)


def _check_layout(entries: dict[str, Entry], first: int, size: int) -> None:
    """Raise InputError unless the tensors cover the data without overlaps and holes."""
    at = first
    for name, entry in sorted(entries.items(), key=lambda item: (item[1].start, item[1].end)):
        if entry.start != at:
            problem = "overlaps another" if entry.start < at else "follows a hole in the data"
            raise InputError(
                f"The tensor {printable_name(name)} {problem}: it starts at byte "
                f"{entry.start - first:,} of the data and {at - first:,} was expected."
            )
        at = entry.end
    if at != size:
        raise InputError(
            f"The safetensors file has {size - at:,} bytes after its last tensor: {_EXPECTED}."
        )
