"""What is run: the sidebar's settings as a record, and its trace from a bounded cache."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from explorer.trace import BlockTrace, trace_block

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


def run(experiment: Experiment) -> BlockTrace:
    """The experiment's trace; what the reader brought is kept in their session only."""
    kept = _run_private if experiment.private else _run_shared
    return kept(
        experiment.input_key,
        experiment.load,
        experiment.seed,
        experiment.features,
        experiment.use_running_average,
        experiment.warmup_passes,
    )


# A trace is frozen and its arrays are read-only, so sessions can share the object.
@st.cache_resource(max_entries=8, ttl="1h", show_spinner="Running the block")
def _run_shared(
    input_key: tuple[object, ...],
    _load: Callable[[], np.ndarray],
    seed: int,
    features: int,
    use_running_average: bool,
    warmup_passes: int,
) -> BlockTrace:
    return trace_block(
        seed,
        _load(),
        features,
        use_running_average=use_running_average,
        warmup_passes=warmup_passes,
    )


@st.cache_resource(max_entries=2, ttl="1h", scope="session", show_spinner="Running the block")
def _run_private(
    input_key: tuple[object, ...],
    _load: Callable[[], np.ndarray],
    seed: int,
    features: int,
    use_running_average: bool,
    warmup_passes: int,
) -> BlockTrace:
    return trace_block(
        seed,
        _load(),
        features,
        use_running_average=use_running_average,
        warmup_passes=warmup_passes,
    )
