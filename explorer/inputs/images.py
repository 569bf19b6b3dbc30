"""Reader of PNG and JPEG pictures. Their size is checked before any pixel is decoded."""

import struct

import numpy as np
from PIL import Image, ImageOps, JpegImagePlugin, PngImagePlugin

from explorer.errors import InputError
from explorer.inputs.budgeted_bytes import BudgetedBytesIO
from explorer.inputs.limits import MAX_PIXELS, MAX_SCALED_PIXELS

# Image.open is not used: it accepts dozens of formats, and its size warning is process-wide.
DECODERS = {
    b"\x89PNG\r\n\x1a\n": ("PNG", PngImagePlugin.PngImageFile),
    b"\xff\xd8\xff": ("JPEG", JpegImagePlugin.JpegImageFile),
}
HEADER_BUDGET = {"reads": 5_000, "size": 4_000_000}  # for everything before the pixels
MAX_SCANS = 64  # of a progressive JPEG; each scan covers all pixels
DECODING_ERRORS = (OSError, ValueError, SyntaxError, struct.error, EOFError, IndexError, KeyError)
GREY_MODES = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L"}
ALPHA_MODES = {"LA", "La", "RGBA", "RGBa", "PA"}


def read_image(ending: str, data: bytes, max_side: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read a picture as values in [0, 1], `(H, W, 1)` or `(H, W, 3)` float32, and notes.

    The alpha channel is dropped, palettes and CMYK are converted to RGB, EXIF rotation is
    applied, only the first frame of an animation is read, and a picture whose longer side
    exceeds `max_side` is resized to it. The notes list what was dropped, converted or resized.

    Raises:
        InputError: the picture is damaged or exceeds the limits.
    """
    file = BudgetedBytesIO(data, **HEADER_BUDGET)
    image = _open(ending, file, data)
    width, height = image.size
    notes = []
    try:
        if getattr(image, "n_frames", 1) > 1:
            notes.append("Only the first frame of the animation was read.")
        if max(image.size) > max_side:
            image.draft(None, (max_side, max_side))  # a JPEG is decoded at about this size
            notes.append(f"Resized from {width}×{height} pixels (width × height).")
        _check_size(image, width, height, data)
        file.set_budget(reads=100_000, size=2 * len(data))
        image.load()
        has_alpha = image.mode in ALPHA_MODES or "transparency" in image.info
        array = _values(image, max_side)
    except InputError:
        raise
    except DECODING_ERRORS:
        raise InputError(
            f"The picture ({width}×{height}) cannot be decoded, {len(data):,} bytes received; "
            "expected a complete, undamaged PNG or JPEG."
        ) from None
    if has_alpha:
        notes.append("The alpha channel was dropped.")
    if image.mode == "CMYK":
        notes.append("CMYK was converted to RGB.")
    return array, tuple(notes)


def _check_size(image: Image.Image, width: int, height: int, data: bytes) -> None:
    """Raise InputError if decoding would take too long or too much memory."""
    scans = data.count(b"\xff\xda")
    if image.info.get("progressive") and scans > MAX_SCANS:
        raise InputError(f"The progressive JPEG has {scans:,} scans; the limit is {MAX_SCANS}.")
    is_scaled = image.size != (width, height) and not image.info.get("progressive")
    limit = MAX_SCALED_PIXELS if is_scaled else MAX_PIXELS
    if not 0 < width * height <= limit:
        raise InputError(
            f"The picture has {width:,}×{height:,} pixels; expected from 1 to {limit:,} pixels in "
            "total."
        )


def _open(ending: str, file: BudgetedBytesIO, data: bytes) -> Image.Image:
    for magic, (name, decoder) in DECODERS.items():
        if data.startswith(magic):
            try:
                return decoder(file)
            except DECODING_ERRORS:
                raise InputError(
                    f"The {name} header is damaged or too long ({len(data):,} bytes received); "
                    "expected a complete, undamaged PNG or JPEG."
                ) from None
    raise InputError(
        f"The file name ends in {ending} but its {len(data):,} bytes are neither a PNG nor a JPEG; "
        "expected a PNG or JPEG picture."
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
    ImageOps.exif_transpose(image, in_place=True)  # last: it copies the picture
    array = np.asarray(image, dtype=np.float32) / np.float32(full_scale)
    return array[:, :, None] if grey else array
