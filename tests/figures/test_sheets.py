"""Figures that are sheets of panels: gallery, sum comparison, scatter plot, distributions."""

import numpy as np
import pytest

from explorer import STAGES, BlockTrace, trace_block
from explorer.analysis.distributions import distribution
from explorer.analysis.downsampling import Window
from explorer.analysis.gallery import gallery
from explorer.analysis.sum_comparison import compare_sum
from explorer.figures.distributions import distributions_figure
from explorer.figures.gallery import gallery_figure
from explorer.figures.scatter import scatter_figure
from explorer.figures.sum_comparison import sum_comparison_figure
from explorer.figures.two_layouts import ArrangementName
from explorer.inputs import generate


@pytest.fixture(scope="module")
def trace() -> BlockTrace:
    return trace_block(1, generate("normal", 12, 9, 7, 0), 7)


@pytest.mark.parametrize("arrangement", ["wide", "narrow"])
def test_a_tile_of_the_gallery_is_its_channel(
    trace: BlockTrace, arrangement: ArrangementName
) -> None:
    tiles = gallery(trace, "ratio")
    figure = gallery_figure(trace, tiles, arrangement=arrangement)
    assert [item.name for item in figure.data] == list(STAGES)
    row, col = tiles.tile_of(4)
    sheet = figure.data[5].z
    np.testing.assert_array_equal(
        sheet[row * 13 : row * 13 + 12, col * 10 : col * 10 + 9], trace["bn2"][:, :, 4]
    )
    # Tile (r, c) spans c − 0.5 … c + 0.5 of the axis, its gap included.
    assert figure.data[5].x0 + 10 * figure.data[5].dx == pytest.approx(0.5 + 0.05)


def test_the_two_maps_of_the_sum_comparison(trace: BlockTrace) -> None:
    found = compare_sum(trace, 2)
    figure = sum_comparison_figure(found)
    np.testing.assert_array_equal(figure.data[0].z, found.identity_part)
    np.testing.assert_array_equal(figure.data[1].z, found.category)
    text = figure.layout.annotations[1].text
    for name, count in zip(found.categories, found.counts, strict=True):
        assert f"{name} {count / 108:.0%}" in text


def test_the_scatter_plot_has_a_point_for_every_cell_and_a_density_for_many(
    trace: BlockTrace,
) -> None:
    found = compare_sum(trace, 0)
    figure = scatter_figure(found, pin=(3, 4), window=Window(0, 2, 0, 3))
    cells, in_view, pinned = figure.data
    np.testing.assert_array_equal(cells.x, trace["x"][:, :, 0].ravel())
    np.testing.assert_array_equal(cells.y, trace["bn2"][:, :, 0].ravel())
    assert in_view.x.size == 6
    assert (pinned.x[0], pinned.y[0]) == (trace["x"][3, 4, 0], trace["bn2"][3, 4, 0])
    many = compare_sum(trace_block(0, generate("normal", 100, 100, 1, 0), 1), 0)
    density = scatter_figure(many).data[0]
    assert density.type == "heatmap"
    assert np.nansum(10**density.z) == pytest.approx(10_000, rel=1e-4)


def test_distributions_name_mean_std_and_zeroed_fraction(trace: BlockTrace) -> None:
    found = {stage: distribution(trace, stage) for stage in STAGES}
    figure = distributions_figure(found)
    assert [item.name for item in figure.data] == list(STAGES)
    out = figure.layout.annotations[7].text
    assert f"{(trace['add'] < 0).mean():.0%} zeroed" in out
    assert f"mean {trace['out'].mean():.3f} · std {trace['out'].std():.3f}" in out
