"""The share of every path length in the summed norms of a stack's path gradients."""

import numpy as np

from explorer.records import PathRecord


def path_shares(record: PathRecord) -> np.ndarray:
    """Return mean norm × fraction of paths for k = 0 … n, divided by its sum, `(n + 1,)`.

    The mean norm of a length that was not sampled is interpolated, geometrically where all
    norms are positive. All are 0 where no gradient arrives.
    """
    every = np.arange(record.depth + 1)
    if (record.norm > 0).all():
        norm = np.exp(np.interp(every, record.lengths, np.log(record.norm)))
    else:
        norm = np.interp(every, record.lengths, record.norm)
    carried = norm * record.paths
    return np.asarray(carried / (carried.sum() or 1))
