"""The distribution of the values of each stage."""

from dataclasses import dataclass

import numpy as np

from explorer.errors import check_array, check_choice, check_type
from explorer.model.layers import ReLU
from explorer.records import BlockTrace

BINS = 60


@dataclass(frozen=True)
class Distribution:
    """A stage's finite values over all cells and channels.

    `counts` `(60,)` and `edges` `(61,)` are a histogram without the cells that a
    ReLU zeroed; `zeroed` is their fraction of all cells, 0 if the stage is not a ReLU, NaN if the
    ReLU's input has NaN. `mean` and `std` are over all finite cells, NaN if there are none.
    """

    counts: np.ndarray
    edges: np.ndarray
    mean: float
    std: float
    zeroed: float


def histogram(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return `BINS` counts of the finite values, and the edges of the bins."""
    values = check_array("values", values)
    finite = values[np.isfinite(values)].astype(np.float64)
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if low == high:  # NumPy's own widening by 0.5 is lost on values of 1e38
        margin = max(0.5, 0.01 * abs(low))
        low, high = low - margin, high + margin
    counts, edges = np.histogram(finite, bins=BINS, range=(low, high))
    return counts, edges


def distribution(trace: BlockTrace, stage: str) -> Distribution:
    """Return the distribution of one stage of a trace."""
    check_choice("stage", stage, check_type("trace", trace, BlockTrace).stages)
    values, spec = trace[stage], trace.spec
    zeroed, has_nan = np.zeros(values.shape, bool), False
    if isinstance(spec.layers().get(stage), ReLU):
        source = trace[spec.inputs()[stage]]
        zeroed, has_nan = source < 0, bool(np.isnan(source).any())
    counts, edges = histogram(values[~zeroed])
    finite = values[np.isfinite(values)].astype(np.float64)
    return Distribution(
        counts=counts,
        edges=edges,
        mean=float(finite.mean()) if finite.size else float("nan"),
        std=float(finite.std()) if finite.size else float("nan"),
        zeroed=np.nan if has_nan else float(zeroed.mean()),
    )
