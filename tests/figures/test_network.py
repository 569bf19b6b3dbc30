import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import combinations, pairwise
from types import MappingProxyType

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import ImageFont

from explorer import VARIANTS, BlockSpec
from explorer.analysis.colour_limits import Scope
from explorer.analysis.stage_view import zeroed_map
from explorer.figures.network import network_figure, network_layouts
from explorer.figures.theme import BEYOND, THEMES, ThemeName
from explorer.figures.two_layouts import ArrangementName
from explorer.model.variants import V1
from explorer.records import NetworkTrace
from tests.helpers import network_trace, noise, staged_network

PLAIN = VARIANTS["no_skip"]
ARRANGEMENTS: tuple[ArrangementName, ...] = ("wide", "narrow")
# Widths on the page, in pixels: the wide layout is drawn from 800 on, the narrow one on phones.
SPACES = {"wide": (800, 1000, 1600), "narrow": (300, 358, 620)}
Point = tuple[float, float]


@dataclass(frozen=True)
class Rectangle:
    """A rectangle in pixels of the page; y points downwards."""

    name: str
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Rectangle") -> bool:
        apart = self.right <= other.left or other.right <= self.left
        return not (apart or self.bottom <= other.top or other.bottom <= self.top)


def drawn_panels(figure: go.Figure) -> dict[str, go.Heatmap]:
    return {item.name: item for item in figure.data}


def shape(figure: go.Figure, name: str) -> go.layout.Shape:
    (found,) = (each for each in figure.layout.shapes if each.name == name)
    return found


def circles(figure: go.Figure) -> list[Point]:
    """Return the centres of ⊕, in paper coordinates."""
    found = [each for each in figure.layout.shapes if each.type == "circle"]
    return [((each.x0 + each.x1) / 2, (each.y0 + each.y1) / 2) for each in found]


def lines(path: str) -> list[np.ndarray]:
    """Return the points of each connected line of a path; a corner as its control point."""
    return [
        np.array(re.findall(r"-?\d+\.\d+", line), float).reshape(-1, 2)
        for line in path.split("M")[1:]
    ]


def rectangle_of(figure: go.Figure, name: str) -> tuple[float, float, float, float]:
    """Return left, right, bottom and top of a panel, in paper coordinates."""
    trace = drawn_panels(figure)[name]
    x = figure.layout[trace.xaxis.replace("x", "xaxis")].domain
    y = figure.layout[trace.yaxis.replace("y", "yaxis")].domain
    return (*x, *y)


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
@pytest.mark.parametrize("spec", [V1, PLAIN])
def test_thumbnails_are_the_trace(spec: BlockSpec, arrangement: ArrangementName) -> None:
    trace = network_trace(spec, 3)
    names = [f"block{n} {what}" for n in (1, 2, 3) for what in ("F(x)", "out")]
    for channel in (None, 2):

        def of(array: np.ndarray, channel: int | None = channel) -> np.ndarray:
            return array.mean(axis=2) if channel is None else array[:, :, channel]

        drawn = drawn_panels(network_figure(trace, channel=channel, arrangement=arrangement))
        assert list(drawn)[:7] == ["stem", *names]
        np.testing.assert_array_equal(drawn["stem"].z, of(trace.stream["stem"]))
        for name, block in trace.blocks.items():
            np.testing.assert_array_equal(drawn[f"{name} F(x)"].z, of(block["bn2"]))
            np.testing.assert_array_equal(drawn[f"{name} out"].z, of(trace.stream[name]))


def test_zeroed_cells_lie_grey_over_the_stream() -> None:
    trace = network_trace(V1, 3)
    drawn = drawn_panels(network_figure(trace, channel=1))
    for name, block in trace.blocks.items():
        grey = drawn[f"{name} out: zeroed"]
        np.testing.assert_array_equal(grey.z == 1, zeroed_map(block, 1))
        assert grey.xaxis == drawn[f"{name} out"].xaxis
        assert {colour for _, colour in grey.colorscale} == {THEMES["light"].zeroed}


def test_all_panels_show_the_same_pixels() -> None:
    layout = network_figure(network_trace(V1, 3)).layout
    assert {layout[f"xaxis{n}"].matches for n in range(2, 8)} == {"x"}
    assert {layout[f"yaxis{n}"].matches for n in range(2, 8)} == {"y"}
    assert (layout.xaxis.range, layout.yaxis.range) == ((-0.5, 5.5), (7.5, -0.5))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
@pytest.mark.parametrize("blocks", [1, 3, 27])
def test_the_residual_stream_is_one_thick_line_through_every_sum(
    blocks: int, arrangement: ArrangementName, theme: ThemeName
) -> None:
    trace = network_trace(V1, blocks)
    figure = network_figure(trace, theme=theme, arrangement=arrangement)
    stream = shape(figure, "residual stream")
    assert stream.line.color == THEMES[theme].identity
    others = [each.line.width for each in figure.layout.shapes if each is not stream]
    assert stream.line.width > 2 * max(width for width in others if width is not None)
    (line,) = lines(stream.path)
    sums = circles(figure)
    assert len(sums) == blocks
    at = [position_on(line, point) for point in sums]
    assert at == sorted(at)
    assert all(each > 0 for each in at)


def position_on(line: np.ndarray, point: Point) -> float:
    """Return how far along a line a point on it lies."""
    passed = 0.0
    for start, end in pairwise(line):
        along, off = end - start, np.array(point) - start
        length = float(np.hypot(*along))
        if length == 0:
            continue
        share = float(off @ along) / length**2
        if 0 <= share <= 1 and np.hypot(*(off - share * along)) < 1e-4:
            return passed + share * length
        passed += length
    raise AssertionError(f"{point} is not on the line")


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
@pytest.mark.parametrize("blocks", [3, 27])
def test_a_plain_network_has_arrows_from_block_to_block_and_no_stream(
    blocks: int, arrangement: ArrangementName
) -> None:
    figure, theme = network_figure(network_trace(PLAIN, blocks), arrangement=arrangement), THEMES
    colours = {each.line.color for each in figure.layout.shapes}
    colours |= {each.fillcolor for each in figure.layout.shapes}
    assert theme["light"].identity not in colours
    assert "residual stream" not in {each.name for each in figure.layout.shapes}
    assert circles(figure) == []
    links = shape(figure, "links")
    assert links.line.color == theme["light"].trunk
    assert links.line.width < 2
    assert len(lines(links.path)) == blocks + 1
    assert theme["light"].identity not in {
        figure.layout[f"xaxis{n}"].linecolor for n in range(1, 2 * blocks + 2)
    }


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
@pytest.mark.parametrize(("spec", "blocks"), [(V1, 3), (V1, 27), (PLAIN, 27)])
def test_each_block_is_a_loop_that_passes_through_its_residual(
    spec: BlockSpec, blocks: int, arrangement: ArrangementName, theme: ThemeName
) -> None:
    trace = network_trace(spec, blocks)
    figure = network_figure(trace, theme=theme, arrangement=arrangement)
    loops = [each for each in figure.layout.shapes if (each.name or "").startswith("loop of ")]
    assert [each.name.removeprefix("loop of ") for each in loops] == list(trace.blocks)
    for loop, name in zip(loops, trace.blocks, strict=True):
        assert loop.line.color == THEMES[theme].branch
        rise, fall = lines(loop.path)
        left, right, bottom, top = rectangle_of(figure, f"{name} F(x)")
        for end in (rise[-1], fall[0]):
            assert end[0] == pytest.approx(left, abs=1e-4) or end[0] == pytest.approx(
                right, abs=1e-4
            )
            assert end[1] == pytest.approx((bottom + top) / 2, abs=1e-4)
        level = rise[0][1]
        assert fall[-1][1] == pytest.approx(level, abs=1e-5)  # it begins and ends on the line
        assert rectangle_of(figure, f"{name} out")[3] < level < bottom
        axis = drawn_panels(figure)[f"{name} F(x)"].xaxis.replace("x", "xaxis")
        assert figure.layout[axis].linecolor == THEMES[theme].branch


def test_bars_are_as_long_as_the_ratios() -> None:
    trace = network_trace(V1, 8)
    ratios = [
        np.linalg.norm(block["bn2"]) / np.linalg.norm(block["x"]) for block in trace.blocks.values()
    ]
    figure, full = network_figure(trace), max(1, *ratios)
    bars, tracks = (
        np.array([np.ptp(line[:, 0]) for line in lines(shape(figure, name).path)])
        for name in ("bars: ‖F‖/‖x‖", "bars: whole length")
    )
    np.testing.assert_allclose(bars / tracks, np.array(ratios) / full, atol=1e-3)
    assert f"from 0 to {full:.3g}" in texts(figure)


def texts(figure: go.Figure) -> str:
    return "\n".join(note.text for note in figure.layout.annotations)


def test_each_block_has_its_numbers() -> None:
    trace = network_trace(V1, 3)
    text = re.sub("<span[^>]*>|</span>", "", texts(network_figure(trace)))
    for name, block in trace.blocks.items():
        ratio = np.linalg.norm(block["bn2"]) / np.linalg.norm(block["x"])
        dead = sum(not block["out"][:, :, channel].any() for channel in range(4))
        zeroed = (block["add"] < 0).mean()
        numbers = f"‖F‖/‖x‖ {ratio:.2f}<br>zeroed {zeroed:.0%}<br>dead {dead} of 4"
        assert f"<b>{name}</b>\n{numbers}" in text


def test_without_a_last_relu_only_the_ratio_is_stated() -> None:
    text = texts(network_figure(network_trace(VARIANTS["full_preact"], 3)))
    assert "‖F‖/‖x‖" in text
    assert "zeroed" not in text
    assert "dead" not in text


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
def test_layers_of_a_shortcut_interrupt_the_stream(arrangement: ArrangementName) -> None:
    figure = network_figure(network_trace(VARIANTS["scaled_skip"], 3), arrangement=arrangement)
    (line,) = lines(shape(figure, "residual stream").path)
    boxes = [each for each in figure.layout.shapes if each.name == "shortcut"]
    assert len(boxes) == 3
    assert texts(figure).count("× 0.5") == 3
    for box in boxes:
        assert box.fillcolor == THEMES["light"].page
        position_on(line, ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2))
    assert not any(
        each.name == "shortcut" for each in network_figure(network_trace(V1, 3)).layout.shapes
    )


@pytest.mark.parametrize("scope", ["block", "stage", "map"])
def test_a_scope_sets_the_limits_and_says_so(scope: Scope) -> None:
    trace = network_trace(V1, 3)
    figure = network_figure(trace, channel=0, scope=scope)
    drawn = drawn_panels(figure)
    limits = {name: drawn[name].zmax / (1 + BEYOND) for name in list(drawn)[:7]}
    assert len({round(limit, 6) for limit in limits.values()}) == {"block": 1, "stage": 2}.get(
        scope, 7
    )
    axis = figure.layout.coloraxis  # which colours the stem's thumbnail and is drawn as the bar
    assert axis.cmax == drawn["stem"].zmax == -axis.cmin
    if scope == "block":
        assert axis.colorbar.ticktext[2] == f"{limits['stem']:.3g}"
    if scope == "stage":
        assert f"F(x) ±{limits['block2 F(x)']:.3g}, out ±{limits['stem']:.3g}" in texts(figure)
    if scope == "map":
        assert f"F(x) ±{limits['block2 F(x)']:.2g}<br>out ±{limits['block2 out']:.2g}" in texts(
            figure
        )


@cache
def font() -> ImageFont.FreeTypeFont:
    """Return the page's font in 64 pixels, semi-bold."""
    folder = files("streamlit") / "static" / "static" / "media"
    (path,) = (each for each in folder.iterdir() if each.name.startswith("SourceSansVF-Upright"))
    found = ImageFont.truetype(str(path), 64)
    found.set_variation_by_axes([600])
    return found


def rectangles(figure: go.Figure, space: float) -> Iterator[Rectangle]:
    """Yield panels, texts and values over panels as they lie on a page of this width.

    The browser scales what is inside the margins, and no text.
    """
    layout = figure.layout
    width, margin = layout.width, layout.margin
    high = (layout.height - margin.t - margin.b) * space / width

    def on_page(x: float, y: float) -> Point:
        return x * space, margin.t + (1 - y) * high

    for name in (item.name for item in figure.data if "zeroed" not in item.name):
        x0, x1, y0, y1 = rectangle_of(figure, name)
        (left, top), (right, bottom) = on_page(x0, y1), on_page(x1, y0)
        yield Rectangle(name, left, top, right, bottom)
        yield Rectangle(f"value of {name}", max(left, right - 36), top - 14, right, top - 4)
    for note in layout.annotations:
        x, y = on_page(note.x, note.y)
        rows = [re.sub("<[^>]*>", "", row) for row in note.text.split("<br>")]
        is_note = ["font-size:11px" in row for row in note.text.split("<br>")]
        sizes = [11 if small else note.font.size for small in is_note]
        wide = max(font().getlength(row) * size for row, size in zip(rows, sizes, strict=True)) / 64
        tall = 1.3 * note.font.size * (len(rows) - 1) + note.font.size
        anchor = {"left": 0, "center": wide / 2, "right": wide}[note.xanchor]
        left = x + (note.xshift or 0) - anchor
        top = y - (note.yshift or 0) - {"top": 0, "middle": tall / 2, "bottom": tall}[note.yanchor]
        yield Rectangle(rows[0], left, top, left + wide, top + tall)
        assert note.font.size >= 11


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
@pytest.mark.parametrize("blocks", [1, 2, 3, 8, 9, 27, 54])
def test_thumbnails_and_texts_lie_on_the_page_and_apart(
    blocks: int, arrangement: ArrangementName
) -> None:
    trace = network_trace(V1, blocks)
    figure = network_figure(trace, arrangement=arrangement)
    for space in SPACES[arrangement]:
        found = list(rectangles(figure, space))
        height = figure.layout.height * max(1, space / figure.layout.width)
        for each in found:
            assert 0 <= each.left < each.right <= space, (space, each)
            assert 0 <= each.top < each.bottom <= height, (space, each)
        met = [(one.name, two.name) for one, two in combinations(found, 2) if one.meets(two)]
        assert met == [], space


@pytest.mark.parametrize(
    ("arrangement", "blocks", "places"),
    [("wide", 27, 10), ("wide", 54, 10), ("narrow", 3, 3), ("narrow", 27, 4), ("narrow", 54, 4)],
)
def test_rows_hold_no_more_than_their_places(
    arrangement: ArrangementName, blocks: int, places: int
) -> None:
    figure = network_figure(network_trace(V1, blocks), arrangement=arrangement)
    tops = [rectangle_of(figure, f"block{n} out")[3] for n in range(1, blocks + 1)]
    rows = [tops.count(top) for top in sorted(set(tops), reverse=True)]
    assert rows[0] == places - 1  # the stem's place
    assert max(rows) <= places
    levels = np.array(sorted(set(tops), reverse=True))
    np.testing.assert_allclose(np.diff(levels), np.diff(levels)[:1].repeat(len(levels) - 1))


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
def test_every_other_row_runs_from_right_to_left(arrangement: ArrangementName) -> None:
    figure = network_figure(network_trace(V1, 27), arrangement=arrangement)
    places = [rectangle_of(figure, f"block{n} out") for n in range(1, 28)]
    rows = sorted({place[3] for place in places}, reverse=True)
    for row, top in enumerate(rows):
        lefts = [place[0] for place in places if place[3] == top]
        assert lefts == sorted(lefts, reverse=bool(row % 2))


def test_few_blocks_have_large_thumbnails() -> None:
    def side(blocks: int) -> float:
        layouts = network_layouts(network_trace(V1, blocks), channel=None, theme="light")
        x = layouts.wide["xaxis1"]["domain"]
        return float(layouts.wide["width"] * (x[1] - x[0]))

    assert side(3) > 2 * side(27)
    assert side(54) == pytest.approx(side(27), rel=0.1)


def test_pictures_that_are_not_square_keep_their_shape() -> None:
    figure = network_figure(network_trace(V1, 3, (4, 12)))
    width, margin = figure.layout.width, figure.layout.margin
    height = figure.layout.height - margin.t - margin.b
    for name in ("stem", "block2 F(x)", "block3 out"):
        x0, x1, y0, y1 = rectangle_of(figure, name)
        assert (x1 - x0) * width == pytest.approx(3 * (y1 - y0) * height, rel=0.01)


def test_values_that_are_not_finite_are_marked(overflowing: NetworkTrace) -> None:
    drawn = drawn_panels(network_figure(overflowing))
    assert list(drawn["block1 F(x): marks"].x) == [2]
    assert list(drawn["block1 F(x): marks"].y) == [1]


@pytest.fixture
def overflowing() -> NetworkTrace:
    trace = network_trace(V1, 3)
    bn2 = trace["block1"]["bn2"].copy()
    bn2[1, 2] = np.inf
    stages = MappingProxyType({**trace["block1"].stages, "bn2": bn2})
    block = replace(trace["block1"], stages=stages)
    return replace(trace, blocks=MappingProxyType({**trace.blocks, "block1": block}))


def test_a_block_with_stride_interrupts_the_stream_and_says_its_shape() -> None:
    trace = staged_network().trace(noise((9, 7, 1)))
    figure = network_figure(trace)
    drawn = drawn_panels(figure)
    out = drawn["layer2.0 out"]
    np.testing.assert_array_equal(out.z, trace["layer2.0"]["out"].mean(axis=2))
    assert (out.x0, out.dx, out.y0, out.dy) == (0.5, 2, 0.5, 2)
    assert len([shape for shape in figure.layout.shapes if shape.name == "shortcut"]) == 1
    texts = [annotation.text for annotation in figure.layout.annotations]
    assert "1×1 conv /2" in texts
    assert [text.split("<br>")[-1] for text in texts if "dead" in text] == [
        "9×7×4",
        "5×4×8",
        "5×4×8",
    ]
    assert not any(
        "8×6×4" in each.text for each in network_figure(network_trace(V1, 3)).layout.annotations
    )
