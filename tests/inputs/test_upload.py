import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    "text", ["1,2\n3,4", "1;2\r\n3;4\r\n", "\ufeff1\t2\n\n3\t4\n", " 1 , 2\n3,4e0"]
)
def test_csv(text: str) -> None:
    x = read_upload("a.CSV", text.encode())
    np.testing.assert_array_equal(x[:, :, 0], [[1, 2], [3, 4]])


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
    "other digits": ("a.csv", "1,\uff11".encode(), r"not ASCII text \(byte 2 of 5\)"),
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
    "ragged": ("a.csv", b"1,2\n3", "Row 1 of the .csv file has length 1, row 0 has length 2"),
    "words": ("a.csv", b"1,2\n3,four", "row 1, column 1 of the .csv file"),
    "gap": ("a.csv", b"1,2\n3,", "row 1, column 1 of the .csv file"),
    "utf-16": ("a.csv", "1,2".encode("utf-16"), "not ASCII text"),
    "blank": ("a.csv", b"\n \n", "file is blank"),
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


@settings(max_examples=300, deadline=None)
@given(text=st.text(st.one_of(st.characters(), st.sampled_from("0123456789,.;-e\n"))))
def test_any_text_as_csv_is_read_or_refused(text: str) -> None:
    try:
        x = read_upload("a.csv", text.encode("utf-8", "surrogatepass"))
    except InputError:
        return
    assert np.isfinite(x).all()
