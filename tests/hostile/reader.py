"""Reads files one after the other in a process of its own, to see what each costs.

`python -m tests.hostile.reader FOLDER` prints a JSON list, an `Outcome` a file.
The names of the files are numbers; `names.json` says what they were uploaded as.
"""

import hashlib
import json
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
class Outcome:
    """`message` is the refusal, or None with `shape` and `digest` of what was read. `growth`
    is by how many bytes the process had to rise above its size at rest, the file included,
    for this file or one before it."""

    message: str | None
    shape: tuple[int, ...]
    digest: str
    seconds: float
    growth: int


def digest(x: np.ndarray) -> str:
    """A fingerprint of an array's float32 values."""
    return hashlib.blake2b(x.data, digest_size=8).hexdigest()


def read(filename: str, data: bytes, resting: int) -> Outcome:
    message, shape, mark = None, (), ""
    start = time.perf_counter()
    try:
        x = decode_upload(filename, data).array
        seconds = time.perf_counter() - start
        shape, mark = x.shape, digest(x)
    except InputError as problem:
        seconds = time.perf_counter() - start
        message = str(problem)
    return Outcome(message, shape, mark, seconds, peak() - resting)


def peak() -> int:
    """The most bytes that this process has ever had in memory."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count what the parent had before this one began
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"))
        assert found
        return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(folder: Path) -> None:
    warnings.simplefilter("error")
    decode_upload("a.png", picture(colours(4, 4, 3), "PNG"))  # so that all modules are there
    decode_upload("a.jpg", picture(colours(4, 4, 3), "JPEG"))
    decode_upload("a.npy", npy(np.ones((2, 2))))
    decode_upload("a.csv", b"1,2")
    resting = peak()
    names = json.loads((folder / "names.json").read_text(encoding="utf-8"))
    outcomes = [
        asdict(read(name, (folder / str(number)).read_bytes(), resting))
        for number, name in enumerate(names)
    ]
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
