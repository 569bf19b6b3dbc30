"""Reads PNG and JPEG pictures. Size and mode are judged before any pixel is decoded."""

import struct

import numpy as np
from PIL import Image, ImageOps, JpegImagePlugin, PngImagePlugin

from explorer.errors import InputError
from explorer.inputs.budgeted_bytes import BudgetedBytesIO
from explorer.inputs.limits import MAX_PIXELS, MAX_SCALED_PIXELS

# The classes are called directly, not through Image.open: it would read any of
# dozens of formats and answer large sizes with a process-wide warning.
READERS = {
    b"\x89PNG\r\n\x1a\n": ("PNG", PngImagePlugin.PngImageFile),
    b"\xff\xd8\xff": ("JPEG", JpegImagePlugin.JpegImageFile),
}
MAX_HEADER = {"reads": 5_000, "size": 4_000_000}  # what stands before the pixels
MAX_SCANS = 64  # of a progressive JPEG, each of which goes over all pixels
DAMAGE = (OSError, ValueError, SyntaxError, struct.error, EOFError, IndexError, KeyError)
GREY_MODES = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L"}
ALPHA_MODES = {"LA", "La", "RGBA", "RGBa", "PA"}


def read_image(ending: str, data: bytes, max_side: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """A picture's values in [0, 1] as `(H, W, 1)` or `(H, W, 3)` float32, and notes.

    Alpha is dropped, palettes and CMYK become RGB, EXIF rotation is applied, of
    an animation the first frame is read, and a picture whose longer side
    exceeds `max_side` is resized to it. The notes say which of these happened.
    """
    file = BudgetedBytesIO(data, **MAX_HEADER)
    image = _open(ending, file, data)
    width, height = image.size
    notes = []
    try:
        if getattr(image, "n_frames", 1) > 1:
            notes.append("Only the first frame of the animation was read.")
        if max(image.size) > max_side:
            image.draft(None, (max_side, max_side))  # JPEG: decode no more than is kept
            notes.append(f"Resized from {width}×{height} pixels (width × height).")
        _check_size(image, width, height, data)
        file.allow(reads=100_000, size=2 * len(data))
        image.load()
        has_alpha = image.mode in ALPHA_MODES or "transparency" in image.info
        array = _values(image, max_side)
    except InputError:
        raise
    except DAMAGE:
        raise InputError(
            f"The picture ({width}×{height}) cannot be decoded, {len(data):,} bytes received; "
            "accepted is a whole, undamaged PNG or JPEG."
        ) from None
    if has_alpha:
        notes.append("The alpha channel was dropped.")
    if image.mode == "CMYK":
        notes.append("CMYK was converted to RGB.")
    return array, tuple(notes)


def _check_size(image: Image.Image, width: int, height: int, data: bytes) -> None:
    """InputError if decoding would take too long or too much memory."""
    scans = data.count(b"\xff\xda")
    if image.info.get("progressive") and scans > MAX_SCANS:
        raise InputError(
            f"The progressive JPEG has {scans:,} scans; accepted are at most {MAX_SCANS}."
        )
    is_scaled = image.size != (width, height) and not image.info.get("progressive")
    limit = MAX_SCALED_PIXELS if is_scaled else MAX_PIXELS
    if not 0 < width * height <= limit:
        raise InputError(
            f"The picture has {width:,}×{height:,} pixels; accepted are 1 to {limit:,} "
            "pixels in all."
        )


def _open(ending: str, file: BudgetedBytesIO, data: bytes) -> Image.Image:
    for magic, (kind, reader) in READERS.items():
        if data.startswith(magic):
            try:
                return reader(file)
            except DAMAGE:
                raise InputError(
                    f"The {kind} header is damaged or too long ({len(data):,} bytes received); "
                    "accepted is a whole PNG or JPEG."
                ) from None
    raise InputError(
        f"The file's ending is {ending} but its {len(data):,} bytes are neither a PNG nor a JPEG; "
        "accepted are real PNG and JPEG pictures."
    )


def _values(image: Image.Image, max_side: int) -> np.ndarray:
    grey = image.mode in GREY_MODES
    if image.mode.startswith("I"):
        image, full_scale = image.convert("I").convert("F"), 65535
    else:
        wanted, full_scale = "L" if grey else "RGB", 255
        if image.mode != wanted:  # convert copies, even to the same mode
            image = image.convert(wanted)
    if max(image.size) > max_side:
        image.thumbnail((max_side, max_side), Image.Resampling.BOX)
    ImageOps.exif_transpose(image, in_place=True)  # last, when little is left to be copied
    array = np.asarray(image, dtype=np.float32) / np.float32(full_scale)
    return array[:, :, None] if grey else array
