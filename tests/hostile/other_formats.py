"""Corpus of GIF, TIFF, WebP and BMP pictures, and of formats that are not read."""

import io
import struct
from functools import partial

import numpy as np
from PIL import Image

from tests.files import colours, picture, zipped
from tests.hostile.case import Case, read, shaped

SHADES = colours(5, 4, 3)
GIF_HEADER = b"GIF89a\x04\0\x03\0\x80\0\0" + bytes(3) + b"\xff" * 3


def animated(kind: str, frames: int) -> bytes:
    """Return an animation of small pictures, all different."""
    file = io.BytesIO()
    first, *others = (Image.new("L", (8, 8), shade % 256).convert("RGB") for shade in range(frames))
    first.save(file, kind, save_all=True, append_images=others, duration=1)
    return file.getvalue()


def tiff(*tags: tuple[int, int, int, int], values: bytes = b"", following: int = 0) -> bytes:
    """Return a TIFF of these tags (number, type, count, value), with values at byte 8."""
    directory = struct.pack("<H", len(tags)) + b"".join(
        struct.pack("<HHII", *tag) for tag in sorted(tags)
    )
    start = 8 + len(values)
    return b"II*\0" + struct.pack("<I", start) + values + directory + struct.pack("<I", following)


def grey_tiff(
    width: int, height: int, *more: tuple[int, int, int, int], compression: int = 1
) -> bytes:
    """Return a grey TIFF whose header declares a size, with 64 bytes of values."""
    tags = {
        256: (256, 4, 1, width),
        257: (257, 4, 1, height),
        258: (258, 3, 1, 8),
        259: (259, 3, 1, compression),
        262: (262, 3, 1, 1),
        273: (273, 4, 1, 8),
        277: (277, 3, 1, 1),
        278: (278, 4, 1, height),
        279: (279, 4, 1, 64),
    }
    tags |= {tag[0]: tag for tag in more}
    return tiff(*tags.values(), values=bytes(64))


def webp_header(kind: bytes, width: int, height: int) -> bytes:
    """Return a WebP that declares a size but has almost no data."""
    if kind == b"VP8X":
        body = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    elif kind == b"VP8L":
        body = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + bytes(8)
    else:
        body = b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height) + bytes(8)
    chunk = kind + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def bmp_header(width: int, height: int, bits: int = 24, compression: int = 0) -> bytes:
    """Return a BMP that declares a size, with 64 bytes of values."""
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 64, 0, 0, 54) + info + bytes(64)


GIF = {
    "GIF": shaped("a.gif", lambda: picture(SHADES, "GIF"), 5, 4, 3),
    "GIF called .png": shaped("a.png", lambda: picture(SHADES, "GIF"), 5, 4, 3),
    "animated GIF": shaped("a.gif", lambda: animated("GIF", 200), 8, 8, 3),
    "GIF of 8 million pixels": shaped(
        "a.gif", lambda: picture(np.zeros((2048, 4096), np.uint8), "GIF"), 512, 1024, 3
    ),
    "GIF 65,535²": Case(
        "a.gif",
        lambda: b"GIF89a" + b"\xff" * 4 + b"\0\0\0," + b"\0" * 4 + b"\xff" * 4 + b"\0\x08\x01\0\0;",
        "65,535×65,535 pixels|damaged",
    ),
    "GIF with a frame beyond its edge": Case(
        "a.gif",
        lambda: GIF_HEADER + b"," + b"\xff" * 8 + b"\0\x08\x01\0\0;",
        "131,070×131,070 pixels|damaged",
    ),
    "GIF with a million comments": Case(
        "a.gif", lambda: GIF_HEADER + b"!\xfe\x01a\0" * 1_000_000 + b";", "too long"
    ),
    "GIF with a comment of 10 MB": Case(
        "a.gif", lambda: GIF_HEADER + b"!\xfe" + (b"\xff" + b"a" * 255) * 40_000, "too long"
    ),
    "GIF without a picture": Case("a.gif", lambda: GIF_HEADER + b";", "damaged"),
    "truncated GIF": Case("a.gif", lambda: picture(colours(90, 90, 3), "GIF")[:2000], "decoded"),
    "GIF with a wrong code size": Case(
        "a.gif", lambda: GIF_HEADER + b",\0\0\0\0\x04\0\x03\0\0\xff\x01\0\0;", "decoded"
    ),
    "GIF magic alone": Case("a.gif", lambda: b"GIF89a", "damaged"),
}

TIFF = {
    "TIFF": read("a.tif", lambda: picture(SHADES, "TIFF"), SHADES / 255),
    **{
        f"TIFF, {name}": read(
            "a.tiff", partial(picture, SHADES, "TIFF", compression=name), SHADES / 255
        )
        for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits")
    },
    "TIFF, group 4": Case(
        "a.tif",
        lambda: picture(SHADES[:, :, 0], "TIFF", "1", compression="group4"),
        "compressed as group4, .* save it as PNG",
    ),
    "TIFF of 16 bits": read(
        "a.tif",
        lambda: picture(np.array([[0, 1000], [40000, 65535]], np.uint16), "TIFF"),
        np.array([[0, 1000], [40000, 65535]]) / 65535,
    ),
    "TIFF of 100 pages": shaped("a.tif", lambda: animated("TIFF", 100), 8, 8, 3),
    "TIFF of 8 million pixels": shaped(
        "a.tif",
        lambda: picture(np.zeros((2048, 4096, 3), np.uint8), "TIFF", compression="tiff_lzw"),
        512,
        1024,
        3,
    ),
    "TIFF, JPEG inside": Case(
        "a.tif", lambda: picture(colours(40, 40, 3), "TIFF", compression="jpeg"), "as jpeg, .* PNG"
    ),
    "TIFF of floats": Case("a.tif", lambda: picture(np.ones((3, 4), "f4"), "TIFF"), "type F"),
    "TIFF of 32 bits": Case("a.tif", lambda: picture(np.ones((3, 4), "i4"), "TIFF"), "type I"),
    "TIFF 60,000²": Case("a.tif", lambda: grey_tiff(60_000, 60_000), "60,000×60,000 pixels"),
    "TIFF 2³²": Case("a.tif", lambda: grey_tiff(2**32 - 1, 2**32 - 1), "pixels|damaged|decoded"),
    "TIFF 0×0": Case("a.tif", lambda: grey_tiff(0, 0), "pixels; expected|damaged|decoded"),
    "TIFF, one huge tile": Case(
        "a.tif",
        lambda: grey_tiff(
            8,
            8,
            (322, 4, 1, 65_536),
            (323, 4, 1, 65_536),
            (324, 4, 1, 8),
            (325, 4, 1, 64),
            compression=5,
        ),
        "takes .* MB to decode|cannot be decoded",
    ),
    "TIFF, one tile of gigabytes, raw": shaped(
        "a.tif",
        lambda: grey_tiff(
            8, 8, (322, 4, 1, 2**31), (323, 4, 1, 2**31), (324, 4, 1, 8), (325, 4, 1, 64)
        ),
        8,
        8,
        1,
    ),
    "TIFF whose pages are a loop": shaped(
        "a.tif", lambda: grey_tiff(8, 8)[:-4] + struct.pack("<I", 72), 8, 8, 1
    ),
    "TIFF with 60,000 tags": Case(
        "a.tif",
        lambda: tiff(*[(60_000, 4, 1, 0)] * 60_000),
        "damaged or too long|cannot be decoded|pixels",
    ),
    "TIFF with a tag of gigabytes": Case(
        "a.tif", lambda: tiff((256, 4, 2**31, 8), (257, 4, 2**31, 8)), "damaged"
    ),
    "TIFF with a negative offset": Case(
        "a.tif", lambda: b"II*\0\xff\xff\xff\xff" + bytes(20), "damaged"
    ),
    "truncated TIFF": Case("a.tif", lambda: picture(colours(90, 90, 3), "TIFF")[:9000], "decoded"),
    "truncated LZW": Case(
        "a.tif",
        lambda: picture(colours(90, 90, 3), "TIFF", compression="tiff_lzw")[:9000],
        "decoded|damaged",
    ),
    "TIFF magic alone": Case("a.tif", lambda: b"II*\0", "damaged"),
    "BigTIFF magic": Case("a.tif", lambda: b"II+\0\x08\0\0\0" + bytes(16), "no TIFF picture"),
}

WEBP = {
    "WebP": shaped("a.webp", lambda: picture(SHADES, "WEBP"), 5, 4, 3),
    "WebP without loss": read(
        "a.webp", lambda: picture(SHADES, "WEBP", lossless=True), SHADES / 255
    ),
    "animated WebP": shaped("a.webp", lambda: animated("WEBP", 200), 8, 8, 3),
    "WebP of 5 million pixels": shaped(
        "a.webp",
        lambda: picture(np.zeros((2048, 2560, 3), np.uint8), "WEBP", method=0),
        819,
        1024,
        3,
    ),
    **{
        f"WebP 16,383², {kind.decode()}": Case(
            "a.webp",
            partial(webp_header, kind, 16_383, 16_383),
            "16,383×16,383 pixels; .* to 2,000 pixels",
        )
        for kind in (b"VP8 ", b"VP8L", b"VP8X")
    },
    "WebP 2²⁴": Case("a.webp", lambda: webp_header(b"VP8X", 2**24, 2**24), "16,777,216×16,777,216"),
    "WebP without data": Case("a.webp", lambda: webp_header(b"VP8 ", 40, 40), "damaged|decoded"),
    "truncated WebP": Case(
        "a.webp", lambda: picture(colours(90, 90, 3), "WEBP")[:900], "damaged|decoded"
    ),
    "WebP magic alone": Case("a.webp", lambda: b"RIFF\0\0\0\0WEBP", "pixels; expected|damaged"),
    "WebP of an unknown kind": Case(
        "a.webp", lambda: b"RIFF\x20\0\0\0WEBPABCD" + b"\1" * 40, "damaged"
    ),
}

BMP = {
    "BMP": read("a.bmp", lambda: picture(SHADES, "BMP"), SHADES / 255),
    "BMP with a palette": shaped("a.bmp", lambda: picture(SHADES, "BMP", "P"), 5, 4, 3),
    "BMP of 1 bit": shaped("a.bmp", lambda: picture(SHADES, "BMP", "1"), 5, 4, 1),
    "BMP upside down": shaped("a.bmp", lambda: bmp_header(4, -3), 3, 4, 3),
    "BMP 60,000²": Case("a.bmp", lambda: bmp_header(60_000, 60_000), "60,000×60,000 pixels"),
    "BMP 2³¹": Case("a.bmp", lambda: bmp_header(2**31 - 1, -(2**31)), "pixels|damaged"),
    "BMP of negative width": Case("a.bmp", lambda: bmp_header(-4, 3), "pixels|damaged|decoded"),
    "BMP, run-length encoded": Case(
        "a.bmp", lambda: bmp_header(3000, 3000, 8, 1), "BMP picture is compressed|damaged"
    ),
    "BMP without pixels": Case("a.bmp", lambda: bmp_header(40, 40), "cannot be decoded"),
    "BMP of 7 bits": Case("a.bmp", lambda: bmp_header(4, 3, 7), "damaged"),
    "BMP magic alone": Case("a.bmp", lambda: b"BM", "no BMP picture"),
}

FOREIGN = {
    "PyTorch": Case(
        "a.pt", lambda: zipped(**{"a/data.pkl": b"\x80\2."}), "pickle, .* never opened"
    ),
    "pickle called .npy": Case("a.npy", lambda: b"\x80\4\x95" + bytes(90), "pickle, .* never"),
    "HEIC called .jpg": Case("a.jpg", lambda: b"\0\0\0\x18ftypheic" + bytes(99), "HEIC picture"),
    "PDF called .csv": Case("a.csv", lambda: b"%PDF-1.7\n1,2", "a PDF; .* as PNG"),
    "DICOM without a name": Case("a", lambda: bytes(128) + b"DICM" + bytes(99), "DICOM file"),
    "HDF5": Case("a.h5", lambda: b"\x89HDF\r\n\x1a\n" + bytes(99), "HDF5 file"),
}

OTHER_FORMATS: dict[str, Case] = {**GIF, **TIFF, **WEBP, **BMP, **FOREIGN}
