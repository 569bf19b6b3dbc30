"""The notebook widget's module in a bare page, with a model between it and `StageWidget`."""

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

import explorer
from explorer.export.stage_widget import StageWidget
from explorer.figures.theme import THEMES
from tests.browser.page import (
    PATIENCE,
    centre,
    readout,
    wait_for_figure,
    wait_for_panel,
    wait_for_theme,
)
from tests.helpers import noise

ADDRESS = "http://notebook.test"
HTML = """<!doctype html>
<style>:root { color-scheme: light dark }</style>
<main class="st-key-stages"></main>
<script type="module">
  import widget from "/widget.js";
  window.Plotly = "the notebook's";
  const listeners = {};
  window.model = {
    state: {},
    changed: {},
    get(name) { return this.state[name]; },
    set(name, value) { this.receive({ [name]: value }); this.changed[name] = value; },
    save_changes() {},
    on(name, callback) { (listeners[name] ??= new Set()).add(callback); },
    off(name, callback) { listeners[name].delete(callback); },
    receive(state) {
      Object.assign(this.state, state);
      for (const name in state) for (const each of listeners[`change:${name}`] ?? []) each();
    },
    count: () => Object.values(listeners).reduce((sum, each) => sum + each.size, 0),
  };
  window.render = () => widget.render({ model, el: document.querySelector("main") });
</script>"""
TRACE = explorer.trace_block(0, noise((8, 6, 4)), 4)


def sent(widget: StageWidget) -> dict[str, Any]:
    """Return the traits that the browser has besides plotly.js."""
    names = "pin", "channel", "_last_channel", "_window", "_messages"
    return {name: getattr(widget, name) for name in names}


def push(page: Page, widget: StageWidget) -> None:
    """Let the browser's model have what Python's has."""
    page.evaluate("state => model.receive(state)", sent(widget))


def pull(page: Page, widget: StageWidget, name: str) -> None:
    """Wait until the browser has changed a trait, and let Python's model have it."""
    page.wait_for_function("name => name in model.changed", arg=name)
    widget.set_state(page.evaluate("model.changed"))
    page.evaluate("model.changed = {}")


def values(row: int, col: int, channel: int) -> dict[str, float]:
    """Return what the readout shows of a pixel."""
    stages = "x", "bn2", "add", "out"
    return {stage: float(TRACE[stage][row, col, channel]) for stage in stages}


@pytest.fixture
def widget() -> StageWidget:
    return explorer.widget(TRACE)


@pytest.fixture
def page(browser: Browser, widget: StageWidget) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1100, "height": 800})
    page.set_default_timeout(PATIENCE)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    bodies = {f"{ADDRESS}/": HTML, f"{ADDRESS}/widget.js": str(widget._esm)}
    page.route(
        f"{ADDRESS}/**",
        lambda route: route.fulfill(
            body=bodies.get(route.request.url, ""),
            content_type="text/javascript" if route.request.url.endswith(".js") else "text/html",
        ),
    )
    page.goto(f"{ADDRESS}/")
    page.add_style_tag(content=str(widget._css))
    page.evaluate(
        """([state, plotly]) => {
          const bytes = Uint8Array.from(atob(plotly), (character) => character.charCodeAt(0));
          model.receive({ ...state, _plotly: new DataView(bytes.buffer) });
          window.end = render();
        }""",
        [sent(widget), base64.b64encode(widget._plotly).decode()],
    )
    wait_for_figure(page)
    yield page
    page.close()
    assert errors == []


def test_hover_pin_keys_and_channel(page: Page, widget: StageWidget) -> None:
    page.mouse.move(*centre(page, "conv1", 2, 3))
    assert readout(page) == values(2, 3, 0)
    page.mouse.click(*centre(page, "add", 4, 1))
    pull(page, widget, "pin")
    assert widget.pin == ("add", 4, 1)
    page.keyboard.press("ArrowRight")
    pull(page, widget, "pin")
    assert widget.pin == ("add", 4, 2)
    page.get_by_role("spinbutton", name="Channel").fill("3")
    pull(page, widget, "channel")
    assert widget.channel == 3
    push(page, widget)
    expect(page.locator(".linked-figure-readout")).to_contain_text("row 4, column 2 · Channel 3")
    assert readout(page) == values(4, 2, 3)


def test_python_sets_pin_and_channel_and_the_reader_goes_on(
    page: Page, widget: StageWidget
) -> None:
    page.mouse.click(*centre(page, "x", 0, 0))
    pull(page, widget, "pin")
    page.mouse.move(0, 0)
    widget.pin, widget.channel = ("out", 7, 5), 2
    push(page, widget)
    shown = page.locator(".linked-figure-readout")
    expect(shown).to_contain_text("pinned row 7, column 5 · Channel 2")
    expect(page.get_by_role("spinbutton", name="Channel")).to_have_value("2")
    assert readout(page) == values(7, 5, 2)
    page.locator(".linked-figure").focus()
    page.keyboard.press("PageUp")
    pull(page, widget, "channel")
    page.keyboard.press("ArrowUp")
    pull(page, widget, "pin")
    assert (widget.pin, widget.channel) == (("out", 6, 5), 1)
    page.keyboard.press("Escape")
    pull(page, widget, "pin")
    assert widget.pin is None


def test_the_figure_has_the_theme_of_the_notebook(page: Page) -> None:
    wait_for_theme(page, "light")
    page.emulate_media(color_scheme="dark")  # the system's, which this page follows
    wait_for_theme(page, "dark")
    background = "getComputedStyle(document.querySelector('.linked-figure-widget-page'))"
    colour = page.evaluate(f"{background}.backgroundColor")
    red, green, blue = bytes.fromhex(THEMES["dark"].page[1:])
    assert colour == f"rgb({red}, {green}, {blue})"
    page.evaluate("document.body.style.color = 'black'")  # a notebook's own
    wait_for_theme(page, "light")


def test_what_comes_while_the_figure_is_hidden_is_drawn(page: Page, widget: StageWidget) -> None:
    widget.channel = 2
    page.evaluate(
        """async (state) => {
            const main = document.querySelector("main");
            main.style.display = "none";
            model.receive(state);
            for (let turn = 0; turn < 50; turn += 1) await null;
            main.style.display = ""; // before the next frame
        }""",
        sent(widget),
    )
    wait_for_panel(page, "conv1", TRACE["conv1"][:, :, 2])


def test_a_view_leaves_what_is_the_notebooks(page: Page) -> None:
    assert page.evaluate("window.Plotly") == "the notebook's"
    assert page.evaluate("model.count()") == 2
    page.evaluate("end()")
    assert page.evaluate("model.count()") == 0


def test_a_large_input_shows_the_pin_exactly_and_zooms_to_its_pixels(
    page: Page, widget: StageWidget
) -> None:
    large = explorer.trace_block(0, noise((300, 200, 2)), 2)
    other = explorer.widget(large)
    push(page, other)
    wait_for_figure(page)
    page.wait_for_function("document.querySelector('.linked-figure-plot')._fullData[0].dx === 3")
    page.mouse.click(*centre(page, "conv2", 100, 99))
    pull(page, other, "pin")
    push(page, other)
    page.mouse.move(0, 0)
    assert other.pin is not None
    _, row, col = other.pin
    expect(page.locator(".linked-figure-readout")).not_to_contain_text("mean of")
    shown = readout(page)
    assert shown["bn2"] == float(np.float32(large["bn2"][row, col, 0]))
    start, end = centre(page, "x", 20, 20), centre(page, "x", 80, 60)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end)
    page.mouse.up()
    pull(page, other, "_window")
    push(page, other)
    page.wait_for_function("document.querySelector('.linked-figure-plot')._fullData[0].dx === 1")
