"""What the server does before the first reader comes."""

import gc

from explorer.engine.forward import trace_block
from explorer.figures.stage import stage_figure
from explorer.inputs import generate
from explorer.page.experiment import DEFAULT_INPUT, DEFAULT_SHAPE
from explorer.server.assets import packed_script


def warm_up() -> None:
    """Runs and draws the default experiment once, so that nobody waits for compilers, and packs
    the script that draws it."""
    packed_script()
    trace = trace_block(0, generate(DEFAULT_INPUT, *DEFAULT_SHAPE), DEFAULT_SHAPE[2])
    stage_figure(trace)
    # Streamlit collects garbage after every rerun, and JAX leaves so many lasting
    # objects that this took 150 ms each time. Frozen, they are not looked at again.
    gc.collect()
    gc.freeze()
