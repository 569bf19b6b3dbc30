"""The network figure of a network of several stages."""

import re
from collections.abc import Iterable
from functools import cache

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer import Network
from explorer.figures.network import network_figure
from explorer.figures.two_layouts import ArrangementName
from explorer.model.network import NetworkSpec
from explorer.model.variants import V1, projection
from explorer.model.weights import Model
from explorer.records import NetworkTrace
from tests.helpers import network_trace, noise, staged_network
from tests.network_drawing import (
    ARRANGEMENTS,
    circles,
    drawn_panels,
    expect_apart,
    lines,
    position_on,
    rectangle_of,
    shape,
)


def test_a_block_with_stride_interrupts_the_stream_and_says_its_shape() -> None:
    trace = staged_network().trace(noise((9, 7, 1)))
    figure = network_figure(trace)
    drawn = drawn_panels(figure)
    out = drawn["layer2.0 out"]
    np.testing.assert_array_equal(out.z, trace["layer2.0"]["out"].mean(axis=2))
    assert (out.x0, out.dx, out.y0, out.dy) == (0.5, 2, 0.5, 2)
    assert len([shape for shape in figure.layout.shapes if shape.name == "shortcut"]) == 1
    assert "1×1 conv /2" in [note.text for note in figure.layout.annotations]
    assert headings(figure) == {"layer1": "9×7×4", "layer2": "5×4×8", "layer3": "5×4×8"}
    assert headings(network_figure(network_trace(V1, 3))) == {}


def headings(figure: go.Figure) -> dict[str, str]:
    """Return the shapes of the stages by their names."""
    found = [
        re.fullmatch(r"<b>([\w.]+)</b> ([\d×]+)", note.text) for note in figure.layout.annotations
    ]
    return {match[1]: match[2] for match in found if match}


STAGES = {
    "ResNet-18": (2, 2, 2, 2),
    "ResNet-50": (3, 4, 6, 3),
    "one stage": (5,),
    "long stages": (2, 13, 1),
    "ResNet-110": (18, 18, 18),
}


@cache
def staged_trace(blocks: tuple[int, ...], names: str = "layer{}.{}") -> NetworkTrace:
    """Return the trace of a network whose stages have so many blocks and 8, 12, 16 … channels."""
    width, models = 4, {}
    for stage, count in enumerate(blocks, start=1):
        for index in range(count):
            spec = V1 if index else projection(width + 4, 2 if stage > 1 else 1)
            models[names.format(stage, index)] = Model.from_seed(0, width, spec)
            width += 0 if index else 4
    network = Network(
        stem=Model.from_seed(0, 1, NetworkSpec(V1, 0, width=4, channels=1, classes=3).stem),
        models=models,
        final=None,
        head={"kernel": np.ones((width, 3), np.float32), "bias": np.zeros(3, np.float32)},
        provenance=("staged",),
    )
    return network.trace(noise((16, 14, 1)))


def rows_of(figure: go.Figure, blocks: Iterable[str]) -> list[list[str]]:
    """Return the blocks of every row from top to bottom, in the order of the stream."""
    tops: dict[float, list[str]] = {}
    for name in blocks:
        tops.setdefault(rectangle_of(figure, f"{name} out")[3], []).append(name)
    return [tops[top] for top in sorted(tops, reverse=True)]


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
@pytest.mark.parametrize("blocks", STAGES.values(), ids=STAGES)
def test_every_stage_begins_a_row_under_its_name_and_shape(
    blocks: tuple[int, ...], arrangement: ArrangementName
) -> None:
    trace = staged_trace(blocks)
    figure = network_figure(trace, arrangement=arrangement)
    rows = rows_of(figure, trace.blocks)
    assert [name for row in rows for name in row] == list(trace.blocks)
    assert all(len({name.split(".")[0] for name in row}) == 1 for row in rows)
    most = 4 if arrangement == "narrow" else 6 if sum(blocks) < 35 else 10
    assert max(map(len, rows)) <= most
    for stage, count in enumerate(blocks, start=1):
        places = count + (stage == 1) + (stage == len(blocks))  # with stem and head
        length = sum(row[0].startswith(f"layer{stage}.") for row in rows)
        assert length == -(-places // most)
    assert headings(figure) == {
        f"layer{stage}": "×".join(map(str, trace[f"layer{stage}.0"]["out"].shape))
        for stage in range(1, len(blocks) + 1)
    }
    for number, row in enumerate(rows):
        lefts = [rectangle_of(figure, f"{name} out")[0] for name in row]
        assert lefts == sorted(lefts, reverse=bool(number % 2))
    for note in figure.layout.annotations:
        if match := re.match(r"<b>(layer\d+)</b> ", note.text):
            left, right, _, top = rectangle_of(figure, f"{match[1]}.0 F(x)")
            assert note.x == pytest.approx({"left": left, "right": right}[note.xanchor], abs=1e-4)
            assert note.y > top


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
@pytest.mark.parametrize("blocks", STAGES.values(), ids=STAGES)
def test_the_stream_of_stages_is_one_line_that_only_projections_interrupt(
    blocks: tuple[int, ...], arrangement: ArrangementName
) -> None:
    figure = network_figure(staged_trace(blocks), arrangement=arrangement)
    (line,) = lines(shape(figure, "residual stream").path)
    at = [position_on(line, point) for point in circles(figure)]
    assert len(at) == sum(blocks)
    assert at == sorted(at)
    boxes = [each for each in figure.layout.shapes if each.name == "shortcut"]
    assert len(boxes) == len(blocks)
    for box in boxes:
        position_on(line, ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2))


@pytest.mark.parametrize("names", ["layer{}.{}", "stages.{}.layers.{}"])
@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
@pytest.mark.parametrize("blocks", STAGES.values(), ids=STAGES)
def test_thumbnails_and_texts_of_stages_lie_on_the_page_and_apart(
    blocks: tuple[int, ...], arrangement: ArrangementName, names: str
) -> None:
    figure = network_figure(staged_trace(blocks, names), arrangement=arrangement, scope="map")
    expect_apart(figure, arrangement)
    assert next(iter(headings(figure))) == ("layer1" if "layer{}" in names else "stages.1")
