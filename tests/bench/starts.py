"""How long until there is a picture: after a start, after a restart, with a new shape."""

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.bench.table import Row
from tests.browser import chromium
from tests.browser.page import PLOT, wait_for_picture
from tests.browser.server import running_server

RUNS = 3


def rows() -> list[Row]:
    """The starts' part of the table. The programs' folder is a new one, empty at first."""
    cold, again, warm, new, kept = [], [], [], [], []
    for run in range(RUNS):
        folder = Path(tempfile.mkdtemp())
        height, features = 36 + run, 21 + run
        with started(folder) as (page, address, seconds):
            cold.append(seconds + _painted(page, address))
            page.wait_for_load_state("networkidle")
            warm += [_warm(page, address) for _ in range(RUNS)]
            new.append(_first_use(page, address, height, features))
        with started(folder) as (page, address, seconds):
            again.append(seconds + _painted(page, address))
            kept.append(_first_use(page, address, height, features))
        shutil.rmtree(folder)
    return [
        _row("start, nothing compiled before: page painted", cold, 10_000),
        _row("start, programs kept: page painted", again, 6_000),
        _row("warm server, fresh browser: stage figure painted", warm, 2_600),
        _row("features and shape never seen: painted", new, 1_000),
        _row("the same after a restart: painted", kept, 400),
    ]


def _row(what: str, times: list[float], bound: float) -> Row:
    median = statistics.median(times)
    return Row(what, median, "ms", "bound", bound, median / bound, len(times))


@contextmanager
def started(folder: Path) -> Iterator[tuple[Page, str, float]]:
    """A server whose cache folder this is, a browser, and the milliseconds until it answered:
    the default experiment is compiled before."""
    begin = time.perf_counter()
    with running_server(environment={**os.environ, "XDG_CACHE_HOME": str(folder)}) as server:
        seconds = (time.perf_counter() - begin) * 1000
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium.find(), args=chromium.ARGUMENTS
            )
            yield browser.new_page(), server.address, seconds
            browser.close()


def _painted(page: Page, address: str) -> float:
    """Milliseconds from opening the page to the stage figure."""
    page.goto(address)
    wait_for_picture(page)
    return float(page.evaluate("performance.now()"))


def _warm(page: Page, address: str) -> float:
    """The same in a fresh profile: nothing is in the browser's cache."""
    assert page.context.browser
    context = page.context.browser.new_context()
    seconds = _painted(context.new_page(), address)
    context.close()
    return seconds


def _first_use(page: Page, address: str, height: int, channels: int) -> float:
    """Milliseconds from Enter, in a page that is open, to the figure of a new shape."""
    page.goto(f"{address}/?input=Normal+noise&height={height}&width={height}&channels=8")
    wait_for_picture(page)
    page.wait_for_load_state("networkidle")
    field = page.get_by_label("Channels", exact=True)
    field.fill(str(channels))
    page.evaluate(
        """plot => {
            window.painted = undefined;
            const hrefs = () => [...document.querySelectorAll(plot + ' .heatmaplayer image')]
                .map((image) => image.getAttribute('href')).join();
            const before = hrefs();
            document.addEventListener('keydown', () => {
              const pressed = performance.now();
              const look = () => {
                if (hrefs() && hrefs() !== before) {
                  setTimeout(() => { window.painted = performance.now() - pressed; });
                } else requestAnimationFrame(look);
              };
              requestAnimationFrame(look);
            }, { once: true, capture: true });
        }""",
        PLOT,
    )
    field.press("Enter")
    page.wait_for_function("() => window.painted", timeout=20_000)
    return float(page.evaluate("window.painted"))
