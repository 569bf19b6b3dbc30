"""Time to the first figure: after a start, after a restart, and with a new shape."""

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.bench.change import change_time
from tests.bench.table import Row
from tests.browser import chromium
from tests.browser.page import PLOT, reveal, wait_for_figure
from tests.browser.server import running_server

RUNS = 3


def rows() -> list[Row]:
    """Measure the starts' rows of the table, each run with an empty compilation cache."""
    cold, restarted, new, new_restarted = [], [], [], []
    for run in range(RUNS):
        folder = Path(tempfile.mkdtemp())
        height, features = 36 + run, 21 + run
        with started(folder) as (page, address, start):
            cold.append(start + _painted(page, address))
            page.wait_for_load_state("networkidle")
            new.append(_first_use(page, address, height, features))
        with started(folder) as (page, address, start):
            restarted.append(start + _painted(page, address))
            new_restarted.append(_first_use(page, address, height, features))
        shutil.rmtree(folder)
    return [
        limited("start, empty compilation cache: page painted", cold, 10_000),
        limited("start, filled compilation cache: page painted", restarted, 6_000),
        limited("new features and shape: figure painted", new, 1_000),
        limited("the same after a restart: figure painted", new_restarted, 400),
    ]


def limited(what: str, times: list[float], limit: float) -> Row:
    """Return a row that is compared with a limit."""
    median = statistics.median(times)
    return Row(what, median, "ms", "limit", limit, median / limit, len(times))


@contextmanager
def started(folder: Path) -> Iterator[tuple[Page, str, float]]:
    """Start a server with this cache folder and a browser.

    Gives a page, the server's address, and the milliseconds until the server answered, by when
    the default experiment is compiled.
    """
    begin = time.perf_counter()
    with running_server(environment={**os.environ, "XDG_CACHE_HOME": str(folder)}) as server:
        milliseconds = (time.perf_counter() - begin) * 1000
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium.find(), args=chromium.ARGUMENTS
            )
            yield browser.new_page(), server.address, milliseconds
            browser.close()


def _painted(page: Page, address: str) -> float:
    """Return the milliseconds from opening the page to the painted stage figure."""
    page.goto(address)
    wait_for_figure(page)
    return float(page.evaluate("performance.now()"))


def _first_use(page: Page, address: str, height: int, channels: int) -> float:
    """Return the milliseconds from Enter, in an open page, to the painted figure of a new shape."""
    page.goto(f"{address}/?input=normal&height={height}&width={height}&channels=8")
    wait_for_figure(page)
    page.wait_for_load_state("networkidle")
    field = reveal(page, page.get_by_label("Channels", exact=True))
    field.fill(str(channels))
    return change_time(page, f"{PLOT} .heatmaplayer image", lambda: field.press("Enter"))
