"""The subject of a block's details: one trace."""

from collections.abc import Hashable
from dataclasses import dataclass

from explorer.records import BlockTrace

ONE_CHANNEL = (
    "Arithmetic, sum comparison and scatter plot need a single channel, but the figure shows the "
    "mean over channels. Set Show to channel."
)


@dataclass(frozen=True)
class Subject:
    """The trace that the details show.

    `key` is its cache key; `private` is whether it depends on an upload.
    """

    trace: BlockTrace
    key: tuple[Hashable, ...]
    private: bool
