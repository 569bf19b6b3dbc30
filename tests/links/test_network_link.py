from dataclasses import asdict, replace

import pytest

from explorer import VARIANTS
from explorer.analysis.network_difference import network_difference
from explorer.figures.network import network_layouts
from explorer.figures.theme import THEMES
from explorer.linked_figure.payload import PanelPixel, PinLink, RoundedTerm, ValueTerm, as_json
from explorer.links.network_link import network_link, panel_blocks
from explorer.model.variants import V1
from tests.helpers import (
    network_trace,
    noise,
    staged_network,
    strict_json,
)


def words(link: PinLink, panel: str) -> list[str]:
    ((*terms,),) = link.readouts[panel]
    return [getattr(term, "text", "") for term in terms]


def test_every_panel_is_a_trace_of_the_figure_and_names_its_block() -> None:
    trace = network_trace(V1, 3)
    blocks = panel_blocks(trace)
    drawn = [item["name"] for item in network_layouts(trace, channel=0, theme="light").data]
    assert list(blocks) == drawn[: len(blocks)]
    assert blocks["stem"] is None
    assert [blocks[f"block{n} {of}"] for n in (1, 3) for of in ("F(x)", "out")] == [
        "block1",
        "block1",
        "block3",
        "block3",
    ]
    link = network_link(trace, channel=0, theme="light")
    assert link.panels == tuple(blocks)
    assert link.readouts.keys() == blocks.keys()
    strict_json(as_json(asdict(link)).encode())


@pytest.mark.parametrize(
    ("variant", "channel", "expected"),
    [
        ("v1", 0, ["block2:", "out of block1", "+", "F(x)", "→ ReLU →", "out"]),
        (
            "v1",
            None,
            [
                "block2:",
                "mean out of block1",
                "+",
                "mean F(x)",
                "· ReLU before the mean:",
                "mean out",
            ],
        ),
        ("full_preact", 0, ["block2:", "out of block1", "+", "F(x)", "=", "out", "(rounded)"]),
        ("no_skip", 0, ["block2:", "out of block1", "·", "F(x)", "→ ReLU →", "out"]),
        ("scaled_skip", 0, ["block2:", "out of block1", "·", "F(x)", "→ ReLU →", "out"]),
    ],
)
def test_the_readout_is_of_the_block_pointed_at(
    variant: str, channel: int | None, expected: list[str]
) -> None:
    trace = network_trace(VARIANTS[variant], 3)
    link = network_link(trace, channel=channel, theme="light")
    for panel in ("block2 F(x)", "block2 out"):
        assert words(link, panel) == expected
    assert words(link, "block1 out")[1].endswith("stem")
    ((_, x, _, residual, _, out, *_),) = link.readouts["block2 out"]
    panels = [each.panel for each in (x, residual, out) if isinstance(each, ValueTerm)]
    assert panels == ["block1 out", "block2 F(x)", "block2 out"]
    colours = [each.colour for each in (x, residual) if isinstance(each, ValueTerm)]
    stream = THEMES["light"].text if variant == "no_skip" else THEMES["light"].identity
    assert colours == [stream, THEMES["light"].branch]


def test_a_sum_without_a_relu_is_said_to_be_rounded_where_it_is() -> None:
    link = network_link(network_trace(VARIANTS["full_preact"], 3), channel=0, theme="light")
    ((*_, last),) = link.readouts["block3 out"]
    assert last == RoundedTerm(("block2 out", "block3 F(x)"), "block3 out", "(rounded)")


def test_the_readout_of_a_difference_adds_nothing_up() -> None:
    one, other = (staged_network(seed).trace(noise((12, 10, 1))) for seed in (0, 1))
    trace = network_difference(one, other).trace
    link = network_link(trace, channel=None, theme="light", is_difference=True)
    assert words(link, "layer2.0 out") == [
        "layer2.0:",
        "mean out of layer1.0",
        "·",
        "mean F(x)",
        "·",
        "mean out",
    ]
    assert link.title == "Difference, mean over channels"
    assert link.panels == network_link(one, channel=None, theme="light").panels
    assert link.grids == network_link(one, channel=None, theme="light").grids


def test_a_large_picture_has_the_exact_values_of_the_pinned_pixel() -> None:
    trace = network_trace(V1, 1, (150, 3))
    pin = PanelPixel("block1 out", 149, 1)
    for channel in (None, 2):
        found = network_link(trace, channel=channel, theme="light", pin=pin).exact or {}
        pixel = trace["block1"]["bn2"][149, 1]
        expected = pixel.mean() if channel is None else pixel[channel]
        assert found["block1 F(x)"] == pytest.approx(float(expected))
        assert found.keys() == panel_blocks(trace).keys()
    assert network_link(trace, channel=0, theme="light").exact is None
    small = network_link(network_trace(V1, 1), channel=0, theme="light", pin=replace(pin, row=1))
    assert small.exact is None


def test_panels_of_a_block_with_stride_are_linked_by_their_grids() -> None:
    trace = staged_network().trace(noise((9, 7, 1)))
    link = network_link(trace, channel=0, theme="light")
    assert (link.rows, link.cols) == (9, 7)
    assert link.grids == {
        f"{name} {of}": (0, 2) for name in ("layer2.0", "layer3.0") for of in ("F(x)", "out")
    }
    assert words(link, "layer2.0 out")[:3] == ["layer2.0:", "out of layer1.0", "·"]


def test_the_exact_values_of_a_pinned_pixel_of_a_large_picture() -> None:
    trace = staged_network().trace(noise((150, 9, 1)))
    pin = PanelPixel("layer3.0 out", 148, 5)
    link = network_link(trace, channel=2, theme="light", pin=pin)
    assert link.exact is not None
    assert link.exact["stem"] == trace.stream["stem"][148, 5, 2]
    assert link.exact["layer3.0 out"] == trace["layer3.0"]["out"][74, 2, 2]
