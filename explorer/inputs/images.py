"""Reads PNG and JPEG pictures. Size and mode are judged before any pixel is decoded."""

import io
import struct

import numpy as np
from PIL import Image, ImageOps, JpegImagePlugin, PngImagePlugin

from explorer.errors import InputError
from explorer.inputs.limits import MAX_IMAGE_PIXELS

# The classes are called directly, not through Image.open: it would read any of
# dozens of formats and answer large sizes with a process-wide warning.
READERS = {
    b"\x89PNG\r\n\x1a\n": ("PNG", PngImagePlugin.PngImageFile),
    b"\xff\xd8\xff": ("JPEG", JpegImagePlugin.JpegImageFile),
}
GREY_MODES = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L"}
ALPHA_MODES = {"LA", "La", "RGBA", "RGBa", "PA"}


def read_image(ending: str, data: bytes, max_side: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """A picture's values in [0, 1] as `(H, W, 1)` or `(H, W, 3)` float32, and notes.

    Alpha is dropped, palettes and CMYK become RGB, EXIF rotation is applied, of
    an animation the first frame is read, and a picture whose longer side
    exceeds `max_side` is resized to it. The notes say which of these happened.
    """
    image = _open(ending, data)
    width, height = image.size
    if width * height > MAX_IMAGE_PIXELS or 0 in image.size:
        raise InputError(
            f"The picture has {width:,}×{height:,} pixels; accepted are 1 to {MAX_IMAGE_PIXELS:,} "
            "pixels in all."
        )
    notes = []
    if getattr(image, "n_frames", 1) > 1:
        notes.append("Only the first frame of the animation was read.")
    try:
        if max(image.size) > max_side:
            image.draft(None, (max_side, max_side))  # JPEG: decode no more than is kept
        image.load()
        image = ImageOps.exif_transpose(image)
        has_alpha = image.mode in ALPHA_MODES or "transparency" in image.info
        if max(width, height) > max_side:
            notes.append(f"Resized from {width}×{height} pixels (width × height).")
        array = _values(image, max_side)
    except (OSError, ValueError, SyntaxError, struct.error, EOFError, IndexError, KeyError):
        raise InputError(
            f"The picture ({width}×{height}) cannot be decoded, {len(data):,} bytes received; "
            "accepted is a whole, undamaged PNG or JPEG."
        ) from None
    if has_alpha:
        notes.append("The alpha channel was dropped.")
    if image.mode == "CMYK":
        notes.append("CMYK was converted to RGB.")
    return array, tuple(notes)


def _open(ending: str, data: bytes) -> Image.Image:
    for magic, (kind, reader) in READERS.items():
        if data.startswith(magic):
            try:
                return reader(io.BytesIO(data))
            except (OSError, ValueError, SyntaxError, struct.error, EOFError, IndexError, KeyError):
                raise InputError(
                    f"The {kind} header is damaged ({len(data):,} bytes received); accepted is a "
                    "whole PNG or JPEG."
                ) from None
    raise InputError(
        f"The file's ending is {ending} but its {len(data):,} bytes are neither a PNG nor a JPEG; "
        "accepted are real PNG and JPEG pictures."
    )


def _values(image: Image.Image, max_side: int) -> np.ndarray:
    grey = image.mode in GREY_MODES
    deep = image.mode.startswith("I")
    if deep:
        image, full_scale = image.convert("I").convert("F"), 65535
    else:
        image, full_scale = image.convert("L" if grey else "RGB"), 255
    if max(image.size) > max_side:
        image.thumbnail((max_side, max_side), Image.Resampling.BOX)
    array = np.asarray(image, dtype=np.float32) / np.float32(full_scale)
    return array[:, :, None] if grey else array
