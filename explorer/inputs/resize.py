"""Resizing of a picture to a given shape."""

import numpy as np
from PIL import Image

from explorer.errors import check_array, check_integer


def resize_picture(array: np.ndarray, height: int, width: int, channels: int) -> np.ndarray:
    """Return a picture with this shape.

    Every pixel is the mean of those it covers, or is interpolated where there are too few. A
    change of channels goes through their mean.

    Args:
        array: `(H, W, C)` real numbers.
        height, width, channels: the shape wanted, integers of at least 1.

    Returns:
        `(height, width, channels)` float32.

    Raises:
        InputError: an argument is outside its documented range.
    """
    given = check_array("array", array, 3).astype(np.float32)
    size = check_integer("width", width, 1, None), check_integer("height", height, 1, None)
    count = check_integer("channels", channels, 1, None)
    if given.shape[-1] != count:
        given = np.repeat(given.mean(axis=-1, keepdims=True), count, axis=-1)
    planes = [
        np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BOX))
        for plane in np.moveaxis(given, -1, 0)
    ]
    return np.stack(planes, axis=-1).astype(np.float32)
