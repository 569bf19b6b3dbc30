"""Arrays in parts that fit into a processor's cache, where several passes over one are fast."""

from collections.abc import Iterator

import numpy as np

VALUES = 2**16  # of one array in a part


def parts(*arrays: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield the arrays, all of one shape, in parts of whole pixels.

    Args:
        arrays: `(…, C)`.

    Yields:
        the same values of every array, `(pixels, C)`: about `VALUES`, and at least one pixel.
        They are views of arrays that are contiguous.
    """
    flat = [array.reshape(-1, array.shape[-1] if array.ndim else 1) for array in arrays]
    step = max(1, VALUES // max(1, flat[0].shape[1]))
    for start in range(0, flat[0].shape[0], step):
        yield tuple(array[start : start + step] for array in flat)
