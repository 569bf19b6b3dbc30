import warnings
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer import VARIANTS, BlockSpec, InputError
from explorer.engine.propagation import propagate
from explorer.figures.depth import (
    LARGE,
    SUBTITLES,
    curve_names,
    curve_panels,
    curves_figure,
    curves_layouts,
)
from explorer.figures.theme import THEMES
from explorer.figures.two_layouts import ArrangementName
from explorer.linked_figure.payload import as_json
from explorer.model.variants import V1
from explorer.records import DepthRecord
from tests.helpers import SMALL, noise, strict_json

X = noise(SMALL)


@pytest.fixture(scope="module")
def records() -> tuple[DepthRecord, DepthRecord]:
    residual, plain_network = (
        propagate(0, X, 4, depth=20, seeds=2, variant=name) for name in ("v1", "no_skip")
    )
    return residual, plain_network


def lines(figure: go.Figure) -> dict[str, go.Scatter]:
    return {trace.name: trace for trace in figure.data}


@pytest.mark.parametrize("curve", SUBTITLES)
def test_a_curve_is_drawn_as_median_and_range_and_all_as_small_medians(
    records: tuple[DepthRecord, DepthRecord], curve: str
) -> None:
    figure = curves_figure(*records, curve)
    drawn = lines(figure)
    panels = curve_panels(records[0].spec, curve)
    assert list(panels) == [LARGE, *SUBTITLES]
    for row, record in enumerate(records):
        values = record.curves[curve]
        area = drawn[f"{panels[LARGE][row]}, range"]
        np.testing.assert_array_equal(area.y[:20], values.max(axis=0))
        np.testing.assert_array_equal(area.y[20:][::-1], values.min(axis=0))
        for panel, traces in panels.items():
            name = curve if panel == LARGE else panel
            expected = np.median(record.curves[name], axis=0)
            np.testing.assert_array_equal(drawn[traces[row]].y, expected)
            assert (drawn[traces[row]].xaxis == "x") == (panel == LARGE)
    assert figure.layout.annotations[-1].text.startswith(f"<b>{curve}</b>")
    framed = [name for name in curve_names(V1) if f"<b>{name}</b>" in title_texts(figure)]
    assert framed == [curve]


def title_texts(figure: go.Figure) -> list[str]:
    return [note.text for note in figure.layout.annotations]


@pytest.mark.parametrize("arrangement", ["wide", "narrow"])
def test_charts_do_not_overlap_and_the_large_one_is_the_largest(
    records: tuple[DepthRecord, DepthRecord], arrangement: ArrangementName
) -> None:
    layout = curves_figure(*records, arrangement=arrangement).layout
    boxes = [(*layout[f"xaxis{n}"].domain, *layout[f"yaxis{n}"].domain) for n in ("", *range(2, 8))]
    for index, (left, right, low, high) in enumerate(boxes):
        assert 0 <= left < right <= 1
        assert 0 <= low < high <= 1
        for other in boxes[:index]:
            apart = right <= other[0] or left >= other[1] or high <= other[2] or low >= other[3]
            assert apart
    areas = [(right - left) * (high - low) for left, right, low, high in boxes]
    assert areas[0] > 3 * max(areas[1:])


def test_published_trends_are_drawn_where_they_belong(
    records: tuple[DepthRecord, DepthRecord],
) -> None:
    shares = lines(curves_figure(*records, "branch share"))
    np.testing.assert_allclose(shares["trend 1/(l+1)"].y, 1 / np.arange(2.0, 22.0))
    figure = curves_figure(*records, "gradient correlation")
    drawn = lines(figure)
    np.testing.assert_allclose(drawn["trend 1/√L"].y, np.arange(20.0, 0, -1) ** -0.5)
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
    found: set[str] = set()
    for curve in curve_names(variant):
        figure = curves_figure(residual, plain_network, curve)
        drawn = {name for name in lines(figure) if "trend" in name}
        assert ("dashed" in figure.layout.annotations[-1].text) == bool(drawn)
        found |= drawn
    assert found == trends


def test_a_stack_without_a_last_relu_has_no_curve_of_zeros(
    records: tuple[DepthRecord, DepthRecord],
) -> None:
    residual, plain_network = (replace(record, spec=replace(V1, after=())) for record in records)
    assert "zeros" not in curve_panels(residual.spec, "std")
    with pytest.raises(InputError, match=r"curve must be one of gradient norm, .*; got 'zeros'"):
        curves_figure(residual, plain_network, "zeros")


def test_an_axis_is_logarithmic_where_values_span_decades(
    records: tuple[DepthRecord, DepthRecord],
) -> None:
    figure = curves_figure(*records)
    assert figure.layout.yaxis.type == figure.layout.yaxis2.type == "log"
    assert figure.layout.yaxis3.type is None
    low, high = figure.layout.yaxis.range
    values = np.concatenate([record.curves["gradient norm"] for record in records])
    assert 10**low < values.min()
    assert values.max() < 10**high
    grown = {**records[0].curves, "std": records[0].curves["std"] * np.geomspace(1, 1e6, 20)}
    figure = curves_figure(replace(records[0], curves=grown), records[1], "std")
    assert figure.layout.yaxis.type == "log"


@pytest.mark.parametrize(
    ("residual", "plain", "labels"),
    [
        (
            [4.0, 2.0, 1.0],
            [4.0, 2.0, 3.0],
            {"residual": (3, 1.0, "top"), "plain": (3, 3.0, "bottom")},
        ),
        (
            [1.0, 10.0, 1000.0],
            [1.0, 10.0, 0.0],
            {"residual": (3, 3.0, "bottom"), "plain": (2, 1.0, "top")},
        ),
        ([1.0, 2.0, np.nan], [np.nan] * 3, {"residual": (2, 2.0, "top")}),
        ([np.inf] * 3, [0.0] * 3, {"plain": (3, 0.0, "top")}),
        ([np.nan] * 3, [np.nan] * 3, {}),
    ],
)
def test_a_label_stands_at_the_end_of_each_curve_as_far_as_it_is_drawn(
    residual: list[float], plain: list[float], labels: dict[str, tuple[float, float, str]]
) -> None:
    both = []
    for values in (residual, plain):
        curves = {name: np.array([values]) for name in SUBTITLES}
        both.append(DepthRecord(V1, curves, np.zeros((3, *SMALL)), ()))
    figure = curves_figure(both[0], both[1])
    found = {
        note.text: (note.x, note.y, note.yanchor)
        for note in figure.layout.annotations
        if note.xref == "x"
    }
    assert found == labels
    has_zeros_left_out = figure.layout.yaxis.type == "log" and 0 in plain
    assert ("zeros are not drawn" in figure.layout.annotations[-1].text) == has_zeros_left_out
    strict_json(as_json(curves_layouts(both[0], both[1], theme="light").spec()).encode())


@pytest.mark.parametrize("depth", [1, 2])
def test_short_stacks_are_drawn_with_markers(depth: int) -> None:
    record = propagate(0, X, 4, depth=depth)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = curves_figure(record, record)
    drawn = lines(figure)
    assert drawn["residual: gradient norm"].mode == "lines+markers"
    low, high = figure.layout.xaxis.range
    assert low < 1 <= depth < high
    assert "one run" in figure.layout.annotations[-1].text


def test_networks_have_colours_other_than_those_of_the_paths(
    records: tuple[DepthRecord, DepthRecord],
) -> None:
    for name, theme in THEMES.items():
        figure = curves_figure(*records, "std", theme=name)
        drawn = lines(figure)
        assert drawn["residual: std"].line.color == theme.residual_network
        assert drawn["plain: std"].line.color == theme.plain_network
        of_paths = {theme.branch, theme.identity, theme.trunk}
        assert not of_paths & {item.line.color for item in figure.data}
        assert theme.plain_network in figure.layout.annotations[-1].text
