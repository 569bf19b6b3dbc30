"""A table of a network's blocks, with what is conspicuous in each of them.

The sentences come from fixed rules on weights and on the activations of one picture; the limits
are constants of this module.
"""

from dataclasses import dataclass

import numpy as np

from explorer.analysis.one_picture import check_one_picture
from explorer.analysis.summary import branch_ratio, zeroed_part
from explorer.records import BlockTrace, NetworkTrace, NormTrace

NEGLIGIBLE = 1e-3  # of ‖F(x)‖/‖x‖, and of |γ| of the branch's last norm
MANY_DEAD = 0.9  # fraction of a block's channels
FAR = 5.0  # deviations between running and this picture's mean, median over channels
USUAL_PICTURE = 10.0  # largest |v| of a normalised picture


@dataclass(frozen=True)
class HealthRow:
    """One block of a network on one picture.

    Attributes:
        name: the block's name.
        ratio: ‖F(x)‖ / ‖x‖, where x is what F(x) is added to.
        zeroed: fraction of the cells that the last ReLU zeroed; NaN without one.
        dead: channels of `out` that are 0 at every pixel, of `channels`.
        gamma: largest |γ| of the branch's last norm; NaN without one.
        distance: median over the channels of all norms of |running mean − mean of this picture|
            in deviations of the running statistics; NaN without a norm.
        largest: largest |v| of `out`.
        remarks: sentences on what is conspicuous; empty for a sound block.
    """

    name: str
    ratio: float
    zeroed: float
    dead: int
    channels: int
    gamma: float
    distance: float
    largest: float
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class NetworkHealth:
    """The table: a row for each block, and remarks on the network as a whole."""

    rows: tuple[HealthRow, ...]
    remarks: tuple[str, ...]


def network_health(trace: NetworkTrace) -> NetworkHealth:
    """Return the table of a network's trace of one picture, in eval mode.

    Raises:
        InputError: the trace is of a batch.
    """
    check_one_picture(trace)
    return NetworkHealth(
        tuple(_row(name, block) for name, block in trace.blocks.items()), _remarks(trace)
    )


def _row(name: str, block: BlockTrace) -> HealthRow:
    out, spec = block["out"], block.spec
    last = block.norms.get(spec.residual)
    gamma = float(np.abs(last.gamma).max()) if last else float("nan")
    ratio = branch_ratio(block)
    dead = int(np.count_nonzero((out == 0).all(axis=(0, 1))))
    remarks = []
    if not np.isfinite(out).all():
        remarks.append("has values that are not finite")
    if gamma <= NEGLIGIBLE:
        remarks.append("γ of its last norm is near 0")
    if ratio <= NEGLIGIBLE:
        remarks.append("adds nothing")
    if dead >= MANY_DEAD * out.shape[-1]:
        remarks.append("nearly all channels are zero on this picture")
    if any(_never_updated(norm) for norm in block.norms.values()):
        remarks.append("running statistics were never updated: mean 0 and variance 1")
    distance = _distance(block)
    if distance > FAR:
        remarks.append("running statistics are far from this picture's")
    return HealthRow(
        name=name,
        ratio=ratio,
        zeroed=zeroed_part(block),
        dead=dead,
        channels=out.shape[-1],
        gamma=gamma,
        distance=distance,
        largest=float(np.abs(out).max()),
        remarks=tuple(remarks),
    )


def _never_updated(norm: NormTrace) -> bool:
    return bool((norm.mean_before == 0).all() and (norm.var_before == 1).all())


def _distance(block: BlockTrace) -> float:
    """Return the median distance of running and batch means, in running deviations."""
    if not block.norms:
        return float("nan")
    distances = [
        np.abs(norm.mean_before - norm.batch_mean) / np.sqrt(np.maximum(norm.var_before, 1e-12))
        for norm in block.norms.values()
    ]
    return float(np.median(np.concatenate(distances)))


def _remarks(trace: NetworkTrace) -> tuple[str, ...]:
    found = []
    largest = float(np.abs(trace.images).max())
    low = float(trace.images.min())
    if largest > USUAL_PICTURE:
        found.append(
            f"The picture has values up to {largest:.3g}: it was probably not normalised. Networks "
            "expect values of a few units around 0."
        )
    elif low >= 0:
        found.append("The picture has no negative values: its mean was probably not subtracted.")
    if any(_never_updated(norm) for norm in trace.stem.norms.values()):
        found.append("The stem's running statistics were never updated: mean 0 and variance 1.")
    return tuple(found)
