"""The notebook widget, without a browser."""

import json
import subprocess
import sys
from typing import Any

import pytest
import streamlit as st

import explorer
from explorer.errors import InputError
from explorer.export.stage_message import stage_message
from explorer.export.stage_widget import StageWidget
from explorer.figures.theme import THEMES, ThemeName
from explorer.links.stage_link import PanelBlock
from explorer.page import component, stage_panel
from explorer.page.display import DisplaySettings
from tests.helpers import noise

TRACE = explorer.trace_block(0, noise((6, 5, 4)), 4)
OF_PAGE = {"plotly", "module", "view", "controls", "gallery"}  # which only the page has


def messages(widget: StageWidget) -> Any:
    """Return the messages by theme, as packed.js reads them."""
    content = json.loads(widget._messages)

    def whole(part: Any) -> Any:
        if isinstance(part, dict):
            if "array" in part:
                return content["arrays"][part["array"]]
            return {name: whole(value) for name, value in part.items()}
        return [whole(value) for value in part] if isinstance(part, list) else part

    return {theme: whole(of_theme) for theme, (of_theme,) in content["messages"].items()}


def of_page(monkeypatch: pytest.MonkeyPatch, theme: ThemeName, channel: int) -> dict[str, Any]:
    """Return the message of the page's Forward view for the same trace."""
    sent = {}
    monkeypatch.setattr(component, "_COMPONENT", lambda **arguments: sent.update(arguments))
    monkeypatch.setattr(component, "is_stale", lambda: False)
    monkeypatch.setattr(st, "session_state", {})
    display = DisplaySettings(channel, "block", theme, None, None)
    stage_panel.draw("stages", [PanelBlock(TRACE)], display)
    message: dict[str, Any] = json.loads(sent["data"])
    return {name: part for name, part in message.items() if name not in OF_PAGE}


@pytest.mark.parametrize("theme", THEMES)
def test_the_messages_are_those_of_the_page(
    monkeypatch: pytest.MonkeyPatch, theme: ThemeName
) -> None:
    widget = explorer.widget(TRACE, channel=1)
    assert messages(widget)[theme] == of_page(monkeypatch, theme, 1)
    widget.channel = 3
    assert messages(widget)[theme] == of_page(monkeypatch, theme, 3)


def test_pin_and_channel_are_read_set_and_observed() -> None:
    widget = explorer.widget(TRACE, channel=2, pin=("add", 1, 2))
    seen: list[Any] = []
    widget.observe(lambda change: seen.append(change["new"]), ["pin", "channel"])
    assert (widget.channel, widget.pin) == (2, ("add", 1, 2))
    widget.pin = ("x", 5, 4)
    widget.channel = 0
    widget.set_state({"pin": ["conv1", 0, 3]})  # as the browser reports it
    assert widget.pin == ("conv1", 0, 3)
    widget.pin = None
    assert seen == [("x", 5, 4), 0, ("conv1", 0, 3), None]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("channel", 4, "channel must be an integer from 0 to 3, got 4."),
        ("channel", None, "channel must be an integer from 0 to 3, got None."),
        ("pin", "x,1,2", 'pin must be None or (panel, row, column), such as ("x", 0, 0); got'),
        ("pin", ("conv3", 0, 0), "The panel of pin must be one of x, conv1, bn1, relu1, conv2, bn"),
        ("pin", ("x", 6, 0), "The row of pin must be an integer from 0 to 5, got 6."),
        ("pin", ("x", 0, -1), "The column of pin must be an integer from 0 to 4, got -1."),
    ],
)
def test_illegal_values_are_refused_and_change_nothing(name: str, value: Any, words: str) -> None:
    widget = explorer.widget(TRACE, channel=1, pin=("out", 2, 2))
    with pytest.raises(InputError) as raised:
        setattr(widget, name, value)
    assert str(raised.value).startswith(words)
    with pytest.raises(InputError):
        explorer.widget(TRACE, **{name: value})
    assert (widget.channel, widget.pin) == (1, ("out", 2, 2))


def test_the_window_and_a_pin_of_a_large_input_are_exact() -> None:
    large = explorer.trace_block(0, noise((150, 160, 2)), 2)
    widget = explorer.widget(large, pin=("out", 149, 3))
    link = messages(widget)["light"]["link"]
    assert link["exact"]["bn2"] == float(large["bn2"][149, 3, 0])
    widget.pin = ("x", 7, 8)
    assert messages(widget)["dark"]["link"]["exact"]["x"] == float(large["x"][7, 8, 0])
    widget.set_state({"_window": "10,50,20,60,150,160"})
    shown = messages(widget)["light"]
    assert shown["link"]["window"] == "10,50,20,60,150,160"
    assert shown["figure"]["data"][0]["z"]["shape"] == "40, 40"


def test_a_change_of_the_pin_sends_the_pin_alone() -> None:
    widget = explorer.widget(TRACE)
    before = widget._messages
    widget.pin = ("x", 0, 0)
    assert widget._messages is before


def test_values_that_are_not_finite_are_sent_as_json() -> None:
    x = noise((4, 4, 2)).copy()
    x[0, 0, 0] = float("inf")
    trace = explorer.trace_block(0, x, 2)
    assert stage_message(trace, 0, "light")["link"]["rows"] == 4


def test_without_anywidget_the_package_works_and_says_how_to_install_it() -> None:
    code = """
import sys
sys.modules["anywidget"] = None
import explorer, numpy as np
assert "plotly" not in sys.modules
trace = explorer.trace_block(0, np.ones((3, 3, 2), np.float32), 2)
assert explorer.to_script(trace)
try:
    explorer.widget(trace)
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "explorer.widget needs the package anywidget, which is not installed; run: "
        "pip install 'residual-block-explorer[notebook]'\n"
    )
