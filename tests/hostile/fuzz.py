"""Good files with one byte changed: each is read or refused, nothing else."""

import random
from collections.abc import Iterator

import numpy as np

from explorer.errors import InputError
from explorer.inputs import read_upload
from tests.files import colours, npy, npz, picture

GOOD = {
    "a.png": picture(colours(12, 9, 3), "PNG"),
    "b.png": picture(colours(12, 9, 3), "PNG", "P"),
    "a.jpg": picture(colours(12, 9, 3), "JPEG"),
    "b.jpg": picture(colours(12, 9, 3), "JPEG", progressive=True),
    "a.npy": npy(np.eye(6, 7)),
    "a.npz": npz(a=np.eye(6, 7)),
    "a.csv": b"1,2.5,-3\n4,5e-1,6\n",
}


def mutations(cases: int) -> Iterator[tuple[str, bytes]]:
    """File names and contents with one byte changed, always the same for the same number."""
    chance = random.Random(0)
    for case in range(cases):
        name = list(GOOD)[case % len(GOOD)]
        data = bytearray(GOOD[name])
        data[chance.randrange(len(data))] ^= chance.randrange(1, 256)
        yield name, bytes(data)


def fuzz(cases: int) -> tuple[int, int]:
    """How many of the mutations were read, and how many refused; anything else escapes."""
    read = refused = 0
    for name, data in mutations(cases):
        try:
            x = read_upload(name, data)
        except InputError as problem:
            assert_is_one_sentence(str(problem))
            refused += 1
            continue
        assert x.ndim == 3
        assert x.dtype == np.float32
        assert np.isfinite(x).all()
        read += 1
    return read, refused


def assert_is_one_sentence(text: str) -> None:
    """One line that ends in a full stop, says what is accepted and holds no path or code."""
    assert "\n" not in text, text
    assert text.endswith("."), text
    assert len(text) < 400, text
    assert "accepted" in text, text
    assert not any(sign in text for sign in ("Traceback", "/explorer", "site-packages", "0x")), text
