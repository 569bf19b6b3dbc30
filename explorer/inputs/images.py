"""Reader of pictures. Their size is checked before any pixel is decoded."""

from collections.abc import Callable, Mapping

import numpy as np
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from explorer.errors import InputError
from explorer.inputs.budgeted_bytes import BudgetedBytesIO
from explorer.inputs.formats import FORMATS
from explorer.inputs.picture_limits import check_picture, check_webp

# Image.open is not used: it accepts dozens of formats, and its size warning is process-wide.
DECODERS: Mapping[str, Callable[[BudgetedBytesIO], ImageFile.ImageFile]] = {
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
}
HEADER_BUDGET = {"reads": 5_000, "size": 4_000_000}  # for everything before the pixels
GREY_MODES = {"1", "L", "LA", "La"}
ALPHA_MODES = {"LA", "La", "RGBA", "RGBa", "PA"}
ORIENTATION = 0x0112  # the EXIF tag; 5 … 8 exchange width and height


def read_image(kind: str, data: bytes, max_side: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read a picture as values in [0, 1], `(H, W, 1)` or `(H, W, 3)` float32, and notes.

    Transparent pixels are drawn on white, palettes and CMYK are converted to RGB, EXIF rotation
    is applied, only the first frame or page is read, and a picture whose longer side exceeds
    `max_side` is resized to it. Grey pictures keep 16 bits. The notes list what was changed.

    Args:
        kind: a key of `DECODERS`.
        data: the file's bytes.
        max_side: longest side of the result, in pixels.

    Raises:
        InputError: the picture is damaged or exceeds the limits.
    """
    file, image = _open(kind, data)
    size = image.size
    try:
        reads = 500_000 if kind == "GIF" else 100_000  # GIF has blocks of 255 bytes
        file.set_budget(reads=reads, size=2 * len(data))
        notes = []
        if getattr(image, "is_animated", False):
            notes.append(f"Only the first {'page' if kind == 'TIFF' else 'frame'} was read.")
        if (longest := max(size)) > max_side:  # a JPEG is decoded at about this size
            width, height = (max(1, side * max_side // longest) for side in size)
            image.draft(None, (width, height))
        has_alpha = image.mode in ALPHA_MODES or "transparency" in image.info
        check_picture(image, size, data, max_side, has_alpha=has_alpha)
        raw_mode = str(image.tile[0].args) if image.tile else ""
        file.set_budget(reads=reads, size=2 * len(data))
        image.load()
        if longest > max_side:
            shown = size[::-1] if _is_turned(image, size) else size
            notes.append(f"Resized from {shown[0]}×{shown[1]} pixels (width × height).")
        notes.extend(_losses(image, raw_mode))
        if image.mode.startswith("I"):
            array = _deep_grey(image, max_side)
        elif has_alpha:
            # Pillow reads 16-bit grey with alpha as RGBA.
            array, is_transparent = _on_white(image, max_side, is_grey="LA;" in raw_mode)
            notes.extend(["Transparent pixels were drawn on white."] if is_transparent else [])
        else:
            array = _opaque(image, max_side)
    except InputError:
        raise
    except Exception:  # decoders raise anything for damaged data
        raise InputError(
            f"The picture ({size[0]}×{size[1]}) cannot be decoded, {len(data):,} bytes received; "
            f"expected a complete, undamaged {FORMATS[kind].title}."
        ) from None
    return array, (*notes, *constant_note(array))


def constant_note(array: np.ndarray) -> tuple[str, ...]:
    """Return a sentence on why a picture `(H, W, C)` is blank if all its pixels are equal."""
    if (array != array[0, 0]).any():
        return ()
    return (
        "All pixels of the picture are equal, so it is blank; standardised, it is 0 everywhere.",
    )


def _open(kind: str, data: bytes) -> tuple[BudgetedBytesIO, ImageFile.ImageFile]:
    """Read a picture's header."""
    if kind == "WEBP":
        check_webp(data)
    size = 2 * len(data) if kind == "WEBP" else HEADER_BUDGET["size"]
    file = BudgetedBytesIO(data, reads=HEADER_BUDGET["reads"], size=size)
    try:
        return file, DECODERS[kind](file)
    except Exception:  # decoders raise anything for damaged data
        raise InputError(
            f"The {kind} header is damaged or too long ({len(data):,} bytes received); expected a "
            f"complete, undamaged {FORMATS[kind].title}."
        ) from None


def _is_turned(image: Image.Image, size: tuple[int, int]) -> bool:
    """Return whether EXIF exchanges width and height; a TIFF picture is turned when loaded."""
    if image.format == "TIFF":
        return image.size != size
    return image.getexif().get(ORIENTATION) in (5, 6, 7, 8)


def _losses(image: Image.Image, raw_mode: str) -> list[str]:
    """Return notes on what is lost when the pixels are read."""
    is_deep_grey = image.mode.startswith("I")
    notes = []
    if image.mode == "CMYK":
        notes.append("CMYK was converted to RGB.")
    if ";16" in raw_mode and not is_deep_grey:
        notes.append("16 bits a channel were reduced to 8.")
    if is_deep_grey and "transparency" in image.info:
        notes.append("The transparent shade of grey was kept as it is.")
    return notes


def _opaque(image: Image.Image, max_side: int) -> np.ndarray:
    wanted = "L" if image.mode in GREY_MODES else "RGB"
    if image.mode != wanted:  # convert copies, even to the same mode
        image = image.convert(wanted)
    array = _resized(image, max_side, 255)
    return array if array.ndim == 3 else array[:, :, None]


def _on_white(image: Image.Image, max_side: int, *, is_grey: bool) -> tuple[np.ndarray, bool]:
    """Return the picture on a white ground, and whether a pixel was transparent."""
    is_grey = is_grey or image.mode in GREY_MODES
    wanted = "LA" if image.mode in GREY_MODES else "RGBA"
    if image.mode != wanted:
        image = image.convert(wanted)
    alpha, channels = image.getchannel("A"), []
    is_transparent = np.asarray(alpha).min() < 255
    for name in image.getbands()[: 1 if is_grey else 3]:  # one at a time, to save memory
        channel = Image.new("L", image.size, 255)
        channel.paste(image.getchannel(name), mask=alpha)
        channel.info = image.info.copy()  # rotation uses and removes EXIF
        channels.append(_resized(channel, max_side, 255))
    return np.stack(channels, axis=2), bool(is_transparent)


def _deep_grey(image: Image.Image, max_side: int) -> np.ndarray:
    """Return a grey picture of more than 8 bits."""
    bits = 16
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        bits = image.tag_v2.get(258, (16,))[0]  # BitsPerSample
    if image.mode != "I;16":  # Pillow resizes big-endian values incorrectly
        info, image = image.info, Image.fromarray(np.asarray(image).astype(np.uint16))
        image.info = info
    if max(image.size) > max_side:
        # The default of `reducing_gap` does not support 16 bits.
        image.thumbnail((max_side, max_side), Image.Resampling.BOX, reducing_gap=None)
    return _resized(image, max_side, 2**bits - 1)[:, :, None]


def _resized(image: Image.Image, max_side: int, full_scale: int) -> np.ndarray:
    """Return the values of a picture, at most `max_side` long, divided by `full_scale`."""
    if max(image.size) > max_side:
        image.thumbnail((max_side, max_side), Image.Resampling.BOX)
    ImageOps.exif_transpose(image, in_place=True)  # last: it copies the picture
    array = np.array(image, dtype=np.float32)
    array /= np.float32(full_scale)
    return array
