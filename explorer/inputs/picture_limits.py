"""Limits of pictures, checked before any pixel is decoded: about one second and 100 MB each."""

from PIL import Image, JpegImagePlugin, TiffImagePlugin

from explorer.errors import InputError
from explorer.inputs.limits import format_megabytes

MAX_PIXELS = 2**24
MAX_JPEG_PIXELS = 2**26
MAX_BYTES = 98_000_000  # of the file and everything that is held while it is decoded
MAX_SCANS = 64
MAX_SCANNED_BYTES = 1_200_000_000  # every scan visits all coefficients
# TIFF tags.
ROWS_PER_STRIP, TILE_WIDTH, TILE_LENGTH = 278, 322, 323
BITS_PER_SAMPLE, SAMPLES_PER_PIXEL = 258, 277
# Others are left out: libtiff writes one line to stderr for every damaged row of a fax.
TIFF_COMPRESSIONS = ("raw", "packbits", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate")
MODES = {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "CMYK", "I;16", "I;16B", "I;16L"}
# Bytes that Pillow and the conversion to RGB or grey hold for a pixel.
BYTES = {"1": 2, "L": 1, "P": 5, "RGB": 4, "CMYK": 8, "I;16": 4, "I;16B": 4, "I;16L": 4}
ALPHA_BYTES = {"RGB": 11, "P": 8}
WEBP_BYTES = 12  # the decoder holds two more copies


def check_size(
    width: int, height: int, limit: int, held: float, size: int, advised: int = 4_000
) -> None:
    """Raise InputError unless a picture is small enough.

    Args:
        width, height: in pixels.
        limit: largest number of pixels.
        held: bytes that are held for the whole picture during decoding.
        size: bytes of the file.
        advised: a longer side, in pixels, that is small enough for a photo.
    """
    if max(width, height) <= 1.25 * advised:
        advised = 2_000
    shrink = f"shrink it first, for instance to {advised:,} pixels on the longer side"
    if not 0 < width * height <= limit:
        raise InputError(
            f"The picture has {width:,}×{height:,} pixels; expected from 1 to {limit:,} pixels in "
            f"total: {shrink}."
        )
    if held + size > MAX_BYTES:
        raise InputError(
            f"The picture of {width:,}×{height:,} pixels takes {format_megabytes(int(held) + size)}"
            f" to decode; the limit is {format_megabytes(MAX_BYTES)}: {shrink}."
        )


def check_webp(data: bytes) -> None:
    """Raise InputError if a WebP picture has too many pixels.

    Pillow's decoder allocates memory for the size in the header when it opens the file.
    """
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
    elif kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:
        width, height = (int.from_bytes(data[at : at + 2], "little") & 0x3FFF for at in (26, 28))
    check_size(width, height, MAX_PIXELS, WEBP_BYTES * width * height, len(data), advised=2_000)


def check_picture(
    image: Image.Image, size: tuple[int, int], data: bytes, max_side: int, *, has_alpha: bool
) -> None:
    """Raise InputError if decoding an opened picture would take too much time or memory.

    Args:
        image: the opened picture, perhaps to be decoded at a reduced size.
        size: its full width and height.
        data: the file's bytes.
        max_side: longest side of the result.
        has_alpha: whether its pixels may be transparent.
    """
    if image.mode not in MODES:
        raise InputError(
            f"The picture has pixels of the type {image.mode}; expected 8 or 16 bits, grey or "
            "colour: save the values with numpy.save instead."
        )
    if image.format == "BMP" and image.info.get("compression"):
        raise InputError(
            "The BMP picture is compressed, which is not supported; expected one without "
            "compression: save it as PNG."
        )
    each = ALPHA_BYTES.get(image.mode, 7) if has_alpha else BYTES.get(image.mode, 7)
    pixels, limit = image.size[0] * image.size[1], MAX_PIXELS
    reduced = 1 if has_alpha or image.mode in ("1", "L") else 4  # bytes a pixel
    # Pillow halves a picture until it is at most twice as long as wanted, then resizes it.
    held = each * pixels + 1.75 * reduced * min(pixels, 4 * max_side**2)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        held += _tiff_strip(image)
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        limit = MAX_JPEG_PIXELS
        held = 4 * pixels + _coefficients(image, size)
    check_size(*size, limit, held, len(data))


def _tiff_strip(image: TiffImagePlugin.TiffImageFile) -> float:
    """Return the bytes of a strip or tile of a TIFF picture; InputError if it is unusual."""
    compression = image.info.get("compression")
    if compression not in TIFF_COMPRESSIONS:
        raise InputError(
            f"The TIFF picture is compressed as {compression}, which is not supported; expected "
            "LZW, deflate or none: save it as PNG."
        )
    if compression == "raw":
        return 0
    width, height, tags = *image.size, image.tag_v2
    rows = min(height, tags.get(ROWS_PER_STRIP, height))
    across, down = tags.get(TILE_WIDTH, width), tags.get(TILE_LENGTH, rows)
    bits = max(tags.get(BITS_PER_SAMPLE, (8,)))
    return float(across * down * tags.get(SAMPLES_PER_PIXEL, 1) * bits / 8)


def _coefficients(image: JpegImagePlugin.JpegImageFile, size: tuple[int, int]) -> float:
    """Return the bytes of a JPEG's coefficients; 0 if all are in one scan, decoded row by row."""
    file = image.fp
    assert file is not None
    end = file.tell()  # of the header of the first scan
    file.seek(max(0, end - 20))
    header = file.read(20)
    components = header[header.rfind(b"\xff\xda") + 4]
    scans = 1 + file.read().count(b"\xff\xda")
    file.seek(end)
    is_progressive = bool(image.info.get("progressive"))
    if not is_progressive and components == image.layers:
        return 0
    kind = "progressive JPEG" if is_progressive else "JPEG with several scans"
    if scans > MAX_SCANS:
        raise InputError(f"The {kind} has {scans:,} scans; the limit is {MAX_SCANS}.")
    _, across, down, _ = zip(*image.layer, strict=True)
    samples = sum(h * v for h, v in zip(across, down, strict=True))
    held = 2 * size[0] * size[1] * samples / max(1, max(across) * max(down))
    if held * scans > MAX_SCANNED_BYTES:
        raise InputError(
            f"The {kind} has {size[0]:,}×{size[1]:,} pixels in {scans} scans, which takes too long "
            "to decode; expected fewer: save it as a baseline JPEG, or shrink it first, for "
            "instance to 2,000 pixels on the longer side."
        )
    return held
