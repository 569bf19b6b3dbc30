"""Small maps along a network: F(x) of every block, and the residual stream."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from explorer.analysis.colour_limits import limit_of
from explorer.analysis.network import check_one_picture
from explorer.errors import check_integer
from explorer.records import NetworkTrace, measure


@dataclass(frozen=True)
class StreamThumbnails:
    """Maps `(H, W)` float32 of one channel, or of the mean over channels, on one colour scale.

    Attributes:
        branch: F(x) of every block, by the block's name.
        stream: the residual stream after the stem and after every block, by "stem" and the
            blocks' names.
        limit: the colours' limit ±`limit`, for all maps.
        channel: 0 … width − 1, or None for the mean.
    """

    branch: Mapping[str, np.ndarray]
    stream: Mapping[str, np.ndarray]
    limit: float
    channel: int | None


def stream_thumbnails(trace: NetworkTrace, channel: int | None = None) -> StreamThumbnails:
    """Return the maps of every block's F(x) and of the stream after it.

    The colour limit is min(max |v|, 3·RMS), or 1 where all v are 0. `v` runs over all channels of
    all these arrays, so that it is the same for every channel; for the mean, over the maps.

    Args:
        trace: of one picture.
        channel: 0 … width − 1; None for the mean over channels.

    Raises:
        InputError: the trace is of a batch, or the network has no such channel.
    """
    stream = check_one_picture(trace).stream
    branch = {name: block[block.spec.residual] for name, block in trace.blocks.items()}
    if channel is not None:
        width = next(iter(stream.values())).shape[-1]
        channel = check_integer("channel", channel, 0, width - 1)
    maps = [
        {name: _map(values, channel) for name, values in arrays.items()}
        for arrays in (branch, stream)
    ]
    measured = maps if channel is None else (branch, stream)
    limit = limit_of(*(measure(values) for arrays in measured for values in arrays.values()))
    return StreamThumbnails(branch=maps[0], stream=maps[1], limit=limit, channel=channel)


def _map(values: np.ndarray, channel: int | None) -> np.ndarray:
    if channel is not None:
        return np.ascontiguousarray(values[:, :, channel])
    with np.errstate(invalid="ignore", over="ignore"):  # of infinite values
        return np.asarray(values.mean(axis=2))
