"""Channels and colour scales that the browser shows before the server has answered."""

from collections.abc import Callable
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import Page

from explorer.engine.forward import trace_block
from explorer.inputs.generate import generate
from explorer.page.asset_urls import linked_figure_url
from tests.browser.conftest import OpenPage
from tests.browser.connection import Connection
from tests.browser.page import (
    STAGES,
    centre,
    field,
    panel,
    reveal,
    segment,
    set_number,
    wait_for_figure,
    wait_for_heatmaps,
    wait_for_panel,
    wait_until_ready,
)
from tests.browser.test_history import wait_for_link

LINK = {"input": "zone_plate", "height": "8", "width": "8", "channels": "4"}
TRACE = trace_block(0, generate("zone_plate", 8, 8, 4), 4)
GET_FIGURE = """async ([url, selector]) => {
    const { figureOf } = await import(url);
    window.figure = figureOf(document.querySelector(selector));
}"""
# Of the linked figure.
HAS_VIEWS = "() => figure.views.isComplete"
DRAWN = "figure.drawn.digest"
LIMITS = """figure.plot._fullData
    .filter(({ type }) => type === "heatmap").map(({ zmin, zmax }) => [zmin, zmax])"""


def opened(open_page: OpenPage, settings: dict[str, str] = LINK) -> tuple[Page, Connection]:
    """Open the page and point at the channel, so that the browser asks for the other views."""
    page = open_page("_stcore/health", in_fresh_profile=True)
    connection = Connection(page)
    page.goto(page.url.replace("_stcore/health", f"?{urlencode(settings)}"))
    wait_for_figure(page)
    if settings.get("details") == "channels":
        wait_for_heatmaps(page, ".st-key-gallery")
    page.evaluate(GET_FIGURE, [linked_figure_url(), STAGES])
    page.evaluate("figure.views.patience = 1e9")  # so that only the server's view ends a choice
    field(page, "Channel").hover()
    page.wait_for_function(HAS_VIEWS)
    wait_until_ready(page)
    return page, connection


def expect_same_from_server(page: Page, link: dict[str, str]) -> None:
    """Assert that the server hears of the change, and would draw what is drawn."""
    drawn = page.evaluate(DRAWN)
    wait_for_link(page, link)
    wait_until_ready(page)
    page.wait_for_function("() => figure.views.chosen === null")  # Streamlit may draw it later
    assert page.evaluate("figure.views.last.digest") == drawn
    assert page.evaluate(DRAWN) == drawn


def type_number(page: Page) -> None:
    set_number(page, "Channel", 3)


def press_button(page: Page) -> None:
    page.locator(".st-key-channel").get_by_role("button", name="Increment").click()


def press_arrow(page: Page) -> None:
    field(page, "Channel").focus()
    page.keyboard.press("ArrowUp")


def page_down(page: Page) -> None:
    page.locator(STAGES).focus()
    for _ in range(3):
        page.keyboard.press("PageDown")


def click_tile(page: Page) -> None:
    page.locator(".st-key-gallery").scroll_into_view_if_needed()
    page.mouse.click(*centre(page, "x", 1, 0, "gallery"))


@pytest.mark.parametrize(
    ("change", "channel"),
    [(type_number, 3), (press_button, 1), (press_arrow, 1), (page_down, 3), (click_tile, 2)],
)
def test_a_channel_is_shown_before_the_server_answers(
    open_page: OpenPage, change: Callable[[Page], None], channel: int
) -> None:
    link = LINK | ({"details": "channels"} if change is click_tile else {})
    page, connection = opened(open_page, link)

    def change_and_look() -> None:
        change(page)
        for stage in TRACE.stages:
            wait_for_panel(page, stage, TRACE[stage][..., channel])
            np.testing.assert_array_equal(panel(page, stage), TRACE[stage][..., channel])

    connection.without_answer(change_and_look)
    expect_same_from_server(page, link | {"channel": str(channel)})


def test_mean_and_scale_are_shown_before_the_server_answers(open_page: OpenPage) -> None:
    page, connection = opened(open_page)
    of_block = page.evaluate(LIMITS)

    def choose_map() -> None:
        segment(page, "map").click()
        page.wait_for_function("() => figure.drawn.view.scope === 'map'")
        assert page.evaluate(LIMITS) != of_block

    connection.without_answer(choose_map)
    expect_same_from_server(page, LINK | {"scope": "map"})
    mean = reveal(page, segment(page, "mean"))
    mean.hover()
    page.wait_for_function(HAS_VIEWS)

    def choose_mean() -> None:
        mean.click()
        wait_for_panel(page, "x", TRACE["x"].mean(axis=2))

    connection.without_answer(choose_mean)
    expect_same_from_server(page, LINK | {"scope": "map", "show": "mean"})


def test_a_late_answer_does_not_undo_a_later_choice(open_page: OpenPage) -> None:
    page, connection = opened(open_page)

    def look() -> None:
        np.testing.assert_array_equal(panel(page, "out"), TRACE["out"][..., 2])

    connection.after_late_answer(
        lambda: set_number(page, "Channel", 1), lambda: set_number(page, "Channel", 2), look
    )
    expect_same_from_server(page, LINK | {"channel": "2"})
    look()


def test_a_pin_stays_while_the_channel_changes(open_page: OpenPage) -> None:
    page, connection = opened(open_page)
    page.mouse.click(*centre(page, "add", 3, 5))
    wait_for_link(page, LINK | {"pin": "add,3,5"})
    wait_until_ready(page)

    def change_and_look() -> None:
        page_down(page)
        wait_for_panel(page, "add", TRACE["add"][..., 3])
        assert page.evaluate("figure.pin") == {"panel": "add", "row": 3, "col": 5}
        shown = page.evaluate("figure.valueAt('add', figure.pin)")
        assert np.float32(shown) == TRACE["add"][3, 5, 3]

    connection.without_answer(change_and_look)
    expect_same_from_server(page, LINK | {"pin": "add,3,5", "channel": "3"})


def test_the_figure_follows_a_clicked_option_within_the_event(open_page: OpenPage) -> None:
    page, _ = opened(open_page)
    click = "(option) => { option.click(); return figure.views.view.scope; }"
    assert segment(page, "map").evaluate(click) == "map"


def test_the_figure_follows_a_typed_number_within_the_event(open_page: OpenPage) -> None:
    page, _ = opened(open_page)
    channel = field(page, "Channel")
    channel.fill("3")
    enter = """(field) => {
      field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
      return figure.views.view.channel;
    }"""
    assert channel.evaluate(enter) == 3


def test_the_figure_returns_to_the_server_s_channel_if_the_server_keeps_it(
    open_page: OpenPage,
) -> None:
    page, _ = opened(open_page)
    choose = "figure.views.patience = 50; figure.choose({ channel: 2, scope: 'block' })"
    assert page.evaluate(f"{choose}; figure.views.view.channel") == 2
    page.wait_for_function("() => figure.views.chosen === null")
    wait_for_panel(page, "out", TRACE["out"][..., 0])


def test_a_new_pin_outlasts_a_change_of_channel_after_back(open_page: OpenPage) -> None:
    page, _ = opened(open_page)
    page.evaluate(
        """figure.views.last.restored = true;  // as after Back
        figure.setPin({ panel: "add", row: 1, col: 2 });
        figure.choose({ channel: 2, scope: "block" });"""
    )
    wait_for_panel(page, "out", TRACE["out"][..., 2])
    assert page.evaluate("figure.pin") == {"panel": "add", "row": 1, "col": 2}


def test_a_held_key_reports_its_steps_together_where_the_views_are_not_here(
    open_page: OpenPage,
) -> None:
    page, _ = opened(open_page)
    page.evaluate(
        """() => {
            figure.views.messages.clear();
            window.steps = [];
            figure.host = { trigger: (_, by) => window.steps.push(by), state: () => {} };
            for (let i = 0; i < 30; i += 1) figure.step(1);
        }"""
    )
    page.wait_for_function("() => window.steps.length === 2")
    assert page.evaluate("window.steps") == [1, 29]
