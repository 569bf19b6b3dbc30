from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer import VARIANTS, BlockSpec
from explorer.engine.ablation import ablate
from explorer.engine.paths import path_lengths
from explorer.engine.propagation import propagate
from explorer.engine.stack import Stack
from explorer.figures.depth import (
    SUBTITLES,
    ablation_figure,
    curves_figure,
    paths_figure,
)
from explorer.figures.theme import THEMES
from explorer.figures.two_layouts import ArrangementName
from explorer.model.variants import V1
from explorer.records import DepthRecord
from tests.helpers import SMALL, noise

X = noise(SMALL)


@pytest.fixture(scope="module")
def records() -> tuple[DepthRecord, DepthRecord]:
    residual, plain_network = (
        propagate(0, X, 4, depth=20, seeds=2, variant=name) for name in ("v1", "no_skip")
    )
    return residual, plain_network


def lines(figure: go.Figure) -> dict[str, go.Scatter]:
    return {trace.name: trace for trace in figure.data}


@pytest.mark.parametrize("arrangement", ["wide", "narrow"])
def test_every_curve_is_the_median_and_the_range(
    records: tuple[DepthRecord, DepthRecord], arrangement: ArrangementName
) -> None:
    drawn = lines(curves_figure(*records, arrangement=arrangement))
    for stack, record in zip(("residual", "plain"), records, strict=True):
        for name in SUBTITLES:
            values = record.curves[name]
            if np.isnan(values).all():
                assert f"{stack}: {name}" not in drawn
                continue
            np.testing.assert_array_equal(drawn[f"{stack}: {name}"].y, np.median(values, axis=0))
            area = drawn[f"{stack}: {name}, range"]
            np.testing.assert_array_equal(area.y[:20], values.max(axis=0))
            np.testing.assert_array_equal(area.y[20:][::-1], values.min(axis=0))


def test_published_trends_are_drawn_where_they_belong(
    records: tuple[DepthRecord, DepthRecord],
) -> None:
    figure = curves_figure(*records)
    drawn = lines(figure)
    np.testing.assert_allclose(drawn["trend 1/(l+1)"].y, 1 / np.arange(2.0, 22.0))
    assert drawn["trend 1/(l+1)"].xaxis == drawn["residual: branch share"].xaxis
    np.testing.assert_allclose(drawn["trend 1/√L"].y, np.arange(20.0, 0, -1) ** -0.5)
    assert drawn["trend 1/√L"].xaxis == drawn["plain: gradient correlation"].xaxis
    np.testing.assert_allclose(drawn["trend 4⁻ᴸ"].y, 4.0 ** -np.arange(20.0, 0, -1))
    assert {drawn[name].line.dash for name in drawn if "trend" in name} == {"dash"}
    assert "dashed: published trend" in figure.layout.annotations[-1].text


@pytest.mark.parametrize(
    ("variant", "trends"),
    [
        (V1, {"trend 1/(l+1)", "trend 1/√L", "trend 4⁻ᴸ"}),
        (replace(V1, after=()), {"trend 1/(l+1)", "trend 1/√L", "trend 2⁻ᴸ"}),
        (VARIANTS["no_bn"], {"trend 4⁻ᴸ"}),
        (VARIANTS["transformer_mlp"], set()),
    ],
)
def test_only_the_trends_of_the_stack_are_drawn(
    records: tuple[DepthRecord, DepthRecord], variant: BlockSpec, trends: set[str]
) -> None:
    residual, plain_network = (replace(record, spec=variant) for record in records)
    figure = curves_figure(residual, plain_network)
    assert {name for name in lines(figure) if "trend" in name} == trends
    assert ("dashed" in figure.layout.annotations[-1].text) == bool(trends)


def test_an_axis_is_logarithmic_where_values_span_decades(
    records: tuple[DepthRecord, DepthRecord],
) -> None:
    figure = curves_figure(*records)
    assert figure.layout.yaxis1.type == "log"
    assert figure.layout.yaxis2.type is None
    grown = {**records[0].curves, "std": records[0].curves["std"] * np.geomspace(1, 1e6, 20)}
    assert curves_figure(replace(records[0], curves=grown), records[1]).layout.yaxis4.type == "log"


def test_networks_have_colours_other_than_those_of_the_paths(
    records: tuple[DepthRecord, DepthRecord],
) -> None:
    for name, theme in THEMES.items():
        figure = curves_figure(*records, theme=name)
        drawn = lines(figure)
        assert drawn["residual: std"].line.color == theme.residual_network
        assert drawn["plain: std"].line.color == theme.plain_network
        of_paths = {theme.branch, theme.identity, theme.trunk}
        assert not of_paths & {item.line.color for item in figure.data}
        assert theme.plain_network in figure.layout.annotations[-1].text


def test_ablations_and_paths_are_drawn_unchanged() -> None:
    stack = Stack.from_seed(0, 4, 5)
    residual, plain_network = (
        ablate(of, X, kind="swap") for of in (stack, stack.without_shortcut())
    )
    figure = ablation_figure(residual, plain_network)
    drawn = lines(figure)
    np.testing.assert_array_equal(drawn["residual"].y, residual.change)
    np.testing.assert_array_equal(drawn["plain"].x, [1, 2, 3, 4])
    assert "by index of the block swapped with the next" in figure.layout.annotations[0].text
    found = path_lengths(Stack.from_seed(0, 4, 6), X, samples=4)
    drawn = lines(paths_figure(found, arrangement="narrow"))
    np.testing.assert_array_equal(drawn["one path"].y, found.norm)
    np.testing.assert_array_equal(drawn["one path"].error_y.array, found.error)
    np.testing.assert_array_equal(drawn["paths"].y, found.paths)
    assert sum(drawn["all paths of a length"].y) == pytest.approx(1)
