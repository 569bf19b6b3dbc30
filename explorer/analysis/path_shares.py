"""The share of every path length in the summed norms of a stack's path gradients."""

import numpy as np

from explorer.errors import check_type
from explorer.records import PathRecord


def path_shares(record: PathRecord) -> np.ndarray:
    """Return mean norm × fraction of paths for k = 0 … n, divided by its sum, `(n + 1,)`.

    The mean norm of a length that was not sampled is interpolated geometrically. All shares are 0
    if no gradient arrives.
    """
    if not check_type("record", record, PathRecord).norm.any():
        return np.zeros(record.paths.size)
    smallest = np.finfo(np.float64).tiny  # stands in for norms that underflow to 0
    logarithms = np.log(np.maximum(record.norm, smallest))
    norm = np.exp(np.interp(np.arange(record.paths.size), record.lengths, logarithms))
    carried = norm * record.paths
    return np.asarray(carried / carried.sum())
