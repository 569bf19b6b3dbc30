"""A small example of every view, for tests that look at all of them."""

from playwright.sync_api import Page

from tests.browser.conftest import OpenPage
from tests.browser.page import wait_until_ready
from tests.browser.test_checkpoint import CHECKPOINT, choose

SIZE = "height=8&width=8&channels=4"
VIEWS = {
    "forward": f"?{SIZE}&pin=conv2,3,4&details=sum_comparison",
    "what_if": f"?view=what_if&{SIZE}",
    "gradients": f"?view=gradients&{SIZE}&cotangent=pixel&pin=out,4,4",
    "depth": f"?view=depth&{SIZE}&depth=2&runs=1",
    "train": "?view=train&net_blocks=3",
    "network": "?view=network&net_blocks=3",
    "checkpoint": "?view=network&network_from=checkpoint",
}


def wait_for_view(page: Page, view: str) -> None:
    """Wait until a view's first figure is drawn and the server has sent everything."""
    if view == "checkpoint":
        choose(page, "checkpoint_file", "net.safetensors", CHECKPOINT)
    page.locator(".linked-figure .main-svg").first.wait_for(state="attached")
    wait_until_ready(page)


def open_view(open_page: OpenPage, view: str) -> Page:
    """Open a view at 1440 × 900 and wait for it."""
    page = open_page(VIEWS[view], height=900)
    wait_for_view(page, view)
    return page
