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
    """Return sentences that compare the curves with the published trends that apply to them."""
    words = [_growth(residual, plain_network)]
    if residual.spec.norms():
        words.append(_branch_share(residual))
    words.append(_correlation(residual, plain_network))
    return [text.replace("-", "−") for text in words]


def _growth(residual: DepthRecord, plain_network: DepthRecord) -> str:
    growths = []
    for record in (residual, plain_network):
        first, last = np.median(record.curves["gradient norm"], axis=0)[[0, -1]]
        growths.append("underflows to 0" if first == 0 else _factor(first / last))
    return (
        f"Gradient norm, from the last block back to the first: {growths[0]} in the residual "
        f"stack, {growths[1]} in the plain one."
    )


def _branch_share(residual: DepthRecord) -> str:
    """Compare with 1/(l + Var x): every block adds a branch of variance 1 to the shortcut."""
    depth, runs = residual.inputs.shape[0], residual.curves["branch share"]
    share, variance = np.median(runs, axis=0), float(np.var(residual.inputs[0], dtype=np.float64))
    predicted = 1 / (np.arange(1, depth + 1) + variance)
    words = (
        f"Branch share at block {depth}: {number_text(float(share[-1]), 3)}. De & Smith 2020 "
        f"predict 1/(l+1) = {1 / (depth + 1):.3f} for an input of variance 1 in a stack with "
        "BatchNorm and without the ReLU after the sum"
    )
    if abs(variance - 1) > 0.1:
        words += (
            f"; with the variance of x, {_power(variance)}, the same argument gives "
            f"1/(l+{_power(variance)}) = {number_text(float(predicted[-1]), 3)}"
        )
    words += f", {_compare(float(predicted[-1]), runs[:, -1])}."
    if residual.spec.last_relu_input is None or not np.isfinite(share).all():
        return words
    blocks = sorted({(depth + 1) // 2, depth})
    ratios = " and ".join(f"{share[at - 1] / predicted[at - 1]:.2f} at block {at}" for at in blocks)
    return f"{words} With the ReLU, the share divided by the prediction is {ratios}."


def _correlation(residual: DepthRecord, plain_network: DepthRecord) -> str:
    depth, cells = residual.inputs.shape[0], residual.inputs[0].size
    near = [record.curves["gradient correlation"] for record in (residual, plain_network)]
    words = (
        f"Correlation at the first block with the gradient of an input 0.05 standard deviations "
        f"away: {_two(near[0][:, 0])} in the residual stack, {_two(near[1][:, 0])} in the plain "
        f"one. Unrelated gradients of {cells:,} independent cells have a correlation of "
        f"±{cells**-0.5:.2g}."
    )
    if residual.spec.norms():
        slow = depth**-0.5
        words += (
            f" Balduzzi et al. 2017 predict 1/√L = {slow:.2f} with shortcuts and BatchNorm, "
            f"{_compare(slow, near[0][:, 0], cells)}."
        )
    relus = plain_network.spec.relus
    if relus == 0:
        return words
    halving = "at every ReLU" if relus == 1 else f"at every ReLU, of which a block has {relus}"
    places = {"at the first block": depth}
    if depth > 2:
        places = {"at the second to last block": 2, **places}
    compared = [
        f"{_power(rate)} {place}, {_compare(rate, near[1][:, depth - length], cells)}"
        for place, length in places.items()
        for rate in [2.0 ** (-relus * length)]
    ]
    return (
        f"{words} In plain networks without BatchNorm they predict a halving {halving}: "
        f"{'; '.join(compared)}. Their networks and inputs differ from these."
    )


def _factor(value: float) -> str:
    return f"×{_power(value)}" if np.isfinite(value) else "–"


def _two(runs: np.ndarray) -> str:
    return f"{np.median(runs):.2f}" if np.isfinite(runs).all() else "–"


def _compare(prediction: float, runs: np.ndarray, cells: int | None = None) -> str:
    """Return where a prediction lies relative to the range of the runs.

    Correlations below twice the deviation of unrelated gradients of `cells` cells cannot be told
    from 0.
    """
    if not np.isfinite(runs).all():
        return "which cannot be compared here"
    if cells and max(prediction, runs.min()) < 2 * cells**-0.5:
        return "too small to be told from 0"
    low, high = float(runs.min()), float(runs.max())
    distance = max(low - prediction, prediction - high)
    where = "inside" if distance <= 0 else "outside"
    if 0 < distance <= 0.1 * prediction:
        where = "within 10 % of"
    return f"{where} the range of the runs, {low:.3f} to {high:.3f}"
