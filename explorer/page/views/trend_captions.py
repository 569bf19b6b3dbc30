"""Captions that compare the curves over depth with published trends."""

import numpy as np

from explorer.page.views.number_words import number_text, power_text
from explorer.records import DepthRecord


def trend_caption(curve: str, residual: DepthRecord, plain_network: DepthRecord) -> str:
    """Return sentences that compare a curve with its published trends; empty without one."""
    words = ""
    if curve == "branch share" and residual.spec.norms():
        words = _branch_share(residual)
    elif curve == "gradient correlation":
        words = _correlation(residual, plain_network)
    return words.replace("-", "−")


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
            f"; with the variance of x, {power_text(variance)}, the same argument gives "
            f"1/(l+{power_text(variance)}) = {number_text(float(predicted[-1]), 3)}"
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
        f"Unrelated gradients of {cells:,} independent cells have a correlation of "
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
        f"{power_text(rate)} {place}, {_compare(rate, near[1][:, depth - length], cells)}"
        for place, length in places.items()
        for rate in [2.0 ** (-relus * length)]
    ]
    return (
        f"{words} In plain networks without BatchNorm they predict a halving {halving}: "
        f"{'; '.join(compared)}. Their networks and inputs differ from these."
    )


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
