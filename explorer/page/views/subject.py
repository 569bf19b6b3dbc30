"""The subject of a block's details: one trace."""

from collections.abc import Hashable
from dataclasses import dataclass

from explorer.model.spec import BlockSpec
from explorer.page.experiment import Experiment
from explorer.records import BlockTrace

ONE_CHANNEL = (
    "This pixel, Outcomes and Scatter need a single channel, but the figure shows the mean over "
    "channels. Set Show to channel."
)


@dataclass(frozen=True)
class Subject:
    """The trace that the details show.

    `key` is its cache key; `private` is whether it depends on an upload. `experiment` is what it is
    the result of; None for a block of a stack. `reference` is the trace that a variant is compared
    with, and `variant` its spec, of which there may be no trace: then `trace` is the reference.
    """

    trace: BlockTrace
    key: tuple[Hashable, ...]
    private: bool
    experiment: Experiment | None = None
    reference: BlockTrace | None = None
    variant: BlockSpec | None = None

    @property
    def spec(self) -> BlockSpec:
        """The spec of the variant, or of the trace."""
        return self.variant or self.trace.spec
