"""One sentence on what each curve over depth shows, with the records' own numbers."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from explorer.page.views.number_words import power_text
from explorer.records import DepthRecord

UNKNOWN = "not finite"
UNDEFINED = "undefined"  # a ratio to a variance of 0, or of values that are not finite


def verdict(curve: str, residual: DepthRecord, plain_network: DepthRecord) -> str:
    """Return a sentence on one curve of two stacks of the same weights.

    Args:
        curve: a key of `DepthRecord.curves`.
        residual, plain_network: the records with and without shortcuts.
    """
    words = _VERDICTS[curve](residual, plain_network)
    runs = residual.curves[curve].shape[0]
    words += f" (medians of {runs} runs)." if runs > 1 else "."
    return words.replace("-", "−")


def _gradient_norm(residual: DepthRecord, plain_network: DepthRecord) -> str:
    depth = residual.inputs.shape[0]
    first, last = (
        [_at(record, "gradient norm", block) for record in (residual, plain_network)]
        for block in (0, -1)
    )
    if depth == 1:
        with_it, without = map(_text, first)
        return (
            f"The norm of the gradient at the input of one block is {with_it} with the shortcut "
            f"and {without} without"
        )
    with_it, without = (_ratio(*pair) for pair in zip(first, last, strict=True))
    if with_it.endswith("×") or without.endswith("×"):
        of = " that at the last"
        with_it += of if with_it.endswith("×") else ""
        without += of if without.endswith("×") and of not in with_it else ""
    return (
        f"At the first of {depth} blocks the norm of the gradient is {with_it} with shortcuts, "
        f"and {without} without"
    )


def _gradient_correlation(residual: DepthRecord, plain_network: DepthRecord) -> str:
    with_it, without = (
        _fixed(_at(record, "gradient correlation", 0)) for record in (residual, plain_network)
    )
    return (
        "The gradients at the first block for two inputs 0.05 standard deviations apart have a "
        f"correlation of {with_it} with shortcuts, and {without} without"
    )


def _branch_share(residual: DepthRecord, plain_network: DepthRecord) -> str:
    depth = residual.inputs.shape[0]
    first, last = (_percent(_at(residual, "branch share", block)) for block in (0, -1))
    if depth == 1:
        return f"The branch F(x) has {last} of the variance of the two terms of the sum"
    return (
        f"The branch F(x) has {first} of the variance of the two terms of the sum at the first "
        f"block, and {last} at block {depth}"
    )


def _std(residual: DepthRecord, plain_network: DepthRecord) -> str:
    with_it, without = (_text(_at(record, "std", -1)) for record in (residual, plain_network))
    with np.errstate(over="ignore", invalid="ignore"):
        of_x = _text(float(np.std(residual.inputs[0], dtype=np.float64)))
    return (
        f"After {_blocks(residual)} the standard deviation is {with_it} with shortcuts, and "
        f"{without} without; that of x is {of_x}"
    )


def _squared_mean(residual: DepthRecord, plain_network: DepthRecord) -> str:
    with_it, without = (
        _text(_at(record, "squared mean", -1)) for record in (residual, plain_network)
    )
    return (
        f"After {_blocks(residual)} the squared mean of a channel, averaged over channels, is "
        f"{with_it} with shortcuts, and {without} without"
    )


def _zeros(residual: DepthRecord, plain_network: DepthRecord) -> str:
    with_it, without = (_percent(_at(record, "zeros", -1)) for record in (residual, plain_network))
    return (
        f"After {_blocks(residual)} the share of the output's cells that are 0 is {with_it} with "
        f"shortcuts, and {without} without"
    )


_VERDICTS: Mapping[str, Callable[[DepthRecord, DepthRecord], str]] = MappingProxyType(
    {
        "gradient norm": _gradient_norm,
        "gradient correlation": _gradient_correlation,
        "branch share": _branch_share,
        "std": _std,
        "squared mean": _squared_mean,
        "zeros": _zeros,
    }
)


def _at(record: DepthRecord, curve: str, block: int) -> float:
    """Return the median over runs at a block; NaN if a run has no finite value there."""
    runs = record.curves[curve][:, block].astype(np.float64)
    return float(np.median(runs)) if np.isfinite(runs).all() else np.nan


def _blocks(record: DepthRecord) -> str:
    depth = record.inputs.shape[0]
    return "one block" if depth == 1 else f"{depth} blocks"


def _ratio(first: float, last: float) -> str:
    """Return how many times as large as `last` ≥ 0 `first` ≥ 0 is, or that it is 0."""
    if first == 0:
        return "0"
    ratio = first / last if last else np.nan
    return f"{power_text(ratio)} ×" if np.isfinite(ratio) else UNKNOWN


def _text(value: float) -> str:
    return power_text(value) if np.isfinite(value) else UNKNOWN


def _fixed(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}" if np.isfinite(value) else UNDEFINED


def _percent(value: float) -> str:
    return f"{value:.1%}".replace("%", " %") if np.isfinite(value) else UNDEFINED
