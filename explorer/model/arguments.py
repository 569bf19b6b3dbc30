"""Checks of a block's arguments: seed, features and input."""

from typing import Any

import numpy as np

from explorer.errors import InputError, check_integer, describe

MAX_SEED = 2**32 - 1


def check_seed(seed: Any) -> int:
    """Return `seed` as an int; InputError unless it is an integer 0 … 2³²−1."""
    return check_integer("seed", seed, 0, MAX_SEED)


def check_features(features: Any) -> int:
    """Return `features` as an int; InputError unless it is an integer ≥ 1."""
    return check_integer("features", features, 1, None)


def check_input(x: Any, features: int) -> np.ndarray:
    """Return `x` as a float32 array `(H, W, features)` or `(N, H, W, features)`.

    The array is copied only if its type has to change, so it must not be written to.

    Raises:
        InputError: `x` has another shape, or its values are not real numbers.
    """
    try:
        array = np.asarray(x)
    except ValueError:
        raise InputError(
            f"x must be one array (H, W, C), got {describe(x)} whose rows differ in length."
        ) from None
    if array.dtype.kind not in "biuf":
        raise InputError(
            f"x must hold real numbers, got dtype {describe(array.dtype.name)}; "
            "convert it to float32 first."
        )
    if array.ndim not in (3, 4):
        raise InputError(
            f"x must have 3 axes (H, W, C) or 4 axes (N, H, W, C), got {array.ndim} with shape "
            f"{array.shape}; pass one image or a batch of images, channels last."
        )
    if 0 in array.shape:
        raise InputError(f"x must have no empty axis, got shape {array.shape}.")
    channels = array.shape[-1]
    if channels != features:
        raise InputError(
            f"x has {channels} channels but features is {features}: the identity shortcut adds x "
            "to F(x), so the two must be equal; unequal channels would need a 1×1 projection on "
            "the skip."
        )
    if array.dtype == np.float32:
        return array
    with np.errstate(over="ignore"):
        x32 = array.astype(np.float32)
    overflowed = np.isinf(x32) & np.isfinite(array)
    if overflowed.any():
        raise InputError(
            f"x must stay within float32's range of ±3.4e38, got {array[overflowed][0]:.3g}; "
            "scale it down."
        )
    return x32
