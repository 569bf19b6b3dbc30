import re
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer import VARIANTS, BlockSpec, BlockTrace, trace_block
from explorer.analysis.downsampling import Window
from explorer.analysis.stage_view import difference_view, stage_views, zeroed_map
from explorer.figures.panels import equation, panels
from explorer.figures.stage import Part, stage_figure, stage_layouts
from explorer.figures.theme import BEYOND, THEMES, ThemeName, diverging_scale
from explorer.figures.two_layouts import ArrangementName
from explorer.inputs import generate
from explorer.model.pooling import AvgPool
from explorer.model.variants import FIXES, projection
from tests.helpers import PANELS, SMALL, noise
from tests.network_drawing import font, rectangles

LEGEND = "■ zeroed by"
LABELS = ("residual branch", "identity path", "shortcut with", "no shortcut")


@pytest.fixture(scope="module")
def trace() -> BlockTrace:
    return trace_block(0, generate("zone_plate", 20, 30, 4), 4)


def drawn_panels(figure: go.Figure) -> dict[str, go.Heatmap]:
    return {item.name: item for item in figure.data}


@pytest.mark.parametrize("arrangement", ["wide", "narrow"])
def test_every_panel_shows_its_stage(trace: BlockTrace, arrangement: ArrangementName) -> None:
    figure = stage_figure(trace, channel=1, arrangement=arrangement)
    drawn = drawn_panels(figure)
    assert list(drawn) == [*PANELS, "zeroed"]
    for panel, stage in PANELS.items():
        np.testing.assert_array_equal(drawn[panel].z, trace[stage][:, :, 1])
    np.testing.assert_array_equal(drawn["identity"].z, drawn["x"].z)


def test_zeroed_cells_lie_grey_over_out(trace: BlockTrace) -> None:
    drawn = drawn_panels(stage_figure(trace, channel=2))
    np.testing.assert_array_equal(drawn["zeroed"].z == 1, zeroed_map(trace, 2))
    assert np.isnan(drawn["zeroed"].z[~zeroed_map(trace, 2)]).all()
    assert drawn["zeroed"].xaxis == drawn["out"].xaxis
    assert {colour for _, colour in drawn["zeroed"].colorscale} == {THEMES["light"].zeroed}


def texts(figure: go.Figure) -> str:
    return "\n".join(note.text for note in figure.layout.annotations)


def test_the_caption_counts_what_is_drawn(trace: BlockTrace) -> None:
    text = texts(stage_figure(trace, channel=2))
    assert f"grey: {zeroed_map(trace, 2).mean():.1%} of this map's 600 cells" in text
    assert text.count("20×30×4") == 9


def test_mean_over_channels(trace: BlockTrace) -> None:
    figure = stage_figure(trace, channel=None)
    np.testing.assert_allclose(drawn_panels(figure)["add"].z, trace["add"].mean(axis=2), atol=1e-6)
    assert "in every channel" in texts(figure)


def test_scopes_set_the_limits_and_the_captions(trace: BlockTrace) -> None:
    block, one_map = (drawn_panels(stage_figure(trace, scope=s)) for s in ("block", "map"))
    assert len({block[panel].zmax for panel in PANELS if panel != "x"}) == 1
    assert len({one_map[panel].zmax for panel in PANELS}) > 4
    assert block["bn1"].zmin == -block["bn1"].zmax
    axis = stage_figure(trace).layout.coloraxis  # which colours x and is drawn as the bar
    assert (axis.cmin, axis.cmax) == (block["bn1"].zmin, block["bn1"].zmax)
    limit = one_map["bn1"].zmax / (1 + BEYOND)
    assert f"±{limit:.3g}" in texts(stage_figure(trace, scope="map"))


def test_values_beyond_the_limit_have_a_colour_and_a_count(trace: BlockTrace) -> None:
    figure = stage_figure(trace, channel=0, scope="map")
    limit = drawn_panels(figure)["bn2"].zmax / (1 + BEYOND)
    beyond = int((np.abs(trace["bn2"][:, :, 0]) > limit).sum())
    assert beyond > 0
    assert f"scale ±{limit:.3g}<br>{beyond} beyond" in texts(figure)


@pytest.mark.parametrize("theme", THEMES)
def test_the_scale_ends_in_flat_colours_of_their_own(theme: ThemeName) -> None:
    scale = diverging_scale(THEMES[theme])
    positions = [position for position, _ in scale]
    assert positions == sorted(positions)
    edge = 1 / (1 + BEYOND) / 2
    inner = [position for position, _ in scale[2:-2]]
    assert inner[0] == pytest.approx(0.5 - edge)
    assert inner[-1] == pytest.approx(0.5 + edge)
    assert scale[1][0] < inner[0]
    assert scale[-2][0] > inner[-1]
    assert scale[4] == (0.5, THEMES[theme].zero)


def test_not_finite_values_are_marked() -> None:
    with np.errstate(all="ignore"):
        trace = trace_block(0, np.full((3, 3, 1), 3e38, np.float32), 1)
    names = [item.name for item in stage_figure(trace).data]
    broken = [s for s in trace.stages if not np.isfinite(trace[s]).all()]
    assert broken
    assert all(f"{stage}: marks" in names for stage in broken)


@pytest.mark.parametrize("arrangement", ["wide", "narrow"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (24, 40), (5, 5)])
def test_panels_lie_on_the_page_and_apart(
    shape: tuple[int, int], arrangement: ArrangementName
) -> None:
    figure = stage_figure(
        trace_block(0, generate("normal", *shape, 1, 0), 1),
        arrangement=arrangement,
    )
    expect_apart(figure, len(PANELS))


def expect_apart(figure: go.Figure, count: int) -> None:
    """Each of `count` panels lies on the canvas and none on another."""
    boxes = []
    for axis_number in range(1, count + 1):
        x = figure.layout[f"xaxis{axis_number}"].domain
        y = figure.layout[f"yaxis{axis_number}"].domain
        assert 0 <= x[0] < x[1] <= 1
        assert 0 <= y[0] < y[1] <= 1
        boxes.append((x, y))
    for i, (x, y) in enumerate(boxes):
        for other_x, other_y in boxes[:i]:
            assert x[0] > other_x[1] or other_x[0] > x[1] or y[0] > other_y[1] or other_y[0] > y[1]


@pytest.mark.parametrize("arrangement", ["wide", "narrow"])
@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in FIXES])
def test_every_variant_is_laid_out_from_its_spec(name: str, arrangement: ArrangementName) -> None:
    trace = trace_block(0, noise(SMALL), 4, variant=name)
    figure = stage_figure(trace, channel=None, arrangement=arrangement)
    drawn, spec = drawn_panels(figure), VARIANTS[name]
    expected = panels(spec)
    assert {panel.stage for panel in expected.values()} == set(spec.stages())
    for name, panel in expected.items():
        np.testing.assert_allclose(drawn[name].z, trace[panel.stage].mean(axis=2), atol=1e-6)
        assert f"<b>{panel.name}</b> {panel.what}" in texts(figure).replace("<br>", " ")
    expect_apart(figure, len(expected))
    assert ("identity" in expected) == (spec.identity == "x")
    circles = [shape for shape in figure.layout.shapes if shape.type == "circle"]
    assert len(circles) == (spec.identity is not None)
    assert ("zeroed" in drawn) == (spec.last_relu_input is not None)
    for path in ("branch", "identity"):
        colour = getattr(THEMES["light"], path)
        wires = [shape for shape in figure.layout.shapes if shape.line.color == colour]
        assert bool(wires) == (path != "identity" or spec.identity is not None)


def test_stacked_blocks_share_one_window_and_one_scale(trace: BlockTrace) -> None:
    other = trace_block(0, trace["x"], 4, variant=projection(6, 2))
    one, two = stage_views([trace, other], 1)
    difference = difference_view(trace, other, 1)
    parts = [Part(one), Part(two, "variant ", "Another"), Part(difference, "difference ", "Less")]
    layouts = stage_layouts(parts, theme="light")
    for figure in (layouts.figure("wide"), layouts.figure("narrow")):
        drawn = drawn_panels(figure)
        assert drawn["variant add"].zmax == drawn["add"].zmax != drawn["difference x"].zmax
        np.testing.assert_array_equal(drawn["variant proj"].z, other["proj"][:, :, 1])
        assert (drawn["variant proj"].x0, drawn["variant proj"].dx) == (0.5, 2)
        count = 9 + 10 + 1  # of the difference only x can be compared
        assert {figure.layout[f"xaxis{n}"].matches for n in range(2, count + 1)} == {"x"}
        expect_apart(figure, count)
        assert "<b>Another</b>" in texts(figure)
        assert "shapes differ" in texts(figure)
        lowest = min(figure.layout[f"yaxis{n}"].domain[0] for n in range(1, 10))
        assert lowest > max(figure.layout[f"yaxis{n}"].domain[1] for n in range(10, 20))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("v1", "out = ReLU( F(x) + x )"),
        ("no_skip", "out = ReLU( F(x) )"),
        ("bn_after_add", "out = ReLU( BN( F(x) + x ) )"),
        ("full_preact", "out = F(x) + x"),
        ("projection", "out = ReLU( F(x) + shortcut(x) )"),
    ],
)
def test_the_equation_is_the_specs(name: str, words: str) -> None:
    found = equation(VARIANTS[name], THEMES["light"])
    assert re.sub("<[^>]*>", "", found) == words


def test_all_panels_share_one_window(trace: BlockTrace) -> None:
    layout = stage_figure(trace).layout
    assert {layout[f"xaxis{n}"].matches for n in range(2, 10)} == {"x"}
    assert {layout[f"yaxis{n}"].matches for n in range(2, 10)} == {"y"}
    assert layout.yaxis.range == (19.5, -0.5)  # rows count downwards


def test_large_inputs_are_sent_as_block_means_with_a_caption() -> None:
    trace = trace_block(0, generate("normal", 300, 290, 1, 0), 1)
    figure = stage_figure(trace)
    drawn = drawn_panels(figure)
    assert drawn["conv1"].z.shape == (100, 97)
    assert drawn["conv1"].z[0, 0] == pytest.approx(trace["conv1"][:3, :3, 0].mean(), abs=1e-6)
    assert (drawn["conv1"].x0, drawn["conv1"].dx) == (1, 3)
    assert texts(figure).count("means of 3×3") == 9
    marks = drawn["add: marks"]
    extreme = np.abs(trace["add"][:, :, 0])
    row, col = np.unravel_index(extreme.argmax(), extreme.shape)
    assert (row, col) in set(zip(marks.y, marks.x, strict=True))


def test_a_window_is_drawn_exactly_where_it_lies() -> None:
    trace = trace_block(0, generate("normal", 300, 290, 1, 0), 1)
    figure = stage_figure(trace, window=Window(100, 140, 200, 230))
    drawn = drawn_panels(figure)
    np.testing.assert_array_equal(drawn["bn2"].z, trace["bn2"][100:140, 200:230, 0])
    assert (drawn["bn2"].x0, drawn["bn2"].y0, drawn["bn2"].dx) == (200, 100, 1)
    assert "means of" not in texts(figure)
    assert figure.layout.xaxis.range == (-0.5, 289.5)


def test_titles_of_a_bottleneck_lie_apart_and_leave_a_line_for_the_value() -> None:
    trace = trace_block(0, noise(SMALL), 4, variant="bottleneck")
    figure = stage_figure(trace)
    # Of the canvas in a window of 1280 pixels; text keeps its size.
    scale = 1120 / figure.layout.width
    titles = [note for note in figure.layout.annotations if note.text.startswith("<b>")]
    assert len(titles) == len(panels(trace.spec))
    assert {note.yanchor for note in titles} == {"bottom"}
    assert all(note.yshift >= 12 for note in titles)
    ends: dict[float, float] = {}  # of the title before, by its height
    for note in sorted(titles, key=lambda note: note.x):
        left = note.x * figure.layout.width * scale
        assert left >= ends.get(note.y, 0)
        rows = [re.sub("<[^>]*>", "", row) for row in note.text.split("<br>")]
        ends[note.y] = left + max(font().getlength(row) for row in rows) * note.font.size / 64


@pytest.mark.parametrize("variant", ["v1", "no_skip", "bottleneck", "projection", "full_preact"])
@pytest.mark.parametrize("shape", [(8, 6), (1, 9), (9, 1)])
def test_the_room_for_values_is_empty(variant: str, shape: tuple[int, int]) -> None:
    figure = stage_figure(trace_block(0, noise((*shape, 4)), 4, variant=variant))
    left, right, top, bottom = figure.layout.meta["corner"]
    assert 0 <= left < right <= 1
    assert 0 <= top < bottom <= 1
    for panel in figure.data:
        x = figure.layout[panel.xaxis.replace("x", "xaxis")].domain
        y = figure.layout[panel.yaxis.replace("y", "yaxis")].domain
        assert x[1] <= left or x[0] >= right or y[1] <= 1 - bottom or y[0] >= 1 - top
    for note in figure.layout.annotations:
        assert not (left <= note.x < right and 1 - bottom < note.y < 1 - top), note.text
    assert stage_figure(trace_block(0, noise((8, 6, 4)), 4), arrangement="narrow").layout.meta in (
        None,
        {},
    )


@pytest.mark.parametrize("variant", ["v1", "no_skip", projection(6, 2)])
def test_labels_of_the_paths_lie_between_captions_and_titles(variant: str | BlockSpec) -> None:
    x = noise((24, 24, 4)) ** 3  # with values beyond the limit, which a second line counts
    block = trace_block(0, x, 4, variant=variant)
    layouts: tuple[tuple[ArrangementName, int], ...] = (("wide", 820), ("narrow", 358))
    for arrangement, space in layouts:
        found = list(rectangles(stage_figure(block, scope="map", arrangement=arrangement), space))
        others = [each for each in found if not each.name.startswith(LABELS)]
        labels = [each for each in found if each.name.startswith(LABELS)]
        assert sum(each.name.startswith("scale ") for each in others) >= 7
        assert len(labels) == 2
        assert not [(one.name, two.name) for one in labels for two in others if one.meets(two)]


@pytest.mark.parametrize("theme", THEMES)
def test_the_legend_has_the_colours_of_the_figure(trace: BlockTrace, theme: ThemeName) -> None:
    colours = THEMES[theme]
    (legend,) = (
        line for line in texts(stage_figure(trace, theme=theme)).split("\n") if "■" in line
    )
    signs = re.findall(r"color:(#\w+)'>(.)</span>([^<]*)", legend)
    assert [(colour, sign, words.strip(" ,")) for colour, sign, words in signs] == [
        (colours.zeroed, "■", "zeroed by the last ReLU"),
        (colours.over, "■", "above"),
        (colours.under, "■", "below the scale"),
        (colours.missing, "×", "NaN"),
        (colours.missing, "▲", ""),
        (colours.missing, "▼", "±Inf"),
    ]
    plain = stage_figure(trace_block(0, noise(SMALL), 4, variant="full_preact"), theme=theme)
    assert "zeroed by" not in texts(plain)
    assert "below the scale" in texts(plain)


@pytest.mark.parametrize("pools", [0, 2])
@pytest.mark.parametrize("space", [820, 1120, 358])
@pytest.mark.parametrize("variant", [projection(6, 2), VARIANTS["v1"], VARIANTS["no_skip"]])
def test_the_legend_lies_beside_all_texts_and_the_colour_bar(
    variant: BlockSpec, space: int, pools: int
) -> None:
    if variant.shortcut:
        more = tuple((f"pool{n}", AvgPool(1)) for n in range(pools))
        variant = replace(variant, shortcut=(*more, *variant.shortcut))
    arrangement: ArrangementName = "narrow" if space < 800 else "wide"
    x = noise((24, 24, 4)) ** 3
    figure = stage_figure(
        trace_block(0, x, 4, variant=variant), scope="map", arrangement=arrangement
    )
    found = list(rectangles(figure, space))
    (legend,) = (each for each in found if each.name.startswith(LEGEND))
    assert [each.name for each in found if each is not legend and each.meets(legend)] == []
    bar, height = figure.layout.coloraxis.colorbar, figure.layout.height
    top, bottom = figure.layout.margin.t, figure.layout.margin.b
    inner = (height - top - bottom) * space / figure.layout.width
    bar_bottom = top + (1 - bar.y) * inner
    is_apart = bar.x * space > legend.right or (bar.x + bar.len) * space < legend.left
    assert is_apart or bar_bottom - 30 > legend.bottom or bar_bottom + 20 < legend.top


@pytest.mark.parametrize("pools", [0, 1, 2])
@pytest.mark.parametrize("variant", [projection(6, 2), VARIANTS["v1"], VARIANTS["no_skip"]])
def test_the_colour_bar_lies_beside_all_panels(variant: BlockSpec, pools: int) -> None:
    if variant.shortcut:
        more = tuple((f"pool{n}", AvgPool(1)) for n in range(pools))
        variant = replace(variant, shortcut=(*more, *variant.shortcut))
    figure = stage_figure(trace_block(0, noise((8, 6, 4)), 4, variant=variant))
    bar = figure.layout.coloraxis.colorbar
    height = 30 / figure.layout.height  # with its title
    for panel in figure.data:
        x = figure.layout[panel.xaxis.replace("x", "xaxis")].domain
        y = figure.layout[panel.yaxis.replace("y", "yaxis")].domain
        is_beside = x[1] < bar.x or bar.x + bar.len < x[0]
        assert is_beside or y[1] < bar.y or bar.y + height < y[0], panel.name
