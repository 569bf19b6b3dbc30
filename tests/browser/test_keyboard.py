"""The page by keyboard: the way to the figure, and the order of the stops before it."""

from dataclasses import dataclass
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.views import VIEWS, open_view

MOST_STOPS = 60
# The buttons that Streamlit lays over a table's edge have no place in the order.
# The focused element on the page, in CSS pixels from the top of its scrolled content.
STOP = """() => {
    const node = document.activeElement;
    const main = document.querySelector('[data-testid=stMain]');
    const toolbar = '[data-testid=stElementToolbar]';
    const { left, top, right, bottom } = node.getBoundingClientRect();
    return {
        name: node.getAttribute('aria-label') || node.innerText.slice(0, 40),
        is_main: node !== main && main.contains(node) && !node.closest(toolbar),
        is_end: node === document.body || node.matches('.linked-figure'),
        left, right, top: top + main.scrollTop, bottom: bottom + main.scrollTop,
    };
}"""


@dataclass(frozen=True)
class Stop:
    """An element that Tab reaches, and where it is."""

    name: str
    is_main: bool
    is_end: bool
    left: float
    right: float
    top: float
    bottom: float

    def precedes(self, other: "Stop") -> bool:
        """Return whether `other` is below this one or to the right of it."""
        return other.top >= self.bottom or other.left >= self.left


def stops(page: Page) -> list[Stop]:
    """Return where Tab goes in the page's main part, to the figure or the end of the page."""
    found = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = Stop(**page.evaluate(STOP))
        if stop.is_main:
            found.append(stop)
        if stop.is_end:
            return found
    raise AssertionError(f"Tab reaches no figure and no end: {found}")


@pytest.mark.parametrize("view", VIEWS)
def test_the_first_stop_leads_to_the_figure_and_the_others_are_in_order(
    open_page: OpenPage, view: str
) -> None:
    page = open_view(open_page, view)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the figure")).to_be_focused()
    page.keyboard.press("Enter")
    figure = page.locator(".linked-figure").first
    expect(figure).to_be_focused()
    expect(figure).to_be_in_viewport()

    page.locator(".skip-link").focus()
    found = stops(page)
    assert len(found) > 2
    assert [
        (one.name, other.name) for one, other in pairwise(found) if not one.precedes(other)
    ] == []


def test_the_skip_link_is_seen_only_while_it_has_the_focus(open_page: OpenPage) -> None:
    page = open_page("?input=upload")
    link = page.get_by_role("link", name="Skip to the figure")
    sizes = []
    for each in (link, page.locator("main")):
        each.focus()
        box = link.bounding_box()
        assert box
        sizes.append(min(box["width"], box["height"]))
    assert sizes[0] >= 40
    assert sizes[1] <= 5
