"""Reading of expected values from a file."""

import numpy as np

from explorer.errors import InputError, describe
from explorer.inputs.limits import MAX_CHECKPOINT_BYTES
from explorer.inputs.npz_arrays import read_npy_array
from explorer.model.tensor_file import read_tensors

NPY_MAGIC = b"\x93NUMPY"


def read_expected(data: bytes, name: str | None = None) -> dict[str, np.ndarray]:
    """Return the arrays of a file by name, for `compare_with_expected`.

    The format is told by the content; nothing is unpickled.

    Args:
        data: the bytes of a .npz or .safetensors file of arrays by name, or of a .npy file.
        name: the name of the array of a .npy file, such as "layer2.0"; others have their own.

    Returns:
        floating-point numbers of any type as float32, integers as they are stored.

    Raises:
        InputError: the file is none of these, is damaged or too large, or needs a `name`.
    """
    if not isinstance(data, bytes):
        raise InputError(f"data must be the bytes of a file, got {describe(data)}.")
    if data.startswith(NPY_MAGIC):
        if name is None:
            raise InputError(
                "The file is a single array without a name (.npy received); expected also the "
                "name of its stage: pass name, or save the array by numpy.savez with one."
            )
        return {name: read_npy_array(data, MAX_CHECKPOINT_BYTES)}
    return read_tensors(data)[0]
