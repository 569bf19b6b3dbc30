"""The network figure of a difference: maps, numbers, and texts that lie apart."""

import re

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer import VARIANTS
from explorer.analysis.colour_limits import Scope
from explorer.analysis.network_difference import NetworkDifference, network_difference
from explorer.engine.network import Network
from explorer.errors import InputError
from explorer.figures.network import network_difference_layouts
from explorer.figures.theme import BEYOND
from explorer.figures.two_layouts import ArrangementName
from explorer.model.network import NetworkSpec
from explorer.model.variants import V1
from tests.helpers import network_trace, noise, staged_network
from tests.network_drawing import (
    ARRANGEMENTS,
    drawn_panels,
    expect_apart,
    lines,
    shape,
    texts,
)

PICTURE = noise((12, 10, 1))


def staged() -> NetworkDifference:
    return network_difference(*(staged_network(seed).trace(PICTURE) for seed in (0, 1)))


def uniform(blocks: int) -> NetworkDifference:
    spec = NetworkSpec(V1, blocks, width=4, channels=1, classes=3)
    other = Network.from_seed(1, spec).trace(noise((8, 6, 1)))
    return network_difference(network_trace(V1, blocks), other)


def figure(
    difference: NetworkDifference,
    channel: int | None = None,
    scope: Scope = "block",
    arrangement: ArrangementName = "wide",
) -> go.Figure:
    layouts = network_difference_layouts(difference, channel=channel, scope=scope, theme="light")
    return layouts.figure(arrangement)


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
@pytest.mark.parametrize("channel", [None, 2])
def test_thumbnails_are_the_difference(channel: int | None, arrangement: ArrangementName) -> None:
    one, other = (staged_network(seed).trace(PICTURE) for seed in (0, 1))
    drawn = drawn_panels(figure(staged(), channel, arrangement=arrangement))
    for name, block in one.blocks.items():
        for panel, stage in (("F(x)", "bn2"), ("out", "out")):
            gap = other[name][stage] - block[stage]
            expected = gap.mean(axis=2) if channel is None else gap[:, :, channel]
            np.testing.assert_allclose(drawn[f"{name} {panel}"].z, expected, atol=1e-6)
    assert not any("zeroed" in name for name in drawn)


@pytest.mark.parametrize("scope", ["block", "stage", "map"])
def test_colours_are_symmetric_and_shared_by_scope(scope: Scope) -> None:
    found = figure(uniform(3), channel=0, scope=scope)
    drawn = drawn_panels(found)
    limits = {round(each.zmax / (1 + BEYOND), 6) for each in drawn.values() if each.zmax}
    assert len(limits) == {"block": 1, "stage": 2}.get(scope, 7)
    assert all(each.zmax == -each.zmin for each in drawn.values() if each.zmax)


def test_numbers_and_bars_are_shares_of_the_reference() -> None:
    one, other = (staged_network(seed).trace(PICTURE) for seed in (0, 1))
    found = figure(staged())
    text = re.sub("<span[^>]*>|</span>", "", texts(found))
    assert "Difference</b>: other − reference" in text
    shares = []
    for name, block in one.blocks.items():
        branch, stream = (
            np.linalg.norm(other[name][stage] - block[stage]) / np.linalg.norm(block[stage])
            for stage in ("bn2", "out")
        )
        assert f"<b>{name}</b>\nΔF {branch:.2f}<br>Δout {stream:.2f}" in text
        shares.append(branch)
    full = max(1, *shares)
    bars, tracks = (
        np.array([np.ptp(line[:, 0]) for line in lines(shape(found, name).path)])
        for name in ("bars: ‖F‖/‖x‖", "bars: whole length")
    )
    np.testing.assert_allclose(bars / tracks, np.array(shares) / full, atol=1e-3)
    assert "zeroed" not in text


def test_no_difference_is_said_to_be_0() -> None:
    trace = network_trace(V1, 3)
    found = figure(network_difference(trace, trace))
    assert texts(found).count("Δout 0.00") == 3
    assert not any(np.any(each.z) for each in drawn_panels(found).values())


def test_small_differences_are_not_rounded_to_0() -> None:
    network = staged_network()
    nearly = network.trace(PICTURE * np.float32(1.0001))
    found = figure(network_difference(network.trace(PICTURE), nearly))
    assert re.search(r"Δout \de-0\d", texts(found))


def test_a_plain_reference_has_no_stream() -> None:
    plain, residual = (network_trace(VARIANTS[name], 3) for name in ("no_skip", "v1"))
    found = figure(network_difference(plain, residual))
    assert "residual stream" not in texts(found)
    assert not any(each.name == "residual stream" for each in found.layout.shapes)


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
@pytest.mark.parametrize(
    ("blocks", "scope"),
    [(1, "block"), (3, "block"), (8, "block"), (27, "block"), (3, "map"), (8, "map")],
)
def test_thumbnails_and_texts_lie_on_the_page_and_apart(
    blocks: int, scope: Scope, arrangement: ArrangementName
) -> None:
    found = figure(uniform(blocks), scope=scope, arrangement=arrangement)
    expect_apart(found, arrangement)


def test_a_channel_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="channel must be an integer"):
        network_difference_layouts(staged(), channel=4, theme="light")
    with pytest.raises(InputError, match="NetworkDifference"):
        network_difference_layouts(network_trace(V1, 1), channel=0, theme="light")  # type: ignore[arg-type]
