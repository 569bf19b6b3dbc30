"""Trees of weights: their digest, and checks of their names and shapes."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from explorer.errors import InputError, check_array, describe


def digest_of(arrays: Any) -> str:
    """Return the BLAKE2b digest, 64 bits in hex, of a tree of arrays with their names."""
    digest = hashlib.blake2b(digest_size=8)
    for path, leaf in jax.tree_util.tree_leaves_with_path(arrays):
        array = np.ascontiguousarray(leaf)
        digest.update(json.dumps([jax.tree_util.keystr(path), array.shape]).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def check_arrays(given: tuple[Any, ...], expected: Any) -> Any:
    """Return a tree of weights as read-only float32 arrays.

    Args:
        given: nested dicts of arrays, one for each dict of `expected`.
        expected: a tuple of nested dicts of shapes.

    Raises:
        InputError: an array is missing, unknown, of another shape, or not of real numbers.
    """
    found: dict[str, Any] = {}
    for part in given:
        found |= _by_name(part)

    def check(path: Any, wanted: Any) -> np.ndarray:
        name = jax.tree_util.keystr(path[1:], simple=True, separator=".")
        if name not in found:
            raise InputError(f"The network's {name} is missing; expected {wanted.shape}.")
        array = check_array(name, found.pop(name))
        if array.shape != wanted.shape:
            raise InputError(
                f"The network's {name} has shape {array.shape}, expected {wanted.shape}."
            )
        with np.errstate(over="ignore", invalid="ignore"):  # beyond float32's range, signalling NaN
            return _frozen(np.array(array, np.float32))

    checked = jax.tree_util.tree_map_with_path(check, expected)
    if found:
        raise InputError(
            f"The network has {describe(next(iter(found)))}, which its variant does not have."
        )
    return checked


def _by_name(arrays: Any, prefix: str = "") -> dict[str, Any]:
    """Return the leaves of nested dicts by their path in the dict."""
    if not isinstance(arrays, Mapping):
        raise InputError(f"Weights must be in nested dicts by part, got {describe(arrays)}.")
    found: dict[str, Any] = {}
    for name, value in arrays.items():
        if isinstance(value, Mapping):
            found |= _by_name(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def frozen(arrays: Any) -> Any:
    """Return a tree of arrays as read-only NumPy arrays; a writable array is copied."""
    return jax.tree.map(_frozen, arrays)


def _frozen(array: Any) -> np.ndarray:
    host = np.asarray(array)
    if host.flags.writeable:
        host = host.copy()
        host.setflags(write=False)
    return host
