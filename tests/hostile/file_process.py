"""A separate process that reads files and measures the time and memory of each.

`python -m tests.hostile.file_process FOLDER` prints a JSON list with a `ReadResult` per file.
The files are named by numbers; `names.json` holds the names they are uploaded under.
"""

import ctypes
import hashlib
import json
import platform
import re
import resource
import sys
import time
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from explorer.errors import InputError
from explorer.inputs import decode_upload
from tests.files import colours, npy, picture


@dataclass(frozen=True)
class ReadResult:
    """The result of reading a file, and its cost.

    Attributes:
        message: the error message; None if the file was read.
        shape, digest: of the array that was read.
        seconds: time to read the file.
        growth: peak memory while the file was read, in bytes above the process at rest.
    """

    message: str | None
    shape: tuple[int, ...]
    digest: str
    seconds: float
    growth: int


def array_digest(x: np.ndarray) -> str:
    """Return a digest of an array's float32 values."""
    return hashlib.blake2b(x.data, digest_size=8).hexdigest()


def read(filename: str, data: bytes, resting: int) -> ReadResult:
    """Read a file's contents as an upload of this name."""
    message, shape, digest = None, (), ""
    start = time.perf_counter()
    try:
        x = decode_upload(filename, data).array
        seconds = time.perf_counter() - start
        shape, digest = x.shape, array_digest(x)
    except InputError as error:
        seconds = time.perf_counter() - start
        message = str(error)
    return ReadResult(message, shape, digest, seconds, peak_memory() - resting)


def forget_peak() -> None:
    """Return freed memory to the system and reset the peak, on Linux; else do nothing.

    Otherwise what glibc keeps of one file, up to 64 MB, would count for the next.
    """
    peak = Path("/proc/self/clear_refs")
    if peak.exists():
        if platform.libc_ver()[0] == "glibc":
            ctypes.CDLL(None).malloc_trim(0)
        peak.write_text("5", encoding="ascii")  # 5 resets the peak, see proc(5)


def peak_memory() -> int:
    """Return the peak memory of this process in bytes, on Linux since `forget_peak`."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would include the parent's memory before exec
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"))
        assert found
        return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(folder: Path) -> None:
    """Read every file of a folder and print the results."""
    warnings.simplefilter("error")
    # Imports and codecs are loaded before memory is measured.
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"):
        decode_upload("a", picture(colours(4, 4, 3), kind))
    decode_upload("a.npy", npy(np.ones((2, 2))))
    decode_upload("a.csv", b"1,2")
    decode_upload("a.csv", "1,2".encode("utf-16"))
    resting = peak_memory()
    names = json.loads((folder / "names.json").read_text(encoding="utf-8"))
    results = []
    for index, name in enumerate(names):
        forget_peak()
        results.append(asdict(read(name, (folder / str(index)).read_bytes(), resting)))
    print(json.dumps(results))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
