"""One file of the corpus and the result expected from it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Case:
    """One upload and its expected result.

    Attributes:
        filename: the name it is uploaded under.
        make: returns the contents.
        error: pattern of the expected error message; None if the file is valid.
        values: expected values, `(H, W, C)`; None if only the shape is checked.
        shape: expected shape.
    """

    filename: str
    make: Callable[[], bytes]
    error: str | None = None
    values: np.ndarray | None = None
    shape: tuple[int, ...] | None = None


def read(filename: str, make: Callable[[], bytes], values: np.ndarray) -> Case:
    """Return a case that must be read with these values."""
    wide = values if values.ndim == 3 else values[:, :, None]
    return Case(filename, make, values=wide.astype(np.float32), shape=wide.shape)


def shaped(filename: str, make: Callable[[], bytes], *shape: int) -> Case:
    """Return a case that must be read with this shape."""
    return Case(filename, make, shape=shape)
