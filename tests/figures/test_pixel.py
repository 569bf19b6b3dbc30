import numpy as np
import plotly.graph_objects as go
import pytest

from explorer import STAGES, BlockTrace, trace_block
from explorer.analysis.pixel import ConvSum, Pixel, explain
from explorer.figures.pixel import arithmetic_figure, equation
from explorer.figures.sheet import format_number
from explorer.inputs import generate


@pytest.fixture(scope="module")
def trace() -> BlockTrace:
    return trace_block(0, generate("normal", 8, 8, 12, 0), 12)


def words(figure: go.Figure) -> str:
    return " ".join(note.text for note in figure.layout.annotations)


@pytest.mark.parametrize("arrangement", ["wide", "narrow"])
@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_ends_in_its_value_and_its_difference(
    trace: BlockTrace, stage: str, arrangement: str
) -> None:
    found = explain(trace, Pixel(stage, 0, 7, 5))
    figure = arithmetic_figure(found, arrangement=arrangement)  # type: ignore[arg-type]
    assert equation(found)[-1] == f"<b>= {format_number(trace[stage][0, 7, 5])}</b>"
    assert all(line in words(figure) for line in equation(found))
    assert f"the block's own value: {format_number(found.traced)}, difference" in words(figure)


def test_a_convolution_shows_the_largest_channels_and_all_contributions(trace: BlockTrace) -> None:
    found = explain(trace, Pixel("conv2", 0, 7, 5))
    assert isinstance(found, ConvSum)
    drawn = {item.name: item for item in arithmetic_figure(found).data}
    first = found.order[0]
    np.testing.assert_array_equal(drawn["× kernel"].z[:, :3], found.kernel[:, :, first])
    np.testing.assert_array_equal(drawn["= product"].z[:, :3], found.products[:, :, first])
    np.testing.assert_array_equal(drawn["contributions"].y, found.contributions[found.order])
    padded = drawn["padding"].z[:, :3] == 1
    np.testing.assert_array_equal(padded, ~found.inside)
    np.testing.assert_array_equal(drawn["padding"].text[:, :3] == "pad", ~found.inside)
    window = drawn["window"].z[:, :3]
    np.testing.assert_array_equal(window[~padded], found.window[:, :, first][~padded])
    assert np.isnan(window[padded]).all()
    assert "5 of 9 cells lie outside" in words(arithmetic_figure(found))


def test_a_norm_says_which_statistics(trace: BlockTrace) -> None:
    batch = arithmetic_figure(explain(trace, Pixel("bn1", 1, 1, 0)))
    assert "this input's batch statistics of conv1" in words(batch)
    running = trace_block(0, trace["x"], 12, use_running_average=True)
    figure = arithmetic_figure(explain(running, Pixel("bn1", 1, 1, 0)))
    assert "the running statistics of conv1" in words(figure)
    assert int(sum(figure.data[0].y)) == 64
