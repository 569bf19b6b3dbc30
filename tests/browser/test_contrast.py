"""Texts of the page in both themes: at least 4.5 : 1, as WCAG AA asks."""

from typing import Literal

import pytest

from tests.browser.conftest import OpenPage
from tests.browser.contrast import too_faint

SIZE = "input=zone_plate&height=8&width=8&channels=4"
# Links with the figures that each draws; together they show every kind of text.
LINKS = {
    f"?{SIZE}&pin=conv2,3,4": ("stages", "arithmetic"),
    f"?{SIZE}&details=outcomes": ("stages", "sum_comparison"),
    f"?{SIZE}&pin=bn1,3,4&details=scatter&mode=eval": ("stages", "scatter"),
    f"?{SIZE}&seed=x&show=mean&details=histograms": ("stages", "distributions"),
    f"?view=what_if&{SIZE}&difference=true&details=code": ("compared",),
    f"?view=gradients&{SIZE}&cotangent=pixel&pin=out,4,4": ("gradients", "influence"),
    f"?view=depth&{SIZE}&depth=2&runs=1&depth_details=paths": ("curves", "paths_figure"),
    "?input=upload&file=a&digest=b": (),
    f"?{SIZE}&features=5": (),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("link", LINKS)
def test_every_text_is_readable(
    open_page: OpenPage, link: str, scheme: Literal["light", "dark"]
) -> None:
    page = open_page(link, color_scheme=scheme)
    for key in LINKS[link]:
        page.locator(f".st-key-{key} .main-svg").first.wait_for(state="attached")
    if not LINKS[link]:
        page.locator("[data-kind]").first.wait_for()
    assert too_faint(page) == []


def test_faint_texts_are_found(open_page: OpenPage) -> None:
    page = open_page("?input=upload&file=a&digest=b")
    page.locator("[data-kind]").evaluate(
        """(node) => {
            node.style.color = '#777777';
            node.style.background = '#ffffff';
            node.textContent = 'grey on white';
        }"""
    )
    assert any("'greyonwhite': 4.48 : 1" in text for text in too_faint(page))
