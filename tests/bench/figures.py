"""Time to build the stage figure and size of its payload, compared with `make_subplots`."""

from explorer.analysis.stage_view import stage_views
from explorer.engine.forward import trace_block
from explorer.figures.stage import Part, stage_spec
from explorer.inputs import generate
from explorer.linked_figure.payload import as_json
from tests.bench.naive import naive_figure
from tests.bench.table import Row, compared, paired

SHAPES = ((32, 8), (128, 8), (1024, 8))
ROUNDS = 15


def rows() -> list[Row]:
    """Measure the figures' rows of the table."""
    return [row for shape in SHAPES for row in _shape(*shape)]


def _shape(height: int, channels: int) -> list[Row]:
    trace = trace_block(0, generate("normal", height, height, channels, 0), channels)

    def ours() -> str:
        view = stage_views([trace], 1, "block", None)[0]
        return as_json(stage_spec([Part(view)], theme="light", arrangement="wide"))

    def theirs() -> str:
        return str(naive_figure(trace, 1).to_json())

    name = f"{height}×{height}×{channels}"
    times = paired({"ours": ours, "theirs": theirs}, ROUNDS)
    sizes = [len(ours()) / 1000], [len(theirs()) / 1000]
    return [
        compared(
            f"{name}: build the figure", "ms", "make_subplots", times["ours"], times["theirs"]
        ),
        compared(f"{name}: payload", "kB", "make_subplots", *sizes),
    ]
