"""Warm-up: compiles and draws the default experiment when the server starts."""

import gc
from importlib import import_module

from explorer.engine.forward import trace_block
from explorer.figures.stage import stage_figure
from explorer.inputs import generate, standardise
from explorer.page.experiment import DEFAULT_INPUT, default_shape
from explorer.server.assets import compressed, eager_plotly_script


def warm_up() -> None:
    """Run and draw the default experiment once, and compress plotly.js, before the first user."""
    compressed(eager_plotly_script)
    # Plotly uses pandas once Streamlit imports it, and fails if another thread is still doing so.
    import_module("pandas")
    shape = default_shape(DEFAULT_INPUT)
    stage_figure(trace_block(0, standardise(generate(DEFAULT_INPUT, *shape)), shape[2]))
    # A collection of garbage took 150 ms because of the many permanent objects of JAX. Frozen ones
    # are skipped.
    gc.collect()
    gc.freeze()
