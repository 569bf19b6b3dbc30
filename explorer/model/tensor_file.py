"""Reading of tensors by name from a safetensors or .npz file. Nothing is ever unpickled."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from explorer.errors import InputError, describe
from explorer.inputs.limits import MAX_CHECKPOINT_BYTES, format_megabytes
from explorer.inputs.npz_arrays import open_npz, read_npz_arrays
from explorer.model.safetensors_header import (
    LENGTH_BYTES,
    MAX_TENSORS,
    TYPES,
    Entry,
    read_header,
)

# The lines of Python that convert PyTorch's own format.
TORCH_CONVERSION = (
    "import torch, safetensors.torch; w = torch.load('model.pth', map_location='cpu', "
    "weights_only=True)",
    "safetensors.torch.save_file({k: v.clone().contiguous() for k, v in w.get('state_dict', "
    "w).items()}, 'model.safetensors')",
)
_EXPECTED = "expected a .safetensors file, or a .npz file of tensors by name"
# First bytes, the byte they start at, and what the file then is.
_FOREIGN = (
    (b"\x1f\x8b", 0, "a gzip archive"),
    (b"BZh", 0, "a bzip2 archive"),
    (b"\xfd7zXZ\0", 0, "an xz archive"),
    (b"\x28\xb5\x2f\xfd", 0, "a Zstandard archive"),
    (b"7z\xbc\xaf\x27\x1c", 0, "a 7z archive"),
    (b"ustar", 257, "a tar archive"),
    (b"\x89HDF\r\n\x1a\n", 0, "an HDF5 file"),
    (b"\x93NUMPY", 0, "a single NumPy array"),
    (b"GGUF", 0, "a GGUF file"),
)


def read_tensors(source: bytes | str | Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return the tensors of a file by name, and its metadata.

    The format is told by the content. Sizes are checked before values are read.

    Args:
        source: the file's bytes, or its path.

    Returns:
        floating-point tensors as float32, all others as they are stored, which may share memory
        with `source`; and the metadata of a safetensors file.

    Raises:
        InputError: the file cannot be read, is damaged or too large, or has another format, such
            as PyTorch's pickles, which are never opened.
    """
    data = source if isinstance(source, bytes) else _read_file(source)
    _check_size(len(data))
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _read_npz(data), {}
    if data[LENGTH_BYTES : LENGTH_BYTES + 1] == b"{":
        return _read_safetensors(data)
    raise InputError(_foreign(data))


def _read_file(path: Any) -> bytes:
    if not isinstance(path, str | Path):
        raise InputError(f"source must be bytes or the path of a file, got {describe(path)}.")
    try:
        file = Path(path)
        _check_size(file.stat().st_size)
        with file.open("rb") as stream:
            return stream.read(MAX_CHECKPOINT_BYTES + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"The file {describe(str(path))} cannot be read: {describe(str(error), 80)}."
        ) from None


def _check_size(size: int) -> None:
    if size > MAX_CHECKPOINT_BYTES:
        raise InputError(
            f"The file is {format_megabytes(size)}; the limit is "
            f"{format_megabytes(MAX_CHECKPOINT_BYTES)}: save its tensors as 16-bit floats, or "
            "choose a smaller network."
        )


def _read_safetensors(data: bytes) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    entries, metadata = read_header(data)
    values = sum(math.prod(entry.shape) for entry in entries.values() if "F" in entry.dtype)
    if 4 * values > MAX_CHECKPOINT_BYTES:
        raise InputError(
            f"The file's tensors take {format_megabytes(4 * values)} as float32; the limit is "
            f"{format_megabytes(MAX_CHECKPOINT_BYTES)}: choose a smaller network."
        )
    return {name: _values(data, entry) for name, entry in entries.items()}, metadata


def _values(data: bytes, entry: Entry) -> np.ndarray:
    dtype = np.dtype(TYPES[entry.dtype])
    count = (entry.end - entry.start) // dtype.itemsize
    stored = np.frombuffer(data, dtype, count, entry.start)
    if entry.dtype == "BF16":
        stored = (stored.astype(np.uint32) << 16).view(np.float32)
    elif "F" in entry.dtype:
        with np.errstate(over="ignore", invalid="ignore"):  # beyond float32; signalling NaN
            stored = stored.astype(np.float32, copy=False)
    return stored.reshape(entry.shape)


def _read_npz(data: bytes) -> dict[str, np.ndarray]:
    with open_npz(data, MAX_TENSORS) as archive:
        if any(name.rpartition("/")[2] == "data.pkl" for name in archive.namelist()):
            raise InputError(_pickle(data))
        if not archive.namelist():
            raise InputError(f"The .npz file holds no array; {_EXPECTED}.")
        return read_npz_arrays(archive, MAX_CHECKPOINT_BYTES)


def _foreign(data: bytes) -> str:
    """Return the sentence that refuses a file which is neither safetensors nor .npz."""
    if data[:1] == b"\x80" and data[1:2] in (b"\1", b"\2", b"\3", b"\4", b"\5"):
        return _pickle(data)
    for magic, start, name in _FOREIGN:
        if data[start : start + len(magic)] == magic:
            remedy = "unpack it" if "archive" in name else "save it as safetensors"
            return (
                f"The file is {name} ({len(data):,} bytes received); {_EXPECTED}: {remedy} first."
            )
    return (
        f"The file is neither a safetensors nor a .npz file ({len(data):,} bytes received); "
        f"{_EXPECTED}, and a PyTorch file is converted in Python: {'; '.join(TORCH_CONVERSION)}."
    )


def _pickle(data: bytes) -> str:
    return (
        f"The file is a pickle, as PyTorch writes them ({len(data):,} bytes received), which is "
        "never opened because it could run code; convert it in Python: "
        f"{'; '.join(TORCH_CONVERSION)}."
    )
