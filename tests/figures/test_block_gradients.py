import numpy as np
import pytest

from explorer.errors import InputError
from explorer.figures.block_gradients import BlockGradients, block_gradients_figure
from explorer.figures.theme import THEMES
from explorer.figures.two_layouts import ArrangementName

NORMS = {step: np.array([4.0, 2, 1], np.float32) / (step + 1) for step in (0, 1, 64)}


@pytest.mark.parametrize("arrangement", ["wide", "narrow"])
def test_gradients_are_those_of_the_step_on_axes_of_all_steps(
    arrangement: ArrangementName,
) -> None:
    found = {
        "residual": BlockGradients(3, NORMS),
        "plain": BlockGradients(3, {0: np.full(3, 5e-6, np.float32)}),
    }
    layouts = []
    for step in NORMS:
        figure = block_gradients_figure(found, step, arrangement=arrangement, theme="dark")
        drawn = {trace.name: trace for trace in figure.data}
        np.testing.assert_array_equal(drawn["residual"].y, NORMS[step])
        np.testing.assert_array_equal(drawn["residual"].x, [1, 2, 3])
        assert len(drawn["plain"].y) == (3 if step == 0 else 0)
        assert drawn["residual"].line.color == THEMES["dark"].residual_network
        assert drawn["plain"].line.color == THEMES["dark"].plain_network
        words = {0: "after 0 steps", 1: "after 1 step", 64: "after 64 steps"}[step]
        assert figure.layout.annotations[0].text.endswith(words)
        layouts.append((figure.layout.xaxis, figure.layout.yaxis))
    assert all(layout == layouts[0] for layout in layouts)
    assert layouts[0][1].type == "log"
    assert layouts[0][1].ticktext == ("10⁻⁶", "10⁻⁵", "10⁻⁴", "0.001", "0.01", "0.1", "1", "10")


def test_no_gradients_yet_leave_an_empty_axis() -> None:
    figure = block_gradients_figure({"residual": BlockGradients(8, {})}, 0)
    assert len(figure.data[0].y) == 0
    assert figure.layout.xaxis.range == (0.4, 8.6)
    assert figure.layout.yaxis.ticktext == ("0.01", "0.1", "1")
    with pytest.raises(InputError, match="step must be an integer of at least 0"):
        block_gradients_figure({"residual": BlockGradients(8, {})}, -1)
