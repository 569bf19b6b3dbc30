"""The views of the stage figure that the browser asks for."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import streamlit as st

from explorer.engine.forward import trace_block
from explorer.engine.gradients import split_gradient
from explorer.inputs.generate import generate
from explorer.links.stage_link import PanelBlock
from explorer.page import component, stage_panel
from explorer.page.display import DisplaySettings

X = generate("normal", 6, 5, 3)
BLOCK = PanelBlock(trace_block(0, X, 3))
DISPLAY = DisplaySettings(1, "block", "light", None, None)
Draw = Callable[..., dict[str, Any]]


@pytest.fixture
def draw(monkeypatch: pytest.MonkeyPatch) -> Draw:
    """Return the message that a function of the panel sends, where the browser asks for the views
    of a subject."""
    monkeypatch.setattr(component, "is_stale", lambda: False)

    def drawn(draw: Callable[[], None], asked: str = "") -> dict[str, Any]:
        sent: dict[str, Any] = {}
        monkeypatch.setattr(component, "_COMPONENT", lambda **arguments: sent.update(arguments))
        monkeypatch.setattr(st, "session_state", {"stages": {"views": asked}})
        draw()
        message: dict[str, Any] = json.loads(sent["data"])
        return message

    return drawn


def stages(block: PanelBlock = BLOCK, display: DisplaySettings = DISPLAY, **options: Any) -> Any:
    return lambda: stage_panel.draw("stages", [block], display, **options)


def test_the_browser_gets_the_views_it_asks_for(draw: Draw) -> None:
    plain = draw(stages())
    assert "views" not in plain
    assert "views" not in draw(stages(), "another subject")
    message = draw(stages(), plain["view"]["subject"])
    views = message.pop("views")
    assert message == plain
    expected = [
        *(draw(stages(display=replace(DISPLAY, channel=channel))) for channel in (0, 2, None)),
        *(draw(stages(display=replace(DISPLAY, scope=scope))) for scope in ("stage", "map")),
    ]
    assert views == expected


def test_of_many_channels_the_browser_gets_the_nearest(
    draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_panel, "MAX_VIEWS", 4)
    block = PanelBlock(trace_block(0, generate("normal", 3, 3, 12), 12))
    show = stages(block, replace(DISPLAY, channel=7))
    views = draw(show, draw(show)["view"]["subject"])["views"]
    shown = [each["view"]["channel"] for each in views if each["view"]["scope"] == "block"]
    assert shown == [5, 6, 8, None]


def test_the_subject_identifies_what_all_views_show(draw: Draw) -> None:
    def subject(show: Callable[[], None]) -> str:
        return str(draw(show)["view"]["subject"])

    other = PanelBlock(trace_block(0, X + np.float32(1e-6), 3))
    shows = [
        stages(),
        stages(other),
        stages(PanelBlock(BLOCK.trace, heading="other")),
        stages(display=replace(DISPLAY, theme="dark")),
        stages(difference=other),
        stages(click=" and opens it"),
    ]
    assert len({subject(show) for show in shows}) == len(shows)
    same = [stages(display=replace(DISPLAY, channel=2, scope="map")), stages()]
    assert {subject(show) for show in same} == {subject(stages())}


def test_a_figure_whose_views_are_large_or_depend_on_more_has_no_subject(draw: Draw) -> None:
    large = PanelBlock(trace_block(0, generate("normal", 144, 144, 7), 7))
    reduced = PanelBlock(trace_block(0, generate("normal", 145, 2, 3), 3))
    cells = np.ones((6, 5), bool)
    split = split_gradient(0, X, 3, cotangent=np.ones_like(X))

    def gradient(is_of_channel: bool) -> Callable[[], None]:
        return lambda: stage_panel.draw_gradient(
            "stages", split, DISPLAY, is_of_channel=is_of_channel
        )

    for show in (
        stages(large),
        stages(reduced),
        stages(cells=cells),
        stages(report_window=True),
        gradient(is_of_channel=True),
    ):
        assert draw(show)["view"]["subject"] == ""
        assert "views" not in draw(show, "")
    assert draw(gradient(is_of_channel=False))["view"]["subject"]
