"""Checks of a block's arguments: features and input."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from explorer.errors import InputError, as_array, check_integer, describe


def check_features(features: Any) -> int:
    """Return `features` as an int; InputError unless it is an integer ≥ 1."""
    return check_integer("features", features, 1, None)


def check_input(x: Any, features: int) -> np.ndarray:
    """Return `x` as a float32 array `(H, W, features)` or `(N, H, W, features)`.

    The array is copied only if its type has to change, so it must not be written to.

    Raises:
        InputError: `x` has another shape, or its values are not real numbers.
    """
    array = as_array("x", x)
    check_dtype(array.dtype)
    if array.ndim not in (3, 4):
        raise InputError(
            f"x must have 3 axes (H, W, C) or 4 axes (N, H, W, C), got {array.ndim} with shape "
            f"{array.shape}; {_fix_of_axes(array.ndim)}."
        )
    check_channels(array.shape, features)
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


def check_dtype(dtype: Any) -> None:
    """Raise InputError unless a type holds real numbers; bfloat16 and float8 count as such."""
    if not (jnp.issubdtype(dtype, jnp.bool_) or jnp.issubdtype(dtype, jnp.integer)) and not (
        jnp.issubdtype(dtype, jnp.floating)
    ):
        raise InputError(
            f"x must hold real numbers, got dtype {describe(dtype.name)}; convert it to float32 "
            "first."
        )


def check_channels(shape: tuple[int, ...], features: int) -> None:
    """Raise InputError unless no axis is empty and the last has `features` channels."""
    if 0 in shape:
        raise InputError(f"x must have no empty axis, got shape {shape}.")
    channels = shape[-1]
    if channels == features:
        return
    if shape[-3] == features:
        order = "(1, 2, 0)" if len(shape) == 3 else "(0, 2, 3, 1)"
        raise InputError(
            f"x has shape {shape}, so {channels} channels, but features is {features}. If its "
            f"channels come first, pass x.transpose{order}."
        )
    raise InputError(
        f"x has {channels} channels but features is {describe(features)}: the identity shortcut "
        "adds x to F(x), so the two must be equal; unequal channels would need a 1×1 projection "
        "on the skip."
    )


def _fix_of_axes(axes: int) -> str:
    """Return how an array with too few or too many axes becomes one that can be used."""
    match axes:
        case 2:
            return "for one channel, pass x[..., None]"
        case 0 | 1:
            return "give a flat array its shape with x.reshape(H, W, C)"
        case _:
            return "pass one image or a batch of images, for instance x[0]"
