"""Mutation test: valid files with one byte changed are read or rejected with a message."""

import random
import re
from collections.abc import Iterator

import numpy as np

from explorer.errors import InputError
from explorer.inputs import read_upload
from tests.files import colours, npy, npz, picture

VALID = {
    "a.png": picture(colours(12, 9, 3), "PNG"),
    "b.png": picture(colours(12, 9, 3), "PNG", "P"),
    "a.jpg": picture(colours(12, 9, 3), "JPEG"),
    "b.jpg": picture(colours(12, 9, 3), "JPEG", progressive=True),
    "rgba.png": picture(colours(12, 9, 4), "PNG"),
    "deep.png": picture(np.arange(108, dtype=np.uint16).reshape(12, 9) * 600, "PNG"),
    "a.webp": picture(colours(12, 9, 3), "WEBP"),
    "b.webp": picture(colours(12, 9, 4), "WEBP", lossless=True),
    "a.bmp": picture(colours(12, 9, 3), "BMP"),
    "a.gif": picture(colours(12, 9, 3), "GIF"),
    "a.tif": picture(colours(12, 9, 3), "TIFF"),
    "b.tif": picture(colours(12, 9, 3), "TIFF", compression="tiff_lzw"),
    "a.npy": npy(np.eye(6, 7)),
    "batch.npy": npy(np.arange(96, dtype=np.uint8).reshape(2, 4, 4, 3)),
    "a.npz": npz(a=np.eye(6, 7)),
    "a.csv": b"1,2.5,-3\n4,5e-1,6\n",
    "b.csv": b'sep=;\r\n"";"a";"b"\r\n"1";1,5;2\r\n"2";3;4\r\n',
    "a.tsv": "# x\na\tb\n1\t2\n".encode("utf-16"),
    "a.txt": b"# x\n0 1.5  2\n3 4 5 # y\n",
}


def mutations(cases: int) -> Iterator[tuple[str, bytes]]:
    """Return file names and contents with one byte changed; the sequence is always the same."""
    rng = random.Random(0)
    for case in range(cases):
        name = list(VALID)[case % len(VALID)]
        data = bytearray(VALID[name])
        data[rng.randrange(len(data))] ^= rng.randrange(1, 256)
        yield name, bytes(data)


def fuzz(cases: int) -> tuple[int, int]:
    """Return how many mutations were read and how many rejected; raise all other exceptions."""
    read = rejected = 0
    for name, data in mutations(cases):
        try:
            x = read_upload(name, data)
        except InputError as error:
            assert_is_error_message(str(error))
            rejected += 1
            continue
        assert x.ndim == 3
        assert x.dtype == np.float32
        assert np.isfinite(x).all()
        read += 1
    return read, rejected


def assert_is_error_message(text: str) -> None:
    """Assert that a message is one line, states what was expected, and shows no path or code."""
    assert "\n" not in text, text
    assert text.endswith("."), text
    assert len(text) < 400, text
    assert "expected" in text or "the limit is" in text, text
    assert not any(part in text for part in ("Traceback", "/explorer", "site-packages")), text
    assert not re.search("0x[0-9a-f]{6}", text), text  # the address of an object
