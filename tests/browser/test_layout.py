"""What stays on the page keeps its place, in every frame, while something else changes."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import OpenPage
from tests.browser.page import (
    choose_input,
    pick,
    set_number,
    wait_for_figure,
    wait_for_theme,
    wait_until_ready,
)

VIEWS = "What if", "Gradients", "Depth", "Train", "Network", "Forward"
# Collects the places at which elements are seen in any frame, by selector.
WATCH = """selectors => {
    window.places = Object.fromEntries(selectors.map((selector) => [selector, []]));
    const look = () => {
        for (const selector of selectors) {
            const node = document.querySelector(selector);
            const { left, top, width } = node?.getBoundingClientRect() ?? { width: 0 };
            const place = width ? `${Math.round(left)}, ${Math.round(top)}` : "";
            if (place && !window.places[selector].includes(place)) {
                window.places[selector].push(place);
            }
        }
        requestAnimationFrame(look);
    };
    look();
}"""
NAVIGATION, BAR = ".st-key-view [role=radiogroup]", ".st-key-controls"
FIGURE = ".st-key-stages .linked-figure"


def wait_until_idle(page: Page) -> None:
    wait_until_ready(page)
    page.wait_for_function("() => new Promise((end) => setTimeout(() => end(true), 100))")


def places(page: Page) -> dict[str, list[str]]:
    found: dict[str, list[str]] = page.evaluate("window.places")
    return found


@pytest.mark.parametrize("width", [1280, 1440])
def test_another_view_leaves_title_row_and_controls_in_place(
    width: int, open_page: OpenPage
) -> None:
    page = open_page("?height=8&width=8&channels=4&blocks=4", width=width, in_fresh_profile=True)
    wait_for_figure(page)
    wait_until_idle(page)
    page.evaluate(WATCH, [NAVIGATION, BAR])
    for view in VIEWS:
        pick(page, view)
        wait_until_idle(page)
    assert {name: len(found) for name, found in places(page).items()} == {NAVIGATION: 1, BAR: 1}


def test_another_input_seed_channel_or_theme_leaves_the_figure_in_place(
    open_page: OpenPage,
) -> None:
    page = open_page("?", in_fresh_profile=True)
    wait_for_figure(page)
    wait_until_idle(page)
    watched = [NAVIGATION, BAR, FIGURE]
    page.evaluate(WATCH, watched)
    for label, value in (("Seed of the weights", 1), ("Channel", 2)):
        set_number(page, label, value)
        wait_until_idle(page)
    choose_input(page, "Zone plate")
    wait_until_idle(page)
    page.emulate_media(color_scheme="dark")
    wait_for_theme(page, "dark")
    wait_until_idle(page)
    assert {name: len(found) for name, found in places(page).items()} == dict.fromkeys(watched, 1)
