"""What axe-core finds on the page: in every view, in both themes, in a wide and a narrow window."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from explorer.figures.theme import ThemeName
from tests.browser.conftest import OpenPage
from tests.browser.page import wait_for_theme
from tests.browser.views import VIEWS, open_view

WINDOWS: tuple[tuple[ThemeName, int, int], ...] = (
    ("light", 390, 844),
    ("dark", 1440, 900),
)
IMPACTS = ("moderate", "serious", "critical")
# Findings in what Streamlit draws, as (view, rule, selector), each with the reason to leave it.
STREAMLIT: dict[tuple[str, str, str], str] = {}
# Returns each finding of axe-core as its rule and the selector that it matches, else its HTML.
FINDINGS = """([violations, selectors]) => violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, html }) => {
        const node = document.querySelector(target[0]);
        return [id, selectors.find((selector) => node?.matches(selector)) ?? html];
    }))"""


def findings(page: Page) -> set[tuple[str, str]]:
    """Return what axe-core finds, but for minor findings, as rules and selectors."""
    violations = [
        each for each in Axe().run(page).response["violations"] if each["impact"] in IMPACTS
    ]
    selectors = [selector for _, _, selector in STREAMLIT]
    return {(rule, where) for rule, where in page.evaluate(FINDINGS, [violations, selectors])}


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_in_what_we_draw(open_page: OpenPage, view: str) -> None:
    page = open_view(open_page, view)
    more = page.get_by_role("button", name="More", exact=True)
    if more.count():
        more.first.click()
        page.locator("[data-testid=stPopoverBody]").wait_for()
    found = set()
    for scheme, width, height in WINDOWS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": height})
        wait_for_theme(page, scheme)
        found |= findings(page)
    assert found == {(rule, selector) for each, rule, selector in STREAMLIT if each == view}


def test_axe_finds_a_picture_without_a_text(open_page: OpenPage) -> None:
    page = open_page("?input=upload")
    page.locator("h1").evaluate("(node) => node.append(document.createElement('img'))")
    assert ("image-alt", "<img>") in findings(page)
