"""Files that a reader with bad intentions, or bad luck, might upload; all made by code.

`CASES` maps a name to a `Case`. What is good among them says which values it holds,
everything else which words its refusal has.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from tests.files import colours, npy, npy_header, npz, picture, png_header, zipped


@dataclass(frozen=True)
class Case:
    """One upload. `refused` is a pattern of the message, None if the file is to be read,
    and then `values` are what it holds, `(H, W, C)`, or None if only the shape is known."""

    filename: str
    make: Callable[[], bytes]
    refused: str | None = None
    values: np.ndarray | None = None
    shape: tuple[int, ...] | None = None


RAMP = np.arange(12.0).reshape(3, 4)
CUBE = np.arange(24.0).reshape(2, 3, 4)
MAGIC = b"\x93NUMPY"


def read(filename: str, make: Callable[[], bytes], values: np.ndarray) -> Case:
    wide = values if values.ndim == 3 else values[:, :, None]
    return Case(filename, make, values=wide.astype(np.float32), shape=wide.shape)


def shaped(filename: str, make: Callable[[], bytes], *shape: int) -> Case:
    return Case(filename, make, shape=shape)


def raw_npy(header: bytes, values: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    """A .npy with this text as its header."""
    width = "<H" if version == b"\x01\x00" else "<I"
    return MAGIC + version + struct.pack(width, len(header)) + header + values


def described(shape: object, descr: object = "<f4", order: object = False) -> bytes:
    return raw_npy(
        repr({"descr": descr, "fortran_order": order, "shape": shape}).encode() + b"\n", b"\0" * 64
    )


def stored(name: str, data: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr(name, data)
    return file.getvalue()


def flipped(data: bytes, position: int, mask: int = 0xFF) -> bytes:
    changed = bytearray(data)
    changed[position] ^= mask
    return bytes(changed)


def crowded_directory() -> bytes:
    """A ZIP whose directory has 300,000 entries and whose last record admits to two."""
    name = b"a.npy"
    header = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", *[0] * 9, len(name), *[0] * 6)
    directory = (header + name) * 300_000
    return directory + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, len(directory), 0, 0)


def encrypted() -> bytes:
    """A ZIP whose member says that it needs a password."""
    data = npz(a=RAMP)
    data = flipped(data, 6, 1)
    return flipped(data, data.index(b"PK\x01\x02") + 8, 1)


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*chunks: bytes, size: tuple[int, int] = (4, 3), depth: int = 8, colour: int = 0) -> bytes:
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND")


def grey_rows(width: int = 4, height: int = 3) -> bytes:
    return chunk(b"IDAT", zlib.compress(b"".join(b"\0" + bytes(width) for _ in range(height))))


def animated() -> bytes:
    frames = [Image.fromarray(colours(6, 5, 3)), Image.new("RGB", (5, 6))]
    file = io.BytesIO()
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    return file.getvalue()


def interlaced() -> bytes:
    """A 2×2 grey PNG in Adam7 order, which Pillow reads and does not write."""
    rows = [bytes([0, 10]), bytes([0, 20]), bytes([0, 30, 40])]  # passes 1, 6 and 7
    header = struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 1)
    body = chunk(b"IDAT", zlib.compress(b"".join(rows)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND")


def rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise
    return picture(colours(20, 30, 3), "JPEG", exif=exif)


def jpeg(*, progressive: bool = False) -> bytes:
    return picture(colours(20, 30, 3), "JPEG", progressive=progressive)


def many_scans() -> bytes:
    """A progressive JPEG whose last scan is repeated a thousand times."""
    data = picture(np.zeros((600, 600, 3), np.uint8), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * 1000 + b"\xff\xd9"


def progressive_giant() -> bytes:
    return picture(np.zeros((3600, 3600, 3), np.uint8), "JPEG", progressive=True)


NPY = {
    "float64": read("a.npy", lambda: npy(RAMP), RAMP),
    "float32": read("a.npy", lambda: npy(CUBE.astype(np.float32)), CUBE),
    "float16": read("a.npy", lambda: npy(CUBE.astype(np.float16)), CUBE),
    "longdouble": read("a.npy", lambda: npy(RAMP.astype(np.longdouble)), RAMP),
    "big-endian": read("a.npy", lambda: npy(CUBE.astype(">f8")), CUBE),
    "big-endian int": read("a.npy", lambda: npy(CUBE.astype(">i2")), CUBE),
    "Fortran order": read("a.npy", lambda: npy(np.asfortranarray(CUBE)), CUBE),
    "not contiguous": read("a.npy", lambda: npy(CUBE[::-1, ::2]), CUBE[::-1, ::2]),
    "bool": read("a.npy", lambda: npy(RAMP > 5), RAMP > 5),
    "uint8": read("a.npy", lambda: npy(RAMP.astype(np.uint8)), RAMP),
    "int64 at its ends": read(
        "a.npy",
        lambda: npy(np.array([[-(2**63), 2**63 - 1]])),
        np.array([[-(2.0**63), 2.0**63]]),
    ),
    "uint64": read("a.npy", lambda: npy(np.array([[2**64 - 1]], np.uint64)), np.array([[2.0**64]])),
    "subnormal": read("a.npy", lambda: npy(np.array([[1e-45]])), np.array([[1e-45]])),
    "negative zero": read("a.npy", lambda: npy(np.array([[-0.0]])), np.array([[-0.0]])),
    "one value": read("a.npy", lambda: npy(np.ones((1, 1))), np.ones((1, 1))),
    "version 2": read(
        "a.npy",
        lambda: raw_npy(
            b"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }\n",
            RAMP.tobytes(),
            b"\x02\x00",
        ),
        RAMP,
    ),
    "ending in capitals": read("A.NPY", lambda: npy(RAMP), RAMP),
    "largest": shaped("a.npy", lambda: npy(np.ones((1024, 1024, 8), np.float32)), 1024, 1024, 8),
    "2048 rows": shaped("a.npy", lambda: npy(np.ones((2048, 2, 3), np.uint8)), 2048, 2, 3),
    "512 channels": shaped("a.npy", lambda: npy(np.ones((2, 2, 512), np.uint8)), 2, 2, 512),
    "largest, all NaN": Case(
        "a.npy", lambda: npy(np.full((1024, 1024, 8), np.nan, np.float32)), "8,388,608 NaN"
    ),
    "pickle": Case("a.npy", lambda: npy(np.array([{}]), allow_pickle=True), "Python objects"),
    "objects in 2-D": Case(
        "a.npy", lambda: npy(np.array([[None]], object), allow_pickle=True), "Python objects"
    ),
    "objects in records": Case("a.npy", lambda: described((1, 1), [("a", "O")]), "Python objects"),
    "complex": Case("a.npy", lambda: npy(RAMP.astype(complex)), "complex numbers"),
    "records": Case("a.npy", lambda: npy(np.zeros((2, 2), "i4,f4")), "structured records"),
    "subarrays": Case("a.npy", lambda: described((2, 2), ("<f4", (2,))), "structured records|read"),
    "text": Case("a.npy", lambda: npy(np.array([["a"]])), "no numbers"),
    "bytes": Case("a.npy", lambda: npy(np.array([[b"a"]])), "no numbers"),
    "dates": Case("a.npy", lambda: npy(np.array([["2020-01-01"]], "M8[D]")), "no numbers"),
    "0-D": Case("a.npy", lambda: npy(np.array(3.0)), "0 axes"),
    "1-D": Case("a.npy", lambda: npy(np.ones(3)), "1 axes"),
    "4-D": Case("a.npy", lambda: npy(np.ones((1, 2, 2, 1))), "4 axes"),
    "5-D": Case("a.npy", lambda: npy(np.ones((1, 1, 2, 2, 1))), "5 axes"),
    "64 axes": Case("a.npy", lambda: described((1,) * 64), "64 axes"),
    "zero rows": Case("a.npy", lambda: npy(np.ones((0, 3))), "shape 0×3×1"),
    "zero channels": Case("a.npy", lambda: npy(np.ones((3, 3, 0))), "shape 3×3×0"),
    "NaN": Case("a.npy", lambda: npy(np.array([[1, np.nan]])), "1 NaN .* row 0, column 1"),
    "infinities": Case(
        "a.npy", lambda: npy(np.array([[np.inf, -np.inf]])), "2 values that are inf"
    ),
    "beyond float32": Case("a.npy", lambda: npy(np.array([[3.5e38]])), "beyond float32"),
    "longdouble beyond": Case(
        "a.npy", lambda: npy(np.full((2, 2), 1e300, np.longdouble)), "beyond float32"
    ),
    "too many rows": Case("a.npy", lambda: npy_header((2049, 1)), "shape 2049×1×1"),
    "too many channels": Case("a.npy", lambda: npy_header((1, 1, 513)), "shape 1×1×513"),
    "too many values": Case("a.npy", lambda: npy_header((2048, 2048, 8)), "33,554,432 elements"),
    "header of terabytes": Case("a.npy", lambda: npy_header((10**6, 10**6)), "accepted are H"),
    "header overflows int64": Case("a.npy", lambda: npy_header((2**62, 2**62)), "accepted are H"),
    "header promises more": Case("a.npy", lambda: npy_header((100, 100)), "promises 100×100"),
    "more than promised": Case("a.npy", lambda: npy(RAMP) + b"x", "received are more"),
    "truncated values": Case("a.npy", lambda: npy(RAMP)[:-3], "received are 93"),
    "truncated header": Case("a.npy", lambda: npy(RAMP)[:40], "header cannot be read"),
    "magic alone": Case("a.npy", lambda: MAGIC, "header cannot be read"),
    "wrong magic": Case("a.npy", lambda: flipped(npy(RAMP), 0), "header cannot be read"),
    "version 9": Case("a.npy", lambda: flipped(npy(RAMP), 6, 8), "header cannot be read"),
    "header of 10 MB": Case(
        "a.npy", lambda: raw_npy(b" " * 10_000_000, version=b"\x02\x00"), "claims 10,000,000 bytes"
    ),
    "header claims 4 GB": Case(
        "a.npy", lambda: MAGIC + b"\x02\x00\xff\xff\xff\xff", "claims 4,294,967,295 bytes"
    ),
    "header of brackets": Case("a.npy", lambda: raw_npy(b"(" * 9000), "header cannot be read"),
    "header of code": Case(
        "a.npy", lambda: raw_npy(b"__import__('os').system('true')"), "header cannot be read"
    ),
    "header without shape": Case(
        "a.npy", lambda: raw_npy(b"{'descr': '<f4', 'fortran_order': False}"), "cannot be read"
    ),
    "shape of words": Case("a.npy", lambda: described(("a", "b")), "header cannot be read"),
    "negative shape": Case("a.npy", lambda: described((-3, -4)), "accepted are H"),
    "shape of 5,000 digits": Case(
        "a.npy",
        lambda: raw_npy(b"{'descr':'<f4','fortran_order':False,'shape':(" + b"9" * 5000 + b",1)}"),
        "header cannot be read|accepted are H",
    ),
    "shape of bools": Case("a.npy", lambda: described((True, True)), "received are more|read"),
    "order of words": Case("a.npy", lambda: described((1, 1), order="no"), "cannot be read"),
    "unknown type": Case("a.npy", lambda: described((1, 1), "<q9"), "header cannot be read"),
    "NUL in the header": Case("a.npy", lambda: raw_npy(b"\0" * 80), "header cannot be read"),
    "header not ASCII": Case("a.npy", lambda: raw_npy(b"\xff\xfe" * 40), "header cannot be read"),
    "a picture called .npy": Case(
        "a.npy", lambda: picture(colours(4, 4, 3), "PNG"), "header cannot be read"
    ),
}

NPZ = {
    "npz": read("a.npz", lambda: npz(only=CUBE), CUBE),
    "npz, not compressed": read(
        "a.npz", lambda: stored("a.npy", npy(RAMP), zipfile.ZIP_STORED), RAMP
    ),
    "npz with a path": read("a.npz", lambda: stored("../../etc/x.npy", npy(RAMP)), RAMP),
    "npz with an absolute path": read("a.npz", lambda: stored("/etc/x.npy", npy(RAMP)), RAMP),
    "npz with other files": read(
        "a.npz", lambda: zipped(**{"notes.txt": b"hi", "a.npy": npy(RAMP)}), RAMP
    ),
    "npz with a comment before": read("a.npz", lambda: b"#" * 50 + npz(a=RAMP), RAMP),
    "npz of 16-byte values": shaped(
        "a.npz", lambda: npz(a=np.ones((1024, 1024, 8), np.longdouble)), 1024, 1024, 8
    ),
    "two arrays": Case("a.npz", lambda: npz(a=RAMP, b=RAMP), "2 arrays and none was chosen"),
    "two arrays, names of HTML": Case(
        "a.npz",
        lambda: zipped(**{"<b>x.npy": npy(RAMP), "[a](b).npy": npy(RAMP)}),
        r"one name of: \?b\?x, \?a\?\?b\?",
    ),
    "no array": Case("a.npz", lambda: zipped(readme=b"hi"), "no array"),
    "no member": Case("a.npz", zipped, "0 members and no array"),
    "npz bomb": Case("a.npz", lambda: stored("a.npy", bytes(300_000_000)), "header cannot be read"),
    "npz bomb behind a header": Case(
        "a.npz",
        lambda: stored("a.npy", npy_header((4, 4)) + bytes(300_000_000)),
        "received are more",
    ),
    "npz bomb of many values": Case(
        "a.npz", lambda: stored("a.npy", npy_header((40_000, 40_000)) + bytes(10**8)), "accepted"
    ),
    "nested zip": Case("a.npz", lambda: stored("a.npy", npz(a=RAMP)), "header cannot be read"),
    "zip in zip in zip": Case(
        "a.npz", lambda: stored("b.npz", stored("a.npz", npz(a=RAMP))), "no array"
    ),
    "101 members": Case(
        "a.npz", lambda: zipped(**{f"{n}.npy": b"" for n in range(101)}), "101 members"
    ),
    "crowded directory": Case("a.npz", crowded_directory, "no readable ZIP"),
    "pickle in npz": Case(
        "a.npz",
        lambda: stored("a.npy", npy(np.array([[{}]]), allow_pickle=True)),
        "Python objects",
    ),
    "bzip2 in npz": Case(
        "a.npz", lambda: stored("a.npy", npy(RAMP), zipfile.ZIP_BZIP2), "another method"
    ),
    "lzma in npz": Case(
        "a.npz", lambda: stored("a.npy", npy(RAMP), zipfile.ZIP_LZMA), "another method"
    ),
    "empty member": Case("a.npz", lambda: stored("a.npy", b""), "header cannot be read"),
    "truncated npz": Case("a.npz", lambda: npz(a=CUBE)[:-30], "no readable ZIP"),
    "broken stream": Case("a.npz", lambda: flipped(npz(a=CUBE), 60), "no readable ZIP|read"),
    "wrong check sum": Case(
        "a.npz",
        lambda: stored("a.npy", npy(RAMP), zipfile.ZIP_STORED).replace(
            RAMP.tobytes()[8:16], b"12345678"
        ),
        "no readable ZIP",
    ),
    "encrypted": Case("a.npz", encrypted, "no readable ZIP"),
    "PK alone": Case("a.npz", lambda: b"PK\x03\x04", "no readable ZIP"),
    "an npy called .npz": Case("a.npz", lambda: npy(RAMP), "no readable ZIP"),
}

IMAGES = {
    "RGB": read("a.png", lambda: picture(colours(5, 4, 3), "PNG"), colours(5, 4, 3) / 255),
    "grey": read("a.png", lambda: picture(colours(5, 4, 1), "PNG"), colours(5, 4, 1) / 255),
    "RGBA": read(
        "a.png", lambda: picture(colours(5, 4, 4), "PNG"), colours(5, 4, 4)[:, :, :3] / 255
    ),
    "grey and alpha": shaped("a.png", lambda: picture(colours(5, 4, 3), "PNG", "LA"), 5, 4, 1),
    "palette": read(
        "a.png",
        lambda: picture(np.array([[0, 255], [255, 0]], np.uint8), "PNG", "P"),
        np.repeat(np.array([[0.0, 1], [1, 0]])[:, :, None], 3, axis=2),
    ),
    "palette with transparency": shaped(
        "a.png", lambda: picture(colours(5, 4, 3), "PNG", "P", transparency=0), 5, 4, 3
    ),
    "16 bits": read(
        "a.png",
        lambda: picture(np.array([[0, 1000], [40000, 65535]], np.uint16), "PNG"),
        np.array([[0, 1000], [40000, 65535]]) / 65535,
    ),
    "1 bit": read(
        "a.png",
        lambda: picture(np.array([[0, 255], [255, 0]], np.uint8), "PNG", "1"),
        np.array([[0, 1], [1, 0]]),
    ),
    "interlaced": read("a.png", interlaced, np.array([[10, 20], [30, 40]]) / 255),
    "animated": read("a.png", animated, colours(6, 5, 3) / 255),
    "JPEG": shaped("a.jpeg", jpeg, 20, 30, 3),
    "grey JPEG": shaped("a.jpg", lambda: picture(colours(20, 30, 1), "JPEG"), 20, 30, 1),
    "CMYK": shaped("a.jpg", lambda: picture(colours(20, 30, 3), "JPEG", "CMYK"), 20, 30, 3),
    "progressive": shaped("a.jpg", lambda: jpeg(progressive=True), 20, 30, 3),
    "EXIF rotation": shaped("a.jpg", rotated, 30, 20, 3),
    "JPEG called .png": shaped("a.png", jpeg, 20, 30, 3),
    "one pixel": shaped("a.png", lambda: picture(colours(1, 1, 3), "PNG"), 1, 1, 3),
    "8 million pixels": shaped(
        "a.png", lambda: picture(np.zeros((2048, 4096, 4), np.uint8), "PNG"), 512, 1024, 3
    ),
    "16 million pixels, JPEG": shaped(
        "a.jpg", lambda: picture(np.zeros((4096, 4096, 3), np.uint8), "JPEG"), 1024, 1024, 3
    ),
    "8,000 wide": shaped(
        "a.png", lambda: picture(np.zeros((2, 8000, 3), np.uint8), "PNG"), 1, 1024, 3
    ),
    "PNG 13,000²": Case("a.png", lambda: png_header(13000, 13000), "13,000×13,000 pixels"),
    "PNG 30,000²": Case("a.png", lambda: png_header(30000, 30000), "30,000×30,000 pixels"),
    "PNG 2³¹": Case("a.png", lambda: png_header(2**31 - 1, 2**31 - 1), "pixels; accepted"),
    "PNG 0×0": Case("a.png", lambda: png_header(0, 0), "damaged|pixels; accepted"),
    "lying PNG": Case("a.png", lambda: png_header(300, 300), "cannot be decoded"),
    "flat PNG bomb, 13,000²": Case(
        "a.png",
        lambda: png(chunk(b"IDAT", zlib.compress(bytes(10**7))), size=(13000, 13000)),
        "13,000×13,000 pixels",
    ),
    "progressive, 13 million pixels": Case("a.jpg", progressive_giant, "3,600×3,600 pixels"),
    "a thousand scans": Case("a.jpg", many_scans, "scans; accepted are at most 64"),
    "a million chunks": Case(
        "a.png", lambda: png(chunk(b"aaAa") * 1_000_000, grey_rows()), "too long"
    ),
    "a million chunks behind": Case(
        "a.png", lambda: png(grey_rows(), chunk(b"aaAa") * 1_000_000), "cannot be decoded"
    ),
    "text bomb": Case(
        "a.png",
        lambda: png(chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**8))), grey_rows()),
        "damaged|cannot be decoded",
    ),
    "profile bomb": Case(
        "a.png",
        lambda: png(chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(10**8))), grey_rows()),
        "damaged|cannot be decoded",
    ),
    "a million JPEG markers": Case(
        "a.jpg", lambda: b"\xff\xd8" + b"\xff\xe0\0\2" * 1_000_000 + jpeg()[2:], "too long"
    ),
    "10 MB of 0xFF": Case("a.jpg", lambda: b"\xff\xd8" + b"\xff" * 10**7, "too long"),
    "a thousand EXIF blocks": Case(
        "a.jpg",
        lambda: b"\xff\xd8" + (b"\xff\xe1\x40\x02Exif\0\0" + bytes(16378)) * 1000 + jpeg()[2:],
        "too long",
    ),
    "truncated PNG": Case("a.png", lambda: picture(colours(40, 40, 3), "PNG")[:900], "decoded"),
    "truncated JPEG": Case("a.jpg", lambda: picture(colours(40, 40, 3), "JPEG")[:700], "decoded"),
    "PNG without pixels": Case("a.png", lambda: png(), "decoded|damaged"),
    "PNG magic alone": Case("a.png", lambda: b"\x89PNG\r\n\x1a\n", "damaged"),
    "JPEG magic alone": Case("a.jpg", lambda: b"\xff\xd8\xff", "damaged"),
    "wrong check sum in PNG": Case(
        "a.png", lambda: flipped(picture(colours(4, 4, 3), "PNG"), 20), "damaged|decoded|pixels"
    ),
    "bit depth 3": Case("a.png", lambda: png(grey_rows(), depth=3), "damaged"),
    "colour type 9": Case("a.png", lambda: png(grey_rows(), colour=9), "damaged"),
    "palette without colours": shaped("a.png", lambda: png(grey_rows(), colour=3), 3, 4, 3),
    "GIF": Case("a.png", lambda: picture(colours(4, 4, 1), "GIF"), "neither a PNG nor a JPEG"),
    "BMP": Case("a.jpg", lambda: picture(colours(4, 4, 3), "BMP"), "neither a PNG nor a JPEG"),
    "SVG": Case("a.png", lambda: b"<svg onload='alert(1)'/>", "neither a PNG nor a JPEG"),
    "PostScript": Case("a.jpg", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n", "neither a PNG nor a JPEG"),
}

CSV = {
    "csv": read("a.csv", lambda: b"1,2\n3,4", np.array([[1, 2], [3, 4]])),
    "csv with BOM": read("a.csv", lambda: b"\xef\xbb\xbf1,2\n3,4", np.array([[1, 2], [3, 4]])),
    "csv with \\r": read("a.csv", lambda: b"1;2\r3;4\r", np.array([[1, 2], [3, 4]])),
    "csv with \\r\\n": read("a.csv", lambda: b"1\t2\r\n3\t4\r\n", np.array([[1, 2], [3, 4]])),
    "csv with blanks": read("a.csv", lambda: b" 1 , 2\n\n3,4e0\n\n", np.array([[1, 2], [3, 4]])),
    "csv of 1e-400": read("a.csv", lambda: b"1e-400", np.zeros((1, 1))),
    "csv of 1,000 × 1,000": shaped(
        "a.csv", lambda: b"\n".join([b",".join([b"-0.123456789"] * 1000)] * 1000), 1000, 1000, 1
    ),
    "csv of 2,048 × 2,048": shaped(
        "a.csv", lambda: b"\n".join([b",".join([b"1"] * 2048)] * 2048), 2048, 2048, 1
    ),
    "csv of 1e400": Case("a.csv", lambda: b"1e400,-1e400", "2 values that are infinite"),
    "csv of 5,000 digits": Case("a.csv", lambda: b"9" * 5000, "beyond float32"),
    "csv of nan": Case("a.csv", lambda: b"1,nan", "1 NaN"),
    "ragged csv": Case("a.csv", lambda: b"1,2\n3", "Row 1 .* has 1 cells"),
    "formula": Case("a.csv", lambda: b"=1+1,2", "row 0, column 0"),
    "dangerous formula": Case("a.csv", lambda: b"1,=cmd|' /C calc'!A0", "row 0, column 1"),
    "csv with NUL": Case("a.csv", lambda: b"1,\x002", "row 0, column 1"),
    "csv of NUL": Case("a.csv", lambda: bytes(1000), "row 0, column 0"),
    "csv in UTF-16": Case("a.csv", lambda: "1,2".encode("utf-16"), "no plain ASCII"),
    "csv with other digits": Case("a.csv", lambda: "١,٢".encode(), "no plain ASCII"),
    "csv with a header": Case("a.csv", lambda: b"a,b\n1,2", "row 0, column 0"),
    "csv with 1_000": Case("a.csv", lambda: b"1_000", "row 0, column 0"),
    "csv with 0x10": Case("a.csv", lambda: b"0x10", "row 0, column 0"),
    "csv of HTML": Case("a.csv", lambda: b"<script>alert(1)</script>", "row 0, column 0"),
    "csv of commas": Case("a.csv", lambda: b"," * 100_000, "accepted"),
    "csv of 10 million lines": Case("a.csv", lambda: b"\n" * 10**7, "10,000,000 line ends"),
    "csv of one line": Case("a.csv", lambda: b"1" * 10**7, "10,000,000 characters"),
    "csv of 17 MB": Case("a.csv", lambda: b"1,2\n" * 4_250_000, "17,000,000 bytes"),
    "csv of 2,049 rows": Case("a.csv", lambda: b"1\n" * 2049, "shape 2049×1×1"),
    "csv of bad cells": Case(
        "a.csv",
        lambda: b"\n".join([b",".join([b"1"] * 2048)] * 2047 + [b"x," * 2047 + b"x"]),
        "not a number",
    ),
    "csv of blanks": Case("a.csv", lambda: b"\n \n", "no row with content"),
}

OTHERS = {
    "empty": Case("a.png", lambda: b"", "empty"),
    "no ending": Case("array", lambda: npy(RAMP), "missing or unreadable"),
    "another ending": Case("a.exe", lambda: b"MZ", "ending is .exe"),
    "two endings": Case("a.npy.html", lambda: npy(RAMP), "ending is .html"),
    "HTML as ending": Case("a.<img src=x>", lambda: b"x", "missing or unreadable"),
    "path as name": read("../../etc/passwd.npy", lambda: npy(RAMP), RAMP),
    "NUL in the name": read("a\0b.npy", lambda: npy(RAMP), RAMP),
    "long name": read("a" * 5000 + ".npy", lambda: npy(RAMP), RAMP),
    "name of right-to-left signs": read("\u202eyp.npy", lambda: npy(RAMP), RAMP),
    "41 MB": Case("a.npy", lambda: bytes(41_000_000), "41,000,000 bytes"),
}

CASES: dict[str, Case] = {**NPY, **NPZ, **IMAGES, **CSV, **OTHERS}
