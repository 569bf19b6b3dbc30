import numpy as np
import pytest

from explorer.errors import InputError
from explorer.inputs import read_upload
from explorer.inputs.limits import MAX_ELEMENTS, MAX_FILE_BYTES
from tests.files import npy, npy_header, npz, zipped

VALUES = np.random.default_rng(1).standard_normal((24, 40, 5))


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (VALUES, VALUES),
        (VALUES[:, :, 0], VALUES[:, :, :1]),
        (np.asfortranarray(VALUES), VALUES),
        (VALUES.astype(">f4"), VALUES),
        (VALUES.astype(np.float16), VALUES.astype(np.float16)),
        (VALUES > 0, VALUES > 0),
        ((VALUES * 100).astype(np.int64), (VALUES * 100).astype(np.int64)),
    ],
    ids=["float64", "2-D", "Fortran", "big-endian", "float16", "bool", "int64"],
)
def test_npy_keeps_its_values(array: np.ndarray, expected: np.ndarray) -> None:
    x = read_upload("a.npy", npy(array))
    assert x.dtype == np.float32
    np.testing.assert_array_equal(x, expected.astype(np.float32))


def test_npz_reads_its_only_array_or_the_named_one() -> None:
    np.testing.assert_array_equal(read_upload("a.npz", npz(only=np.eye(3)))[:, :, 0], np.eye(3))
    two = npz(a=np.eye(3), b=np.ones((2, 2)))
    assert read_upload("a.npz", two, name="b").shape == (2, 2, 1)


BAD = {
    "empty": ("a.png", b"", r"empty \(0 bytes\)"),
    "too large": ("a.npy", b"0" * (MAX_FILE_BYTES + 1), "The file is 40.1 MB; the limit is 40 MB."),
    "pickle": ("a.npy", npy(np.array([{}]), allow_pickle=True), "Python objects"),
    "complex": ("a.npy", npy(np.zeros((2, 2), complex)), "complex numbers"),
    "records": ("a.npy", npy(np.zeros((2, 2), "i4,f4")), "structured records"),
    "text array": ("a.npy", npy(np.array([["a"]])), "not numbers"),
    "zero side": ("a.npy", npy(np.zeros((0, 3))), "shape 0×3×1"),
    "too long": (
        "a.npy",
        npy_header((4096, 1)),
        "shape 4096×1×1; expected H and W from 1 to 2048",
    ),
    "too many": ("a.npy", npy_header((2048, 2048, 8)), f"elements .*{MAX_ELEMENTS:,}"),
    "truncated npy": (
        "a.npy",
        npy_header((100, 100)),
        r"declares 100×100 values \(40,000 bytes\) but 0 bytes were received",
    ),
    "not npy": ("a.npy", b"\x93NUMPY\x01\x00\x28\x00" + b"x" * 40, "header cannot be read"),
    "long header": (
        "a.npy",
        b"\x93NUMPY\x02\x00" + (400_000_000).to_bytes(4, "little"),
        "header is 400,000,000 bytes long; the limit is 10,000",
    ),
    "truncated header": ("a.npy", b"\x93NUMPY", "header cannot be read"),
    "many members": (
        "a.npz",
        zipped(**{f"{n}.npy": b"" for n in range(101)}),
        "has 101 members; the limit is 100",
    ),
    "not npz": ("a.npz", b"PK\x03\x04 and no more", "not a readable ZIP archive"),
    "two arrays": (
        "a.npz",
        npz(a=np.eye(2), b=np.eye(2)),
        "2 arrays and none is selected; .* a, b",
    ),
    "no array": ("a.npz", zipped(readme=b"hi"), "holds no array"),
    "nan": (
        "a.csv",
        b"1,2\nnan,inf",
        r"\(1 NaN, 1 infinite .* first at row 1, column 0, channel 0",
    ),
    "overflow": ("a.csv", b"1e400", "0 NaN, 1 infinite"),
    "beyond float32": (
        "a.npy",
        npy(np.full((2, 2), 1e300)),
        "4 infinite or beyond float32's range",
    ),
}


@pytest.mark.parametrize(("name", "data", "message"), BAD.values(), ids=BAD)
def test_bad_files_give_one_sentence(name: str, data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_upload(name, data)
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    assert len(text) < 400
    assert "expected" in text or "the limit is" in text


def test_an_unknown_array_name_is_refused() -> None:
    with pytest.raises(InputError, match="has no array named b; expected one of: a"):
        read_upload("a.npz", npz(a=np.eye(2)), name="b")


def test_member_names_are_shown_without_special_characters() -> None:
    data = zipped(**{"<b>../x.npy": npy(np.eye(2)), "y.npy": npy(np.eye(2))})
    with pytest.raises(InputError, match=r"one of: \?b\?\?\?\?x, y"):
        read_upload("a.npz", data)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((b"a.npy", npy(np.eye(2))), "filename"),
        ((None, npy(np.eye(2))), "filename"),
        (("a.npy", "text"), "data"),
        (("a.npy", None), "data"),
        (("a.npy", [1, 2]), "data"),
    ],
)
def test_the_arguments_are_checked(arguments: tuple[object, object], name: str) -> None:
    with pytest.raises(InputError, match=f"^{name} must be a (str|bytes), got [^\n]*$"):
        read_upload(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [3, ["a"], b"a"])
def test_the_name_of_an_array_is_checked(name: object) -> None:
    with pytest.raises(InputError, match="name must be a str"):
        read_upload("a.npz", npz(a=np.eye(2)), name=name)  # type: ignore[arg-type]


@pytest.mark.parametrize("index", [-1, 2, 0.5, "x", None, True])
def test_the_index_of_an_image_is_checked(index: object) -> None:
    with pytest.raises(InputError, match="index must be an integer from 0 to 1"):
        read_upload("a.npy", npy(np.zeros((2, 6, 7, 3))), index=index)  # type: ignore[arg-type]
