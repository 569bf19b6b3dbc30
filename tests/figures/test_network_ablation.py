import numpy as np
import plotly.graph_objects as go
import pytest

from explorer.figures.network_ablation import network_ablation_figure
from explorer.figures.theme import THEMES
from explorer.figures.two_layouts import ArrangementName
from explorer.records import NetworkAblation


def ablation(blocks: int, seed: int) -> NetworkAblation:
    random = np.random.default_rng(seed)
    counts = np.arange(1, blocks)
    return NetworkAblation(
        float(random.random()),
        random.random(blocks, np.float32),
        random.random(blocks - 1, np.float32),
        counts,
        random.random((counts.size, 20), np.float32),
    )


def lines(figure: go.Figure) -> dict[str, go.Scatter]:
    return {trace.name: trace for trace in figure.data}


@pytest.mark.parametrize("arrangement", ["wide", "narrow"])
@pytest.mark.parametrize("blocks", [2, 6, 27])
def test_accuracies_are_the_record(blocks: int, arrangement: ArrangementName) -> None:
    found = {"residual": ablation(blocks, 0), "plain": ablation(blocks, 1)}
    figure = network_ablation_figure(found, arrangement=arrangement)
    drawn = lines(figure)
    for label, record in found.items():
        deleted, swapped = drawn[f"{label}: deleted"], drawn[f"{label}: swapped"]
        np.testing.assert_array_equal(deleted.y, record.deleted)
        np.testing.assert_array_equal(deleted.x, np.arange(1, blocks + 1))
        np.testing.assert_array_equal(swapped.y, record.swapped)
        np.testing.assert_array_equal(swapped.x, np.arange(1, blocks))
        mean, draws = drawn[f"{label}: random, mean"], drawn[f"{label}: random, every draw"]
        np.testing.assert_array_equal(mean.x, record.counts)
        np.testing.assert_allclose(mean.y, record.random.mean(axis=1))
        np.testing.assert_array_equal(draws.y.reshape(-1, 20), record.random)
        np.testing.assert_array_equal(np.rint(draws.x), draws.customdata)
        assert (deleted.xaxis, swapped.xaxis, mean.xaxis) == ("x", "x2", "x3")
    intact = [trace for trace in figure.data if trace.name == "plain: intact"]
    assert [trace.xaxis for trace in intact] == ["x", "x2", "x3"]
    assert {trace.y for trace in intact} == {(found["plain"].intact,) * 2}
    assert {trace.line.dash for trace in intact} == {"dash"}
    assert figure.layout.xaxis.range == (0.4, blocks + 0.6)
    assert figure.layout.xaxis2.range == figure.layout.xaxis3.range == (0.4, blocks - 0.4)
    accuracy_axes = (figure.layout.yaxis, figure.layout.yaxis2, figure.layout.yaxis3)
    assert {axis.range for axis in accuracy_axes} == {(-0.04, 1.04)}


def test_networks_of_an_ablation_have_the_colours_of_the_theme() -> None:
    for name, theme in THEMES.items():
        found = {"residual": ablation(4, 0), "plain": ablation(4, 1)}
        drawn = lines(network_ablation_figure(found, theme=name))
        for part in ("intact", "deleted", "swapped", "random, mean"):
            assert drawn[f"residual: {part}"].line.color == theme.residual_network
            assert drawn[f"plain: {part}"].line.color == theme.plain_network


@pytest.mark.parametrize("arrangement", ["wide", "narrow"])
def test_an_ablation_without_values_has_its_axes(arrangement: ArrangementName) -> None:
    empty = np.zeros(0, np.float32)
    unknown = NetworkAblation(np.nan, empty, empty, empty, np.zeros((0, 20), np.float32))
    figure = network_ablation_figure({"residual": unknown}, arrangement=arrangement)
    assert all(len(trace.y) == 0 or np.isnan(trace.y).all() for trace in figure.data)
    assert figure.layout.xaxis.range == figure.layout.xaxis3.range == (0.4, 1.6)
    assert "20 draws" in figure.layout.annotations[2].text
