"""Files that are damaged or malicious are read or refused with one sentence."""

import io
import pickle
import random
import zipfile

import numpy as np
import pytest

from explorer.data import read_dataset
from explorer.errors import InputError
from explorer.inputs.limits import MAX_FILE_BYTES
from tests.files import colours, npy, npy_header, npz, picture, zipped
from tests.hostile.corpus import crowded_directory, described, encrypted, raw_npy
from tests.hostile.fuzz import assert_is_error_message

X = np.arange(24, dtype=np.uint8).reshape(8, 3, 1)
Y = np.array([0, 1] * 4)


def with_members(**members: bytes) -> bytes:
    """Return an archive with legal x and y, but for the members given."""
    return zipped(**{f"{n}.npy": d for n, d in {"x": npy(X), "y": npy(Y), **members}.items()})


def stored(**members: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **members)  # type: ignore[arg-type]
    return file.getvalue()


def compressed_by(method: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("y.npy", npy(Y))
        archive.writestr("x.npy", npy(X))
    return file.getvalue()


OBJECTS = npy(np.array([{}] * 8), allow_pickle=True)
BAD = {
    "empty": (b"", "not a readable ZIP"),
    "text": (b"x,y\n1,2\n", "not a readable ZIP"),
    "npy": (npy(X), "not a readable ZIP"),
    "picture": (picture(colours(4, 4, 3), "PNG"), "not a readable ZIP"),
    "pickle": (pickle.dumps({"x": 1, "y": 2}), "not a readable ZIP"),
    "PyTorch": (zipped(**{"a/data.pkl": b"", "a/version": b"3"}), "holds no array"),
    "no member": (zipped(), "holds no array"),
    "x missing": (npz(images=X, y=Y), "has no array named x, but images, y; expected a file"),
    "y missing": (npz(x=X), "has no array named y, but x; expected a file"),
    "both missing": (npz(X=X, Y=Y), "has no array named x or y, but X, Y; expected"),
    "names of HTML": (zipped(**{"<b>x.npy": npy(X)}), "named x or y, but [?]b[?]x; expected"),
    "many names": (npz(**{f"a{n}": Y for n in range(50)}), "but a0, .*, a7; expected"),
    "101 members": (zipped(**{f"{n}.npy": b"" for n in range(101)}), "101 members"),
    "objects in x": (with_members(x=OBJECTS), "The array x holds Python objects"),
    "objects in y": (with_members(y=OBJECTS), "The array y holds Python objects"),
    "text in y": (npz(x=X, y=np.array(["a", "b"] * 4)), "The array y holds values that are not"),
    "text in x": (npz(x=X.astype(str), y=Y), "The array x holds values that are not numbers"),
    "dates in y": (npz(x=X, y=Y.astype("M8[D]")), "The array y holds values that are not"),
    "records": (npz(x=np.zeros((8, 2, 2), "i4,f4"), y=Y), "The array x holds structured records"),
    "bfloat16": (with_members(x=described((8, 2, 2), "|V2")), "The array x .* bfloat16"),
    "no pictures": (npz(x=X[:0], y=Y), "x has shape 0×3×1; expected at least one picture"),
    "no labels": (npz(x=X, y=Y[:0]), "y has no labels; expected one for each picture"),
    "negative shape": (with_members(x=npy_header((-8, 3, 1))), "x has shape -8×3×1"),
    "x of terabytes": (with_members(x=npy_header((10**12, 30, 30))), "has over 10¹² pictures"),
    "y of terabytes": (with_members(y=npy_header((10**12,), "<i8")), "has over 10¹² labels"),
    "side of 4,000 digits": (
        with_members(x=npy_header((8, int("9" * 4000), 3))),
        "of over 10¹²×3 pixels",
    ),
    "channels of 4,000 digits": (
        with_members(x=npy_header((8, 3, 3, int("9" * 4000)))),
        "of over 10¹² channels",
    ),
    "64 axes": (with_members(x=described((1,) * 64)), "got 64 with shape"),
    "bomb": (with_members(x=npy(X) + bytes(10**8)), "The array x holds more data than"),
    "bomb without a header": (with_members(y=bytes(10**8)), "header cannot be read"),
    "truncated x": (with_members(x=npy(X)[:-3]), "The array x is truncated"),
    "long header": (with_members(x=raw_npy(b" " * 60_000)), "header is 60,000 bytes long"),
    "header of code": (with_members(x=raw_npy(b"exit()")), "header cannot be read"),
    "nested archive": (with_members(x=npz(x=X)), "header cannot be read"),
    "bzip2": (compressed_by(zipfile.ZIP_BZIP2), "unsupported compression"),
    "LZMA": (compressed_by(zipfile.ZIP_LZMA), "unsupported compression"),
    "encrypted": (encrypted(), "no array named x or y"),
    "crowded directory": (crowded_directory(), "not a readable ZIP"),
    "too large": (bytes(MAX_FILE_BYTES + 1), "The file is 40.1 MB; the limit is 40 MB."),
}


@pytest.mark.parametrize(("data", "message"), BAD.values(), ids=BAD)
def test_bad_files_give_one_sentence(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_dataset(data)
    assert_is_error_message(str(caught.value))


@pytest.mark.parametrize("data", [None, "text", bytearray(b"PK"), npy, 3])
def test_only_bytes_are_read(data: object) -> None:
    with pytest.raises(InputError, match="data must be a bytes, got"):
        read_dataset(data)  # type: ignore[arg-type]


def test_nothing_is_unpickled() -> None:
    class Opened:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return exec, ("raise AssertionError('unpickled')",)

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in ("x", "y"):
            archive.writestr(f"{name}.npy", described((8, 1, 1), "|O") + pickle.dumps(Opened()))
    with pytest.raises(InputError, match="Python objects"):
        read_dataset(file.getvalue())


@pytest.mark.parametrize("data", [npz(x=X, y=Y), stored(x=X, y=Y)], ids=["deflated", "stored"])
def test_changed_or_cut_files_are_read_or_refused(data: bytes) -> None:
    rng = random.Random(0)
    read = refused = 0
    for case in range(1500):
        changed = bytearray(data)
        for _ in range(rng.choice([1, 1, 3])):
            changed[rng.randrange(len(changed))] ^= rng.randrange(1, 256)
        if case % 10 == 0:
            del changed[rng.randrange(len(changed)) :]
        try:
            found = read_dataset(bytes(changed))
        except InputError as error:
            assert_is_error_message(str(error))
            refused += 1
            continue
        assert np.isfinite(found.train_images).all()
        assert np.isfinite(found.test_images).all()
        read += 1
    assert min(read, refused) > 20, (read, refused)


def mutated_member(rng: random.Random, array: np.ndarray) -> bytes:
    member = bytearray(npy(array))
    for _ in range(rng.choice([0, 1, 2])):
        member[rng.randrange(len(member))] ^= rng.randrange(1, 256)
    return bytes(member)


def test_changed_arrays_in_sound_archives_are_read_or_refused() -> None:
    rng = random.Random(1)
    read = refused = 0
    for _ in range(1500):
        data = with_members(
            x=mutated_member(rng, X.astype(rng.choice([np.uint8, np.float16, np.float64]))),
            y=mutated_member(rng, Y.astype(rng.choice([np.int64, np.float32, np.longdouble]))),
        )
        try:
            read_dataset(data)
        except InputError as error:
            assert_is_error_message(str(error))
            refused += 1
            continue
        read += 1
    assert min(read, refused) > 100, (read, refused)
