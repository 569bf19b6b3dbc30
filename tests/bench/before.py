"""The page, compared in turns with that of another checkout of this repository.

The variable `BEFORE` is its path, such as that of a worktree of an earlier commit.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.bench import what_if
from tests.bench.browser import CASES, Change, opened, paging, scaling, stepping, typing
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
    "colour scale": scaling,
}
STEPS: dict[str, Callable[[Page], Change]] = {
    "a step of γ₂": lambda page: stepping(page, "γ₂"),
}
SIZES = "32×32×8", "1024×1024×8"
# Prints the milliseconds of 128 blocks and 8 runs as JSON, when all is compiled.
DEPTH = """
import json, time
from explorer.engine.ablation import ablate
from explorer.engine.paths import path_lengths
from explorer.engine.propagation import propagate_stack
from explorer.engine.stack import Stack
from explorer.inputs import generate
x = generate("normal", 32, 32, 8)
stack = Stack.from_seed(0, 8, 128, "v1", runs=8)
both = stack, stack.without_shortcut()
work = {
    "both stacks": lambda: [propagate_stack(each, x) for each in both],
    "one block less, both stacks": lambda: [ablate(each, x, kind="delete") for each in both],
    "paths": lambda: path_lengths(stack, x),
}
times = {}
for name, call in work.items():
    for _ in range(2):
        start = time.perf_counter()
        call()
        times[name] = 1000 * (time.perf_counter() - start)
print(json.dumps(times))
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
            for what, times in _changes(browser, links, CHANGES, PLOT).items():
                found.append(_row(f"{size}: {what}", times))
        view = f"{CASES[SIZES[0]]}&view=what_if&variant=zero_gamma&gamma2=0.05"
        links = {name: f"{each}/{view}" for name, each in addresses.items()}
        for what, times in _changes(browser, links, STEPS, what_if.PLOT).items():
            found.append(_row(f"What if, {SIZES[0]}: {what}", times))
        browser.close()
    found.append(_row("What if, its own input: first use of a variant", _first_uses(folders)))
    runs = [{name: _depth(folder) for name, folder in folders.items()} for _ in range(PROCESSES)]
    for what in runs[0]["after"]:
        depth = {name: [run[name][what] for run in runs] for name in folders}
        found.append(_row(f"128 blocks × 8 runs, 32×32×8: {what}", depth))
    return found


def _row(what: str, times: Times) -> Row:
    return compared(f"{what}, before and after", "ms", "before", times["after"], times["before"])


def _first_figures(browser: Browser, links: dict[str, str]) -> Times:
    """Return the milliseconds from opening each link in a new profile to the painted figure."""
    times: Times = {name: [] for name in links}
    for _ in range(PROFILES):
        for name, link in links.items():
            with opened(browser, link) as (page, _):
                _painted(page, IMAGES)
                times[name].append(float(page.evaluate("performance.now()")))
    return times


def _changes(
    browser: Browser, links: dict[str, str], changes: dict[str, Callable[[Page], Change]], plot: str
) -> dict[str, Times]:
    """Return the milliseconds of every change in both pages, in turns."""
    images = f"{plot} .heatmaplayer image"
    found: dict[str, Times] = {what: {name: [] for name in links} for what in changes}
    with ExitStack() as stack:
        pages = {
            name: stack.enter_context(opened(browser, link))[0] for name, link in links.items()
        }
        for page in pages.values():
            _ready(page, images)
        for what, change in changes.items():
            for turn in range(TURNS):
                for name, page in pages.items():
                    page.bring_to_front()
                    act = change(page)(turn)
                    found[what][name].append(change_time(page, images, act))
                    _ready(page, images)
    return found


def _first_uses(folders: dict[str, Path]) -> Times:
    """Return the milliseconds of the first use of variants, with an empty compilation cache."""
    times: Times = {name: [] for name in folders}
    with ExitStack() as stack:
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=chromium.ARGUMENTS
        )
        pages = {}
        for name, folder in folders.items():
            programs = stack.enter_context(tempfile.TemporaryDirectory())
            environment = {**os.environ, "XDG_CACHE_HOME": programs, "PYTHONPATH": str(folder)}
            server = stack.enter_context(running_server(folder=folder, environment=environment))
            link = f"{server.address}/?view=what_if"
            pages[name] = stack.enter_context(opened(browser, link))[0]
            what_if.wait_for_rest(pages[name], Path(programs))
        for variant in what_if.NAMES:
            for name, page in pages.items():
                page.bring_to_front()
                times[name].append(what_if.choice(page, variant))
        browser.close()
    return times


def _painted(page: Page, images: str) -> None:
    page.wait_for_function("images => document.querySelectorAll(images).length >= 10", arg=images)


def _ready(page: Page, images: str) -> None:
    _painted(page, images)
    page.wait_for_timeout(500)
    page.wait_for_selector("[data-test-script-state=notRunning]")


def _depth(folder: Path) -> dict[str, float]:
    command = [sys.executable, "-c", DEPTH]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found
