"""Take the README's screenshot of the running page: `make picture`."""

from playwright.sync_api import sync_playwright

from tests.browser import chromium
from tests.browser.page import wait_for_figure
from tests.browser.server import ROOT, running_page

PICTURE = ROOT / ".github" / "forward-view.png"


def main() -> None:
    with running_page() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=chromium.ARGUMENTS
        )
        page = browser.new_page(viewport={"width": 1440, "height": 860})
        page.goto(f"{address}/?input=landscape&height=64&width=64&channel=1&pin=add,20,40")
        wait_for_figure(page)
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
