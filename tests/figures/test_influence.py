import numpy as np
import pytest

from explorer import trace_block
from explorer.analysis.receptive_field import influence
from explorer.engine.gradients import cotangent_of, split_trace
from explorer.figures.influence import influence_figure
from explorer.figures.two_layouts import ArrangementName
from explorer.inputs import generate


@pytest.mark.parametrize("arrangement", ["wide", "narrow"])
def test_the_map_is_the_logarithm_of_the_influence(arrangement: ArrangementName) -> None:
    trace = trace_block(0, generate("normal", 12, 10, 3, 0), 3)
    row, col, channel = (int(at) for at in np.argwhere(trace["out"] > 0)[50])
    found = influence(split_trace(trace, cotangent_of("pixel", trace, (row, col, channel))))
    figure = influence_figure({"v1": found}, arrangement=arrangement)
    (drawn,) = figure.data
    largest = found.values.max()
    expected = np.maximum(np.log10(found.values / largest), -6)
    np.testing.assert_allclose(drawn.z, expected, atol=1e-5)
    (frame,) = figure.layout.shapes
    assert (frame.y0, frame.x0) == (max(row - 2, 0) - 0.5, max(col - 2, 0) - 0.5)
    assert f"{found.outside:.1%} outside" in figure.layout.annotations[0].text


def test_a_zeroed_pixel_has_no_influence() -> None:
    trace = trace_block(0, generate("normal", 12, 10, 3, 0), 3)
    pixel = tuple(int(at) for at in np.argwhere(trace["add"] < 0)[3])
    split = split_trace(trace, cotangent_of("pixel", trace, pixel))  # type: ignore[arg-type]
    figure = influence_figure({"v1": influence(split)})
    np.testing.assert_array_equal(figure.data[0].z, -6)
    assert "no influence" in figure.layout.annotations[0].text
