"""How large an input may be, in one place, and the sentences that say so."""

from explorer.errors import InputError

MAX_FILE_BYTES = 40_000_000
MAX_PIXELS = 2**23
MAX_SCALED_PIXELS = 2**24  # of a JPEG that its decoder makes smaller on the way
MAX_CSV_BYTES = 16_000_000
MAX_PICTURE_SIDE = 1024
MAX_SIDE = 2048
MAX_CHANNELS = 512
MAX_ELEMENTS = 1024 * 1024 * 8


def check_shape(shape: tuple[int, ...]) -> None:
    """InputError unless `shape` is `(H, W, C)` within the limits, no side zero."""
    largest = (MAX_SIDE, MAX_SIDE, MAX_CHANNELS)
    if len(shape) != 3 or any(not 1 <= n <= top for n, top in zip(shape, largest, strict=True)):
        raise InputError(
            f"The input has shape {text_shape(shape)}; accepted are H and W from 1 to {MAX_SIDE} "
            f"and C from 1 to {MAX_CHANNELS}."
        )
    elements = shape[0] * shape[1] * shape[2]
    if elements > MAX_ELEMENTS:
        raise InputError(
            f"The input has {elements:,} elements ({text_shape(shape)}); accepted are at most "
            f"{MAX_ELEMENTS:,}."
        )


def text_shape(shape: tuple[int, ...]) -> str:
    """`(24, 40, 5)` as "24×40×5"; axes past the fifth and digits past the twelfth are cut."""
    if not shape:
        return "() (a single number)"
    sides = [str(side) if side < 10**12 else "over 10¹²" for side in shape[:5]]
    return "×".join(sides) + (f"×… ({len(shape)} axes)" if len(shape) > 5 else "")
