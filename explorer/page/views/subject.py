"""The trace that a block's details are of."""

from collections.abc import Hashable
from dataclasses import dataclass

from explorer.records import BlockTrace

ONE_CHANNEL = (
    "Arithmetic, sum comparison and scatter plot are of one channel, and the mean over channels "
    "is shown: set Show to channel to see them."
)


@dataclass(frozen=True)
class Subject:
    """The trace that the details are of; `key` identifies it completely, `private` says
    whether it depends on what the user uploaded."""

    trace: BlockTrace
    key: tuple[Hashable, ...]
    private: bool
