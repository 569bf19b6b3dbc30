"""What the curves over depth say of the published trends, in sentences with their numbers."""

import numpy as np

from explorer.records import DepthRecord


def number_text(value: float, digits: int) -> str:
    """A number with so many digits behind the point; a dash for what is not finite."""
    return f"{value:.{digits}f}" if np.isfinite(value) else "–"


def _power(value: float) -> str:
    """A number in three digits, with a power of ten where it needs one."""
    if not np.isfinite(value):
        return "–"
    if value == 0 or 1e-3 <= value < 1e5:
        return f"{value:.3g}"
    exponent = int(np.floor(np.log10(value)))
    return f"{value / 10.0**exponent:.3g}·10{_raised(exponent)}"


def _raised(number: int) -> str:
    return str(number).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def trend_captions(residual: DepthRecord, plain: DepthRecord) -> list[str]:
    """What the curves say of the published trends, with the numbers."""
    depth = residual.inputs.shape[0]
    growths = []
    for record in (residual, plain):
        first, last = np.median(record.curves["gradient norm"], axis=0)[[0, -1]]
        growths.append("down to 0 in float32" if first == 0 else f"×{_power(first / last)}")
    share, law = residual.curves["branch share"][:, -1], 1 / (depth + 1)
    near = [record.curves["gradient correlation"][:, 0] for record in (residual, plain)]
    slow, fast = depth**-0.5, 2.0**-depth
    words = [
        f"Gradient norm, from the last block back to the first: {growths[0]} in the residual "
        f"stack, {growths[1]} in the plain one.",
        f"Branch share at block {depth}: {number_text(float(np.median(share)), 3)}. De & Smith 2020 "
        f"give 1/(l+1) = {law:.3f}, {_against(law, share)}. Their law is of a stack with "
        "BatchNorm and without the ReLU after the sum; with it the share decays more slowly.",
        f"Correlation at the first block with the gradient of an input 0.05 standard deviations "
        f"away: {_two(near[0])} in the residual stack, {_two(near[1])} in the plain "
        f"one. Balduzzi et al. 2017 give 1/√L = {slow:.2f} with shortcuts and BatchNorm, "
        f"{_against(slow, near[0])}, and 2⁻ᴸ = {_power(fast)} without, {_against(fast, near[1])}. "
        "Their nets, inputs and neighbours are others.",
    ]
    return [text.replace("-", "−") for text in words]


def _two(runs: np.ndarray) -> str:
    return f"{np.median(runs):.2f}" if np.isfinite(runs).all() else "–"


def _against(law: float, runs: np.ndarray) -> str:
    """Where a law lies against the band of the runs."""
    if not np.isfinite(runs).all():
        return "to be compared with nothing here"
    low, high = float(runs.min()), float(runs.max())
    away = max(low - law, law - high)
    where = "inside" if away <= 0 else "within a tenth of" if away <= 0.1 * law else "outside"
    return f"{where} the runs' {low:.3f} to {high:.3f}"
