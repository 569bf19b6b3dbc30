import re

import numpy as np
import pytest

from explorer.errors import InputError
from explorer.inputs import FILE_EXTENSIONS, decode_upload, read_upload
from tests.files import colours, npy, npz, picture, zipped

PICTURES = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg", ".jfif", ".jpe", ".mpo"),
    "WEBP": (".webp",),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "TIFF": (".tif", ".tiff"),
}
CASES = [(kind, ending) for kind, endings in PICTURES.items() for ending in endings]


@pytest.mark.parametrize(("kind", "ending"), CASES)
def test_pictures_are_read_under_their_endings(kind: str, ending: str) -> None:
    upload = decode_upload("a" + ending.upper(), picture(colours(6, 5, 3), kind))
    assert upload.array.shape == (6, 5, 3)
    assert upload.notes == ()
    assert ending in FILE_EXTENSIONS


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a", "its name has no ending"),
        ("a.csv", "its name ends in .csv"),
        ("a.npy", "its name ends in .npy"),
        ("a.pt", "its name ends in .pt"),
        ("a.<b>", "its name has no ending"),
    ],
)
def test_pictures_are_recognised_by_content(kind: str, name: str, words: str) -> None:
    upload = decode_upload(name, picture(colours(6, 5, 3), kind))
    assert upload.array.shape == (6, 5, 3)
    assert upload.is_image
    title = {"WEBP": "WebP"}.get(kind, kind)
    assert upload.notes == (f"The file is a {title} picture by its content, although {words}.",)


@pytest.mark.parametrize("name", ["a", "a.png", "a.txt", "a.bin", "array.npz"])
def test_arrays_are_recognised_by_content(name: str) -> None:
    upload = decode_upload(name, npy(np.eye(3)))
    np.testing.assert_array_equal(upload.array[:, :, 0], np.eye(3))
    assert upload.notes[0].startswith("The file is a NumPy array by its content, although its name")
    assert not upload.is_image
    if name != "array.npz":
        upload = decode_upload(name, npz(a=np.eye(3)))
        np.testing.assert_array_equal(upload.array[:, :, 0], np.eye(3))
        assert upload.notes[0].startswith("The file is a NumPy archive by its content")


def test_a_table_that_begins_like_a_bitmap_is_a_table() -> None:
    np.testing.assert_array_equal(read_upload("a.csv", b"1,2\n3,4")[:, :, 0], [[1, 2], [3, 4]])
    with pytest.raises(InputError) as caught:
        read_upload("a.bin", b"BMI,age,height\n22,33,180\n")
    assert "not recognised" in str(caught.value)


FOREIGN = {
    "HEIC": (b"\0\0\0\x18ftypheic" + bytes(20), "a HEIC picture; .* save it as JPEG or PNG"),
    "AVIF": (b"\0\0\0\x18ftypavif" + bytes(20), "an AVIF picture; .* save it as JPEG or PNG"),
    "DICOM": (bytes(128) + b"DICM" + bytes(20), "a DICOM file; .*pydicom.dcmread"),
    "PDF": (b"%PDF-1.7\n", "a PDF; .* export the page as PNG"),
    "PyTorch": (zipped(**{"net/data.pkl": b"\x80\2."}), "a pickle, .* could run code; .*tensor"),
    "pickle": (b"\x80\4\x95\0\0", "a pickle, .* could run code"),
    "MATLAB": (b"MATLAB 5.0 MAT-file" + bytes(200), "a MATLAB file; .*scipy.io.loadmat"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(20), "an HDF5 file; .*h5py.File"),
    "safetensors": (b"\2\0\0\0\0\0\0\0{}" + bytes(9), "not recognised"),
    "safetensors with a tensor": (
        b"\x10\0\0\0\0\0\0\0" + b'{"a":{"dtype":1}' + bytes(9),
        "a safetensors file; .*load_file",
    ),
    "Excel": (zipped(**{"[Content_Types].xml": b"<x/>"}), "an Excel workbook; .* as CSV"),
    "video": (b"\0\0\0\x18ftypisom" + bytes(20), "content is not recognised"),
    "text": (b"hello", "content is not recognised"),
}


@pytest.mark.parametrize("name", ["a", "a.csv", "a.bin"])
@pytest.mark.parametrize(("data", "message"), FOREIGN.values(), ids=FOREIGN)
def test_foreign_formats_are_named_by_content(name: str, data: bytes, message: str) -> None:
    if message.endswith("not recognised") and name == "a.csv":
        return  # read as a table
    _assert_refused(name, data, message)


@pytest.mark.parametrize(
    ("ending", "message"),
    [
        (".heic", "a HEIC picture"),
        (".avif", "an AVIF picture"),
        (".dcm", "a DICOM file"),
        (".pdf", "a PDF"),
        (".pt", "a pickle"),
        (".pth", "a pickle"),
        (".pkl", "a pickle"),
        (".mat", "a MATLAB file"),
        (".h5", "an HDF5 file"),
        (".safetensors", "a safetensors file"),
        (".xlsx", "an Excel workbook"),
        (".png", r"ends in .png but its 7 bytes are no PNG picture"),
        (".npy", "ends in .npy but its 7 bytes are no NumPy array"),
        (".exe", "name ends in .exe and its content is not recognised"),
        (".<b>", "name has no readable extension and its content is not recognised"),
        ("", "name has no readable extension"),
    ],
)
def test_unreadable_files_are_named_by_ending(ending: str, message: str) -> None:
    _assert_refused("a" + ending.upper(), b"unknown", message)


def _assert_refused(name: str, data: bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_upload(name, data)
    text = str(caught.value)
    assert re.search(message, text), text
    assert "\n" not in text
    assert "expected" in text
    assert text.endswith(".")
    assert len(text) < 400
