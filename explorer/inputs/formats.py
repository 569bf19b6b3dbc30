"""Formats of files, recognised by their first bytes; text has none and is known by its ending."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from types import MappingProxyType

from explorer.errors import InputError


@dataclass(frozen=True)
class Format:
    """A format that can be read.

    Attributes:
        title: its name in messages.
        endings: of its files' names, in lower case.
    """

    title: str
    endings: tuple[str, ...]


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "PNG": Format("PNG picture", (".png",)),
        "JPEG": Format("JPEG picture", (".jpg", ".jpeg", ".jfif", ".jpe", ".mpo")),
        "WEBP": Format("WebP picture", (".webp",)),
        "BMP": Format("BMP picture", (".bmp",)),
        "GIF": Format("GIF picture", (".gif",)),
        "TIFF": Format("TIFF picture", (".tif", ".tiff")),
        "NPY": Format("NumPy array", (".npy",)),
        "NPZ": Format("NumPy archive", (".npz",)),
        "TABLE": Format("table", (".csv", ".tsv", ".txt")),
    }
)
FILE_EXTENSIONS = tuple(ending for each in FORMATS.values() for ending in each.endings)
EXPECTED = "expected a picture (PNG, JPEG, WebP, BMP, GIF, TIFF), .npy, .npz, .csv, .tsv or .txt"

_SAVE = "numpy.save('x.npy', {})"
# Formats that are not read: the name, and what to do instead.
_HEIC = ("a HEIC picture", "save it as JPEG or PNG first")
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
_AVIF = ("an AVIF picture", "save it as JPEG or PNG first")
_DICOM = (
    "a DICOM file",
    "save its pixels in Python with " + _SAVE.format("pydicom.dcmread(file).pixel_array"),
)
_PDF = ("a PDF", "export the page as PNG first")
_PICKLE = (
    "a pickle, as PyTorch writes them, which is never opened because it could run code",
    "save one array in Python with " + _SAVE.format("tensor.numpy()"),
)
_MATLAB = (
    "a MATLAB file",
    "save one array in Python with " + _SAVE.format("scipy.io.loadmat(file)['x']"),
)
_HDF5 = ("an HDF5 file", "save one array in Python with " + _SAVE.format("h5py.File(file)['x'][:]"))
_SAFETENSORS = (
    "a safetensors file",
    "save one array in Python with " + _SAVE.format("safetensors.numpy.load_file(file)['x']"),
)
_EXCEL = ("an Excel workbook", "save the sheet as CSV first")
_FOREIGN_ENDINGS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        **dict.fromkeys((".heic", ".heif"), _HEIC),
        ".avif": _AVIF,
        **dict.fromkeys((".dcm", ".dicom"), _DICOM),
        ".pdf": _PDF,
        **dict.fromkeys((".pt", ".pth", ".pkl", ".pickle", ".ckpt"), _PICKLE),
        ".mat": _MATLAB,
        **dict.fromkeys((".h5", ".hdf5"), _HDF5),
        ".safetensors": _SAFETENSORS,
        **dict.fromkeys((".xls", ".xlsx"), _EXCEL),
    }
)


def recognise(filename: str, data: bytes) -> tuple[str, tuple[str, ...]]:
    """Return the format of a file, a key of `FORMATS`, and notes.

    Raises:
        InputError: the format is not one of them.
    """
    ending = PurePath(filename).suffix.lower()
    if found := _by_content(data):
        if ending in FORMATS[found].endings:
            return found, ()
        name = f"its name ends in {ending}" if _is_readable(ending) else "its name has no ending"
        return found, (f"The file is a {FORMATS[found].title} by its content, although {name}.",)
    if foreign := _foreign_content(data) or _FOREIGN_ENDINGS.get(ending):
        name, remedy = foreign
        raise InputError(f"The file is {name}; {EXPECTED}: {remedy}.")
    if ending in FORMATS["TABLE"].endings:
        return "TABLE", ()
    if ending == ".npz":  # a ZIP archive may begin with other data
        return "NPZ", ()
    for each in FORMATS.values():
        if ending in each.endings:
            raise InputError(
                f"The file name ends in {ending} but its {len(data):,} bytes are no "
                f"{each.title}; {EXPECTED}."
            )
    name = f"name ends in {ending}" if _is_readable(ending) else "name has no readable extension"
    raise InputError(f"The file {name} and its content is not recognised; {EXPECTED}.")


def is_picture(data: bytes) -> bool:
    """Return whether a file is a picture, by its first bytes."""
    return _by_content(data) not in (None, "NPY", "NPZ")


def _by_content(data: bytes) -> str | None:
    """Return the format of a picture or an array by its first bytes, or None."""
    for magic, name in (
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\xff\xd8\xff", "JPEG"),
        (b"GIF87a", "GIF"),
        (b"GIF89a", "GIF"),
        (b"II*\0", "TIFF"),
        (b"MM\0*", "TIFF"),
        (b"\x93NUMPY", "NPY"),
    ):
        if data.startswith(magic):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[:2] == b"BM" and data[6:10] == bytes(4):
        return "BMP"
    # PyTorch and Excel write ZIP archives too.
    return "NPZ" if data[:4] in (b"PK\x03\x04", b"PK\x05\x06") and not _foreign_zip(data) else None


def _foreign_zip(data: bytes) -> tuple[str, str] | None:
    name = data[30 : 30 + int.from_bytes(data[26:28], "little")][:200]
    if name.endswith((b"/data.pkl", b"/version", b"/.format_version")):
        return _PICKLE
    return _EXCEL if name in (b"[Content_Types].xml", b"_rels/.rels") else None


def _foreign_content(data: bytes) -> tuple[str, str] | None:
    """Return name and remedy of a format that is not read, by its first bytes, or None."""
    if data[:4] == b"PK\x03\x04":
        return _foreign_zip(data)
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        return _AVIF if brand in (b"avif", b"avis") else _HEIC if brand in _HEIC_BRANDS else None
    if data[128:132] == b"DICM":
        return _DICOM
    if data.startswith(b"%PDF-"):
        return _PDF
    if data.startswith(b"MATLAB "):
        return _MATLAB
    if data.startswith(b"\x89HDF\r\n\x1a\n"):
        return _HDF5
    if data[8:10] == b'{"' and int.from_bytes(data[:8], "little") < len(data):
        return _SAFETENSORS
    if data[:1] == b"\x80" and data[1:2] in (b"\2", b"\3", b"\4", b"\5"):
        return _PICKLE
    return None


def _is_readable(ending: str) -> bool:
    return 1 < len(ending) <= 9 and ending[1:].isalnum()
