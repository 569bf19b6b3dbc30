"""Operations on the channels of an input: standardise, pad with zeros, project."""

import numpy as np

from explorer.errors import InputError, check_array, check_integer
from explorer.inputs.limits import MAX_ELEMENTS, check_shape
from explorer.inputs.random_streams import Purpose, random_stream


def standardise(x: np.ndarray) -> np.ndarray:
    """Return (x − mean)/std of each channel over H and W; a constant channel becomes 0.

    Args:
        x: real array `(H, W, C)` or `(N, H, W, C)`.

    Returns:
        float32, shaped like `x`; every channel of an image has mean 0 and variance 1. Constant
        channels are 0, and channels with values that are not finite are NaN.

    Raises:
        InputError: `x` is not such an array.
    """
    wide, pixels = check_array("x", x, 3, 4).astype(np.float64), (-3, -2)
    with np.errstate(invalid="ignore", over="ignore"):
        centred = wide - wide.mean(axis=pixels, keepdims=True)
        std = centred.std(axis=pixels, keepdims=True)
    # In a constant channel only rounding errors remain; they must not be scaled to variance 1.
    constant = std <= 1e-7 * np.abs(wide).max(axis=pixels, keepdims=True)
    return np.where(constant, 0, centred / np.where(constant, 1, std)).astype(np.float32)


def pad_channels(x: np.ndarray, features: int) -> np.ndarray:
    """Return `x` with zero channels appended (option A of He et al. 2015, applied to the input).

    Args:
        x: real array `(H, W, C)` or `(N, H, W, C)`.
        features: channels of the result, an integer of at least C.

    Returns:
        float32, shaped like `x` with `features` channels.

    Raises:
        InputError: an argument is outside its documented range, `x` already has more channels, or
            the result exceeds the limits.
    """
    given, width = _float32(x), check_integer("features", features, 1, None)
    missing = width - given.shape[-1]
    if missing < 0:
        raise InputError(
            f"Zero channels can only be added: features is {width} but the input has "
            f"{given.shape[-1]} channels. Use a 1×1 projection to reduce them."
        )
    _check_size(given, width)
    return np.pad(given, [(0, 0)] * (given.ndim - 1) + [(0, missing)])


def project_channels(x: np.ndarray, features: float, seed: float) -> np.ndarray:
    """Return a 1×1 projection of the input, `y[h, w] = x[h, w] @ P` with P ~ N(0, 1/C).

    The projection is applied before the block and is not part of it: the identity is the
    projected input.

    Args:
        x: real array `(H, W, C)` or `(N, H, W, C)`.
        features: channels of the result, integer ≥ 1.
        seed: integer 0 … 2³²−1, fixes P.

    Returns:
        float32, shaped like `x` with `features` channels.

    Raises:
        InputError: an argument is outside its documented range, or the result exceeds the limits.
    """
    given, width = _float32(x), check_integer("features", features, 1, None)
    _check_size(given, width)
    channels = given.shape[-1]
    projection = random_stream(seed, Purpose.PROJECTION).standard_normal((channels, width))
    with np.errstate(invalid="ignore", over="ignore"):
        return given @ (projection / np.sqrt(channels)).astype(np.float32)


def _float32(x: np.ndarray) -> np.ndarray:
    """Return an image or a batch as float32; InputError unless it is such an array."""
    with np.errstate(over="ignore"):
        return check_array("x", x, 3, 4).astype(np.float32, copy=False)


def _check_size(x: np.ndarray, features: int) -> None:
    """Raise InputError if `x` with this number of channels exceeds the limits."""
    check_shape((*x.shape[-3:-1], features))
    values = x.size // x.shape[-1] * features
    if values > MAX_ELEMENTS:
        raise InputError(
            f"The batch would have {values:,} values with {features} channels; the limit is "
            f"{MAX_ELEMENTS:,}. Choose fewer features or the statistics of one image."
        )
