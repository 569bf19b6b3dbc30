from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Error,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from tests.browser import chromium
from tests.browser.page import PATIENCE
from tests.browser.server import ROOT

OpenPage = Callable[..., Page]
OPENED = pytest.StashKey[list[Page]]()
expect.set_options(timeout=PATIENCE)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what the pages show to the report of a test that failed."""
    report = yield
    if report.failed and call.when == "call":
        for page in item.stash.get(OPENED, []):
            with suppress(Error):  # the page may have crashed
                text = page.locator("body").inner_text(timeout=2_000)
                report.sections.append((f"page {page.url}", text))
    return report


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A browser whose pages have a fresh profile each."""
    browser = playwright.chromium.launch(executable_path=executable(), args=chromium.ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def tab(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A tab that the tests use in turn; its profile caches compiled scripts, as a user's does."""
    profile = playwright.chromium.launch_persistent_context(
        tmp_path_factory.mktemp("profile"),
        executable_path=executable(),
        args=chromium.ARGUMENTS,
    )
    yield profile.pages[0]
    profile.close()


def executable() -> str:
    path = chromium.find()
    assert path, chromium.MISSING
    return path


@pytest.fixture
def open_page(request: pytest.FixtureRequest, tab: Page, address: str) -> Iterator[OpenPage]:
    """Open a link in the shared tab or in a new profile; any error in the browser's console
    fails the test. Without a link the input is the zone plate, which has fewer values than the
    page's own."""
    errors: list[str] = []
    request.node.stash[OPENED] = pages = [tab]

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    def note_exception(error: Error) -> None:
        errors.append(str(error))

    def listen(page: Page) -> None:
        page.on("console", note)
        page.on("pageerror", note_exception)

    def opened(
        link: str = "?input=zone_plate",
        *,
        width: int = 1440,
        height: int = 1000,
        color_scheme: Literal["light", "dark"] = "light",
        in_fresh_profile: bool = False,
    ) -> Page:
        page = tab
        if in_fresh_profile:
            page = request.getfixturevalue("browser").new_page()
            listen(page)
            pages.append(page)
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=color_scheme)
        page.set_default_timeout(PATIENCE)
        page.goto(f"{address}/{link}")
        return page

    listen(tab)
    yield opened
    tab.remove_listener("console", note)
    tab.remove_listener("pageerror", note_exception)
    tab.goto("about:blank")
    for page in pages[1:]:
        page.close()
    assert errors == []


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """The folder of screenshots for visual inspection."""
    folder = ROOT / "artifacts"
    folder.mkdir(exist_ok=True)
    return folder
