"""What is run: the sidebar's settings as a record, and its trace from a bounded cache."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import streamlit as st

from explorer.analysis import Headline, headline, variance_error
from explorer.distributions import Distribution, distribution
from explorer.gallery import Gallery, Order, gallery
from explorer.recipes import Recipe
from explorer.trace import BlockTrace, trace_block
from explorer.variants import V1

DEFAULT_INPUT, DEFAULT_SHAPE = "zone_plate", (32, 32, 8)


@dataclass(frozen=True)
class Experiment:
    """One run of the block.

    `input_key` names the input completely (an upload by its digest), `load` makes
    it, `private` says that it came from the reader. `notes` are sentences about
    the input for the page.
    """

    input_key: tuple[object, ...]
    load: Callable[[], np.ndarray]
    private: bool
    notes: tuple[str, ...]
    seed: int
    features: int
    use_running_average: bool
    warmup_passes: int


@dataclass(frozen=True)
class Result:
    """A trace and what the page says of it whole, worked out once."""

    trace: BlockTrace
    headline: Headline
    variance_error: float
    digest: str
    galleries: dict[Order, Gallery] = field(default_factory=dict)

    def gallery(self, order: Order) -> Gallery:
        """All channels in this order."""
        if order not in self.galleries:
            self.galleries[order] = gallery(self.trace, order)
        return self.galleries[order]

    @cached_property
    def distributions(self) -> dict[str, Distribution]:
        """Every stage's distribution."""
        return {stage: distribution(self.trace, stage) for stage in self.trace.stages}


def run(experiment: Experiment, recipe: Recipe = V1, warmup_passes: int | None = None) -> Result:
    """The experiment's result, for the basic block or another recipe; `warmup_passes` in
    place of the experiment's. What the reader brought is kept in their session only."""
    kept = _run_private if experiment.private else _run_shared
    passes = experiment.warmup_passes if warmup_passes is None else warmup_passes
    with st.sidebar, st.spinner("Running the block"):
        return kept(
            experiment.input_key,
            experiment.seed,
            experiment.features,
            experiment.use_running_average,
            passes,
            repr(recipe),  # Streamlit's own hash of records does not tell their classes apart
            experiment,
            recipe,
        )


def trace_key(trace: BlockTrace) -> tuple[object, ...]:
    """What names a trace completely."""
    mode = trace.use_running_average, trace.warmup_passes
    return trace.digest("x"), trace.seed, *mode, repr(trace.recipe)


def _run(
    input_key: tuple[object, ...],
    seed: int,
    features: int,
    use_running_average: bool,
    warmup_passes: int,
    recipe_key: str,
    _experiment: Experiment,
    _recipe: Recipe,
) -> Result:
    trace = trace_block(
        seed,
        _experiment.load(),
        features,
        use_running_average=use_running_average,
        warmup_passes=warmup_passes,
        variant=_recipe,
    )
    return Result(trace, headline(trace), variance_error(trace), trace.digest())


# A result is frozen and its arrays are read-only, so sessions can share the object.
_run_shared = st.cache_resource(max_entries=6, ttl="1h", show_spinner=False)(_run)
_run_private = st.cache_resource(max_entries=2, ttl="1h", scope="session", show_spinner=False)(_run)
