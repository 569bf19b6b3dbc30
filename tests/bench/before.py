"""The page, compared in turns with that of another checkout of this repository.

The variable `BEFORE` is its path, such as that of a worktree of an earlier commit.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.bench.browser import CASES, Change, opened, paging, typing
from tests.bench.change import change_time
from tests.bench.table import Row, compared
from tests.browser import chromium
from tests.browser.page import PLOT
from tests.browser.server import ROOT, running_server

VARIABLE = "BEFORE"
TURNS, PROFILES, PROCESSES = 15, 5, 2
IMAGES = f"{PLOT} .heatmaplayer image"
CHANGES: dict[str, Callable[[Page], Change]] = {
    "new seed": lambda page: typing(page, "Seed of the weights", TURNS),
    "channel by number": lambda page: typing(page, "Channel", 7),
    "channel by key": paging,
}
SIZES = "32×32×8", "1024×1024×8"
# Prints the milliseconds of both stacks of 128 blocks and 8 runs, when all is compiled.
DEPTH = """
import time
from explorer import propagate
from explorer.inputs import generate
x = generate("normal", 32, 32, 8)
for _ in range(2):
    start = time.perf_counter()
    for variant in ("v1", "no_skip"):
        propagate(0, x, 8, depth=128, seeds=8, variant=variant)
print(1000 * (time.perf_counter() - start))
"""
Times = dict[str, list[float]]


def rows() -> list[Row]:
    """Measure the rows of the table; none without another checkout."""
    path = os.environ.get(VARIABLE)
    if not path:
        return []
    folders = {"before": Path(path), "after": ROOT}
    found = []
    with ExitStack() as stack:
        addresses = {
            name: stack.enter_context(running_server(folder=folder)).address
            for name, folder in folders.items()
        }
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=chromium.ARGUMENTS
        )
        for size in SIZES:
            links = {name: f"{each}/{CASES[size]}" for name, each in addresses.items()}
            found.append(_row(f"{size}: first figure", _first_figures(browser, links)))
            for what, times in _changes(browser, links).items():
                found.append(_row(f"{size}: {what}", times))
        browser.close()
    depth: Times = {
        name: [_depth(folder) for _ in range(PROCESSES)] for name, folder in folders.items()
    }
    return [*found, _row("128 blocks × 8 runs, 32×32×8: both stacks", depth)]


def _row(what: str, times: Times) -> Row:
    return compared(f"{what}, before and after", "ms", "before", times["after"], times["before"])


def _first_figures(browser: Browser, links: dict[str, str]) -> Times:
    """Return the milliseconds from opening each link in a new profile to the painted figure."""
    times: Times = {name: [] for name in links}
    for _ in range(PROFILES):
        for name, link in links.items():
            with opened(browser, link) as (page, _):
                _painted(page)
                times[name].append(float(page.evaluate("performance.now()")))
    return times


def _changes(browser: Browser, links: dict[str, str]) -> dict[str, Times]:
    """Return the milliseconds of every change in both pages, in turns."""
    found: dict[str, Times] = {what: {name: [] for name in links} for what in CHANGES}
    with ExitStack() as stack:
        pages = {
            name: stack.enter_context(opened(browser, link))[0] for name, link in links.items()
        }
        for page in pages.values():
            _ready(page)
        for what, change in CHANGES.items():
            for turn in range(TURNS):
                for name, page in pages.items():
                    page.bring_to_front()
                    act = change(page)(turn)
                    found[what][name].append(change_time(page, IMAGES, act))
                    _ready(page)
    return found


def _painted(page: Page) -> None:
    page.wait_for_function("images => document.querySelectorAll(images).length >= 10", arg=IMAGES)


def _ready(page: Page) -> None:
    _painted(page)
    page.wait_for_timeout(500)
    page.wait_for_selector("[data-test-script-state=notRunning]")


def _depth(folder: Path) -> float:
    command = [sys.executable, "-c", DEPTH]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return float(done.stdout)
