"""What the server does before the first reader comes."""

from explorer.figures.stage import stage_figure
from explorer.inputs import generate
from explorer.page.experiment import DEFAULT_INPUT, DEFAULT_SHAPE
from explorer.trace import trace_block


def warm_up() -> None:
    """Runs and draws the default experiment once, so that nobody waits for compilers."""
    trace = trace_block(0, generate(DEFAULT_INPUT, *DEFAULT_SHAPE), DEFAULT_SHAPE[2])
    stage_figure(trace)
