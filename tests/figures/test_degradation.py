import pytest

from explorer.errors import InputError
from explorer.figures.degradation import DepthSweep, degradation_figure
from explorer.figures.theme import THEMES
from explorer.figures.two_layouts import ArrangementName


@pytest.mark.parametrize("arrangement", ["wide", "narrow"])
def test_the_final_loss_by_depth_appears_point_by_point(arrangement: ArrangementName) -> None:
    blocks = (3, 8, 16, 27)
    ranges = []
    for known in range(5):
        residual = (0.04, 0.01, 0.007, 0.005)[:known] + (None,) * (4 - known)
        found = {
            "residual": DepthSweep(blocks, residual),
            "plain": DepthSweep(blocks, (None,) * 4),
        }
        figure = degradation_figure(found, arrangement=arrangement, theme="dark")
        drawn = {trace.name: trace for trace in figure.data}
        assert drawn["residual"].x == blocks
        assert drawn["residual"].y == residual
        assert drawn["plain"].y == (None,) * 4
        assert drawn["residual"].line.color == THEMES["dark"].residual_network
        assert drawn["plain"].line.color == THEMES["dark"].plain_network
        assert figure.layout.xaxis.tickvals == blocks
        assert figure.layout.xaxis.ticktext == ("3<br>(8)", "8<br>(18)", "16<br>(34)", "27<br>(56)")
        ranges.append((figure.layout.xaxis.range, figure.layout.yaxis.range))
    assert set(ranges) == {ranges[0]}
    assert drawn["residual"].customdata == (8, 18, 34, 56)


def test_a_sweep_needs_a_loss_for_every_depth() -> None:
    with pytest.raises(InputError, match="each of the 2 depths, got 1"):
        DepthSweep((3, 8), (None,))
