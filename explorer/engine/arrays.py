"""Trees of weights: their digest, and checks of their names and shapes."""

import hashlib
import json
from typing import Any

import jax
import numpy as np

from explorer.errors import InputError, check_array


def digest_of(arrays: Any) -> str:
    """Return the BLAKE2b digest, 64 bits in hex, of a tree of arrays with their names."""
    digest = hashlib.blake2b(digest_size=8)
    for path, leaf in jax.tree_util.tree_leaves_with_path(arrays):
        array = np.ascontiguousarray(leaf)
        digest.update(json.dumps([jax.tree_util.keystr(path), array.shape]).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def check_arrays(given: Any, expected: Any) -> Any:
    """Return a tree of weights as read-only float32 arrays.

    Args:
        given: a tuple of nested dicts of arrays.
        expected: the same tree of shapes.

    Raises:
        InputError: an array is missing, unknown, of another shape, or not of real numbers.
    """
    found, wanted = _by_name(given), _by_name(expected)
    for name in (*wanted, *found):
        if name not in found:
            raise InputError(f"The network's {name} is missing; expected {wanted[name].shape}.")
        if name not in wanted:
            raise InputError(f"The network has {name}, which its variant does not have.")
        array = check_array(name, found[name])
        if array.shape != wanted[name].shape:
            raise InputError(
                f"The network's {name} has shape {array.shape}, expected {wanted[name].shape}."
            )
    return jax.tree.map(lambda leaf: _frozen(np.array(leaf, np.float32)), given)


def _by_name(arrays: Any) -> dict[str, Any]:
    """Return the leaves of a tuple of nested dicts by their path in the dict."""
    return {
        jax.tree_util.keystr(path[1:], simple=True, separator="."): leaf
        for path, leaf in jax.tree_util.tree_leaves_with_path(arrays)
    }


def frozen(arrays: Any) -> Any:
    """Return a tree of arrays as read-only NumPy arrays; a writable array is copied."""
    return jax.tree.map(_frozen, arrays)


def _frozen(array: Any) -> np.ndarray:
    host = np.asarray(array)
    if host.flags.writeable:
        host = host.copy()
        host.setflags(write=False)
    return host
