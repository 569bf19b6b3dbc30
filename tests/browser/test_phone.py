"""Every view in a phone's browser: readable labels, and targets that a finger hits."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.labels import unreadable_labels
from tests.browser.page import PATIENCE
from tests.browser.sheet import PHONE, opened
from tests.browser.views import VIEWS, wait_for_view

LEAST = 40  # CSS pixels
# What Streamlit draws smaller than that, by test id: neither a parameter nor an option of the theme
# sets the size of these controls.
STREAMLIT = {
    "stBaseButton-borderlessIcon": "Adds a file to an uploader, which is itself a target.",
    "stBaseButton-elementToolbar": "Buttons over a table or picture.",
    "stBaseButton-minimal": "Removes a file.",
    "stButtonGroup": "Segments are 32 pixels high, and wide enough.",
    "stCheckbox": "Its label, beside it, is part of the target.",
    "stExpandSidebarButton": "Opens the sidebar.",
    "stExpander": "Its head is 38 pixels high and as wide as the page.",
    "stNumberInputField": "38 pixels high with its frame.",
    "stNumberInputStepDown": "In the field, whose number can be typed too.",
    "stNumberInputStepUp": "In the field, whose number can be typed too.",
    "stSelectbox": "38 pixels high with its frame, and as wide as the list.",
    "stSlider": "Its thumb; the whole slider takes taps.",
    "stTooltipHoverTarget": "Opens a help text.",
}
# Returns the smaller side of each control in sight with the test id of what it is in.
TARGETS = """() => [...document.querySelectorAll(
        'a[href], button, input, select, textarea, summary, [tabindex="0"]')]
    .filter((node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
    .filter((node) => !node.matches('main, .skip-link:not(:focus)'))
    .map((node) => {
        const { width, height } = (node.closest('label') ?? node).getBoundingClientRect();
        const of = node.closest('[data-testid]')?.dataset.testid;
        return [Math.min(width, height), of ?? node.outerHTML.slice(0, 80)];
    }).filter(([side]) => side > 1)"""
MORE = {
    "tall maps": "?height=64&width=8&channels=4",
    "bottleneck": "?view=what_if&variant=bottleneck&height=8&width=8&channels=4",
    "attention": "?view=what_if&variant=transformer_attention&height=8&width=8&channels=4",
    "norm": "?height=8&width=8&channels=4&pin=bn1,3,4",
}


@pytest.fixture(scope="module")
def phone(browser: Browser) -> Iterator[BrowserContext]:
    context = opened(browser, PHONE)
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


def open_on(phone: BrowserContext, address: str, view: str) -> Page:
    page = phone.new_page()
    page.goto(f"{address}/{(VIEWS | MORE)[view]}")
    wait_for_view(page, view)
    return page


@pytest.mark.parametrize("view", [*VIEWS, *MORE])
def test_labels_are_readable_and_targets_large_enough(
    phone: BrowserContext, address: str, view: str
) -> None:
    page = open_on(phone, address, view)
    assert unreadable_labels(page) == []
    small = {of for side, of in page.evaluate(TARGETS) if side < LEAST}
    assert small <= STREAMLIT.keys()
    page.close()


def test_overlapping_and_cut_labels_are_found(phone: BrowserContext, address: str) -> None:
    page = open_on(phone, address, "forward")
    page.evaluate(
        """() => {
            const drawing = document.querySelector('.linked-figure .main-svg');
            for (const words of ['one label', 'another label']) {
                const text = document.createElementNS('http://www.w3.org/2000/svg', 'text');
                text.setAttribute('x', -20);
                text.setAttribute('y', 40);
                text.textContent = words;
                drawing.append(text);
            }
        }"""
    )
    assert {'"one label" is cut', '"one label" is on "another label"'} <= set(
        unreadable_labels(page)
    )
    page.close()
