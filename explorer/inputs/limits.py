"""Size limits of inputs and files, and their check."""

import math

from explorer.errors import InputError

MAX_FILE_BYTES = 40_000_000
MAX_FILE_MEGABYTES = MAX_FILE_BYTES // 1_000_000
MAX_CHECKPOINT_BYTES = 110_000_000  # a ResNet-50 in float32 has 102 MB
MAX_CSV_BYTES = 16_000_000
MAX_PICTURE_SIDE = 1024
MAX_SIDE = 2048
MAX_CHANNELS = 512
MAX_ELEMENTS = 1024 * 1024 * 8


def check_shape(shape: tuple[int, ...]) -> None:
    """Raise InputError unless `shape` is `(H, W, C)` within the limits."""
    largest = (MAX_SIDE, MAX_SIDE, MAX_CHANNELS)
    if len(shape) != 3 or any(not 1 <= n <= top for n, top in zip(shape, largest, strict=True)):
        raise InputError(
            f"The input has shape {format_shape(shape)}; expected H and W from 1 to {MAX_SIDE} "
            f"and C from 1 to {MAX_CHANNELS}."
        )
    elements = shape[0] * shape[1] * shape[2]
    if elements > MAX_ELEMENTS:
        raise InputError(
            f"The input has {elements:,} elements ({format_shape(shape)}); the limit is "
            f"{MAX_ELEMENTS:,}."
        )


def format_shape(shape: tuple[int, ...]) -> str:
    """Return `(24, 40, 5)` as "24×40×5"; long shapes and sides over 10¹² are abbreviated."""
    if not shape:
        return "()"
    sides = [str(side) if side < 10**12 else "over 10¹²" for side in shape[:5]]
    return "×".join(sides) + (f"×… ({len(shape)} axes)" if len(shape) > 5 else "")


def format_megabytes(size: int) -> str:
    """Return a number of bytes in MB, rounded up to a tenth: 40,000,001 is "40.1 MB"."""
    return f"{math.ceil(size / 100_000) / 10:g} MB"
