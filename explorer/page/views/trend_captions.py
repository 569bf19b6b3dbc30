"""Captions that compare the curves over depth with published trends."""

import numpy as np

from explorer.records import DepthRecord


def number_text(value: float, digits: int) -> str:
    """Return a number with `digits` decimal places, or a dash if it is not finite."""
    return f"{value:.{digits}f}" if np.isfinite(value) else "–"


def _power(value: float) -> str:
    """Return a number with three digits, with a power of ten if it is small or large."""
    if not np.isfinite(value):
        return "–"
    digits, exponent = f"{value:.2e}".split("e")
    if value == 0 or -3 <= int(exponent) < 3:
        return f"{value:.3g}"
    return f"{float(digits):g}·10{_raised(int(exponent))}"


def _raised(exponent: int) -> str:
    return str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def trend_captions(residual: DepthRecord, plain_network: DepthRecord) -> list[str]:
    """Return sentences that compare the curves with the published trends."""
    depth = residual.inputs.shape[0]
    growths = []
    for record in (residual, plain_network):
        first, last = np.median(record.curves["gradient norm"], axis=0)[[0, -1]]
        growths.append("underflows to 0" if first == 0 else _factor(first / last))
    share, predicted = residual.curves["branch share"][:, -1], 1 / (depth + 1)
    near = [record.curves["gradient correlation"][:, 0] for record in (residual, plain_network)]
    slow, fast = depth**-0.5, 2.0**-depth
    words = [
        f"Gradient norm, from the last block back to the first: {growths[0]} in the residual "
        f"stack, {growths[1]} in the plain one.",
        f"Branch share at block {depth}: {number_text(float(np.median(share)), 3)}. De & Smith "
        f"2020 predict 1/(l+1) = {predicted:.3f}, {_compare(predicted, share)}. The prediction is "
        "for a stack with BatchNorm and without the ReLU after the sum; with it the share decays "
        "more slowly.",
        f"Correlation at the first block with the gradient of an input 0.05 standard deviations "
        f"away: {_two(near[0])} in the residual stack, {_two(near[1])} in the plain "
        f"one. Balduzzi et al. 2017 predict 1/√L = {slow:.2f} with shortcuts and BatchNorm, "
        f"{_compare(slow, near[0])}, and 2⁻ᴸ = {_power(fast)} without, {_compare(fast, near[1])}. "
        "Their networks and inputs differ from these.",
    ]
    return [text.replace("-", "−") for text in words]


def _factor(value: float) -> str:
    return f"×{_power(value)}" if np.isfinite(value) else "–"


def _two(runs: np.ndarray) -> str:
    return f"{np.median(runs):.2f}" if np.isfinite(runs).all() else "–"


def _compare(prediction: float, runs: np.ndarray) -> str:
    """Return where a prediction lies relative to the range of the runs."""
    if not np.isfinite(runs).all():
        return "which cannot be compared here"
    low, high = float(runs.min()), float(runs.max())
    distance = max(low - prediction, prediction - high)
    where = "inside" if distance <= 0 else "outside"
    if 0 < distance <= 0.1 * prediction:
        where = "within 10 % of"
    return f"{where} the range of the runs, {low:.3f} to {high:.3f}"
