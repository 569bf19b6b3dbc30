"""Arrays as files to save."""

from io import BytesIO

import numpy as np


def npy_file(array: np.ndarray) -> bytes:
    """Return the content of a .npy file of an array."""
    file = BytesIO()
    np.save(file, array)
    return file.getvalue()
