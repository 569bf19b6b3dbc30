"""The figure of a block and a variant."""

import re
from itertools import combinations

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer import VARIANTS, BlockSpec, BlockTrace, trace_block
from explorer.analysis.shared_stages import shared_stages
from explorer.analysis.stage_view import difference_view, stage_views
from explorer.figures.comparison import comparison_layouts
from explorer.figures.panels import panels
from explorer.figures.stage import Part
from explorer.figures.theme import THEMES
from explorer.figures.two_layouts import ArrangementName, TwoLayouts
from explorer.model.variants import FIXES, projection
from tests.helpers import SMALL, noise
from tests.network_drawing import drawn_panels, rectangle_of, rectangles, texts

ARRANGEMENTS: tuple[ArrangementName, ...] = ("wide", "narrow")
RUNNABLE = [name for name in VARIANTS if name not in FIXES]
X = noise(SMALL)


@pytest.fixture(scope="module")
def v1() -> BlockTrace:
    return trace_block(0, X, SMALL[2])


def layouts(reference: BlockTrace, variant: BlockTrace, difference: bool = False) -> TwoLayouts:
    shared = set(shared_stages(reference, variant)) - {"out"}
    hidden = {n for n, panel in panels(reference.spec).items() if panel.stage in shared}
    one, two = stage_views([reference, variant])
    parts = [
        Part(one, "", "v1, the reference", frozenset(hidden)),
        Part(two, "variant ", variant.spec.title),
    ]
    if difference:
        parts.append(Part(difference_view(reference, variant), "difference ", "Difference"))
    return comparison_layouts(*parts, theme="light")


def of(v1: BlockTrace, spec: str | BlockSpec, arrangement: ArrangementName = "wide") -> go.Figure:
    return layouts(v1, trace_block(0, X, SMALL[2], variant=spec)).figure(arrangement)


def maps(figure: go.Figure) -> set[str]:
    return {name for name in drawn_panels(figure) if "zeroed" not in name and "marks" not in name}


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
@pytest.mark.parametrize("name", [*RUNNABLE, projection(6, 2)])
def test_all_of_the_variant_and_what_differs_in_the_reference_are_drawn(
    v1: BlockTrace, name: str | BlockSpec, arrangement: ArrangementName
) -> None:
    variant = trace_block(0, X, SMALL[2], variant=name)
    drawn = drawn_panels(of(v1, name, arrangement))
    shared = shared_stages(v1, variant)
    of_variant = panels(variant.spec)
    expected = {f"variant {each}" for each in of_variant} | {"out"}
    expected |= {stage for stage in v1.stages if stage not in shared}
    assert maps(of(v1, name, arrangement)) == expected
    for panel, each in of_variant.items():
        np.testing.assert_array_equal(drawn[f"variant {panel}"].z, variant[each.stage][:, :, 0])
    np.testing.assert_array_equal(drawn["out"].z, v1["out"][:, :, 0])
    assert len({drawn[each].zmax for each in expected - {"variant x"}}) == 1


@pytest.mark.parametrize("name", [*RUNNABLE, projection(6, 2)])
def test_texts_panels_and_values_lie_apart(v1: BlockTrace, name: str | BlockSpec) -> None:
    for arrangement, spaces in {"wide": (1090, 1240), "narrow": (358, 620)}.items():
        figure = of(v1, name, arrangement)  # type: ignore[arg-type]
        for space in spaces:
            found = [
                each
                for each in rectangles(figure, space)
                if not each.name.startswith("value of ")  # in a line that each title leaves empty
            ]
            met = [(one.name, two.name) for one, two in combinations(found, 2) if one.meets(two)]
            labels = ("residual branch F(x)", "identity path: nothing is computed here")
            assert set(met) <= {labels} if name == "transformer_attention" else met == []


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
@pytest.mark.parametrize("name", ["no_skip", "bn_after_add", "bottleneck", "projection"])
def test_both_outs_stand_side_by_side_and_are_the_largest(
    v1: BlockTrace, name: str, arrangement: ArrangementName
) -> None:
    figure = of(v1, name, arrangement)
    one, two = rectangle_of(figure, "out"), rectangle_of(figure, "variant out")
    assert one[2:] == two[2:]
    assert one[1] < two[0] or two[1] < one[0]
    sizes = {n: (r := rectangle_of(figure, n))[1] - r[0] for n in maps(figure)}
    others = [size for n, size in sizes.items() if n not in ("out", "variant out")]
    assert min(sizes["out"], sizes["variant out"]) > 1.6 * max(others)


def test_the_words_say_what_is_changed(v1: BlockTrace) -> None:
    def words(name: str | BlockSpec) -> str:
        return re.sub("<[^>]*>", " ", texts(of(v1, name)).replace("<br>", " "))

    no_skip, early, smaller = words("no_skip"), words("relu_before_add"), words(projection(6, 2))
    assert no_skip.count("unchanged") == 5
    assert no_skip.count("same") == 5
    assert re.search("add +, removed", no_skip)
    assert re.search("No skip : +out = ReLU", no_skip)
    assert re.search("relu2 +relu2|relu2 +ReLU|relu2 += F", early)
    assert early.count("new") == 1
    assert re.search(r"add +. F\(x\) \+ x +changed|add += F\(x\) \+ x +changed", early)
    assert re.search(r"proj +1×1 conv /2 +4×3×6, new", smaller)
    assert re.search(r"bn2 += F\(x\) +4×3×6", smaller)


@pytest.mark.parametrize("name", ["v1", "no_skip", "projection"])
def test_wires_are_those_of_both_blocks(v1: BlockTrace, name: str) -> None:
    shapes = of(v1, name).layout.shapes
    circles = [each for each in shapes if each.type == "circle"]
    assert len(circles) == 1 + (name != "no_skip")
    teal = [each for each in shapes if each.line.color == THEMES["light"].identity and each.path]
    assert bool(teal)


def test_the_difference_lies_below_both(v1: BlockTrace) -> None:
    other = trace_block(0, X, SMALL[2], variant="projection")
    for arrangement in ARRANGEMENTS:
        figure = layouts(v1, other, difference=True).figure(arrangement)
        names = maps(figure)
        below = [rectangle_of(figure, n)[3] for n in names if n.startswith("difference ")]
        above = [rectangle_of(figure, n)[2] for n in names if not n.startswith("difference ")]
        assert len(below) == 8  # the stages of both
        assert max(below) < min(above)


def test_a_trained_block_with_a_projection_is_the_reference() -> None:
    reference = trace_block(0, X, SMALL[2], variant=projection(6, 2))
    variant = trace_block(0, X, SMALL[2], variant="no_skip")
    for arrangement in ARRANGEMENTS:
        assert {"proj", "bn_proj", "add", "out"} <= maps(
            layouts(reference, variant).figure(arrangement)
        )


def test_a_channel_that_only_the_variant_has_leaves_frames() -> None:
    v1, other = (trace_block(0, X, SMALL[2], variant=each) for each in ("v1", "zero_pad"))
    shared = set(shared_stages(v1, other))
    hidden = frozenset(n for n, panel in panels(v1.spec).items() if panel.stage in shared)
    one, two = stage_views([v1, other], 6)
    figure = comparison_layouts(
        Part(one, "", "v1", hidden), Part(two, "variant ", "Other"), theme="light"
    ).figure()
    assert "out" not in maps(figure)
    assert "variant out" in maps(figure)
    assert "no channel 6" in texts(figure)
