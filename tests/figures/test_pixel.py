from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer import STAGES, VARIANTS, BlockTrace, trace_block
from explorer.analysis.pixel import AttentionSum, Cell, WeightedSum, explain
from explorer.figures.pixel import arithmetic_figure, equation
from explorer.figures.sheet import format_number
from explorer.inputs import generate
from explorer.model.layers import ReLU
from explorer.model.pooling import AvgPool, MaxPool
from explorer.model.variants import FIXES, V1
from tests.helpers import SMALL, noise


@pytest.fixture(scope="module")
def trace() -> BlockTrace:
    return trace_block(0, generate("normal", 8, 8, 12, 0), 12)


def words(figure: go.Figure) -> str:
    return " ".join(note.text for note in figure.layout.annotations).replace("<br>", " ")


@pytest.mark.parametrize("arrangement", ["wide", "narrow"])
@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_ends_in_its_value_and_its_difference(
    trace: BlockTrace, stage: str, arrangement: str
) -> None:
    found = explain(trace, Cell(stage, 0, 7, 5))
    figure = arithmetic_figure(found, arrangement=arrangement)  # type: ignore[arg-type]
    assert equation(found)[-1].startswith(f"<b>= {format_number(trace[stage][0, 7, 5])}</b>")
    assert all(line in words(figure) for line in equation(found))
    assert f"traced value: {format_number(found.traced)}, difference" in words(figure)


def test_a_convolution_shows_the_largest_channels_and_all_contributions(trace: BlockTrace) -> None:
    found = explain(trace, Cell("conv2", 0, 7, 5))
    assert isinstance(found, WeightedSum)
    drawn = {item.name: item for item in arithmetic_figure(found).data}
    first = found.order[0]
    np.testing.assert_array_equal(drawn["× kernel"].z[:, :3], found.kernel[:, :, first])
    np.testing.assert_array_equal(drawn["= product"].z[:, :3], found.products[:, :, first])
    np.testing.assert_array_equal(drawn["contributions"].y, found.contributions[found.order])
    padded = drawn["padding"].z[:, :3] == 1
    np.testing.assert_array_equal(padded, ~found.inside)
    words_of_padding = drawn["padding in figures"]
    assert set(words_of_padding.text) == {"pad"}
    assert (~found.inside)[words_of_padding.y[0], words_of_padding.x[0]]
    window = drawn["window"].z[:, :3]
    np.testing.assert_array_equal(window[~padded], found.window[:, :, first][~padded])
    assert np.isnan(window[padded]).all()
    assert "5 of 9 cells lie outside" in words(arithmetic_figure(found))


def test_a_norm_names_its_statistics(trace: BlockTrace) -> None:
    batch = arithmetic_figure(explain(trace, Cell("bn1", 1, 1, 0)))
    assert "the batch statistics of conv1" in words(batch)
    running = trace_block(0, trace["x"], 12, use_running_average=True)
    figure = arithmetic_figure(explain(running, Cell("bn1", 1, 1, 0)))
    assert "the running statistics of conv1" in words(figure)
    assert int(sum(figure.data[0].y)) == 64


@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in FIXES])
def test_every_stage_of_every_variant_is_drawn(name: str) -> None:
    variant = trace_block(0, noise(SMALL), 4, variant=name)
    for stage in variant.stages:
        found = explain(variant, Cell(stage, 1, 2, 0))
        figure = arithmetic_figure(found)
        assert f"<b>= {format_number(found.value)}</b>" in words(figure), stage
        assert f"<b>{stage}</b>[1, 2]" in words(figure)


def test_pooling_prints_the_cells_that_count_and_says_where_there_are_fewer() -> None:
    spec = replace(
        V1, shortcut=None, after=(("relu2", ReLU()), ("pool", MaxPool()), ("out", AvgPool()))
    )
    pooled = trace_block(0, noise((5, 5, 2)), 2, variant=spec)
    largest = explain(pooled, Cell("pool", 0, 1, 1))
    six = ", ".join(format_number(v) for v in pooled["relu2"][:2, 1:4, 1].ravel())
    assert equation(largest)[1:] == (
        f"= max over 6 cells of relu2 = max({six})",
        f"<b>= {format_number(pooled['pool'][0, 1, 1])}</b>",
    )
    assert "3 of 9 cells lie outside relu2 and do not count" in words(arithmetic_figure(largest))
    mean = explain(pooled, Cell("out", 1, 0, 1))
    two = ", ".join(format_number(v) for v in pooled["pool"][2, :2, 1])
    assert f"= mean over 2 cells of pool = mean({two})" in words(arithmetic_figure(mean))
    assert "(rounded)" in equation(mean)[-1]


def test_attention_shows_the_weight_and_value_of_every_pixel() -> None:
    x = generate("normal", 8, 8, 12, 0)
    found = explain(
        trace_block(0, x, 12, variant="transformer_attention"), Cell("attention", 1, 2, 0)
    )
    assert isinstance(found, AttentionSum)
    weights, values, products = arithmetic_figure(found).data
    np.testing.assert_array_equal(weights.z, found.weights)
    np.testing.assert_array_equal(values.z, found.values)
    np.testing.assert_array_equal(products.z, found.products)


def test_the_curve_of_an_activation_passes_through_its_point() -> None:
    x = generate("normal", 8, 8, 12, 0)
    for name, stage in (("transformer_mlp", "gelu"), ("v1", "relu1")):
        found = explain(trace_block(0, x, 12, variant=name), Cell(stage, 1, 2, 0))
        curve, point = arithmetic_figure(found).data
        assert np.interp(point.x[0], curve.x, curve.y) == pytest.approx(point.y[0], abs=1e-3)
