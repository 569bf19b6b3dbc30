"""Time of changes in the What if view: another variant for the first time, and its parameters."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from explorer.model.variants import VARIANTS
from tests.bench.browser import stepping
from tests.bench.change import change_time
from tests.bench.starts import limited
from tests.bench.table import Row
from tests.browser import chromium
from tests.browser.page import wait_for_heatmaps
from tests.browser.server import running_server

PLOT = ".st-key-compared .linked-figure-plot"
IMAGES = f"{PLOT} .heatmaplayer image"
# On the input that the page opens with, and on another one, for which nothing is compiled ahead.
INPUTS = {"its own input": "", "32×32×8": "&input=normal&height=32&width=32&channels=8"}
NAMES = "relu_before_add", "full_preact", "projection", "bottleneck", "transformer_mlp"
SLIDERS = {"zero_gamma": ("γ₂", "gamma2"), "scaled_skip": ("λ", "factor")}
RESTING = 10_000  # milliseconds without a new program, by when the variants are compiled
FIRST, STEP = 500, 100  # the limits
STEPS = 15


def rows() -> list[Row]:
    """Measure the rows of the table, with an empty compilation cache."""
    found = []
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(environment={**os.environ, "XDG_CACHE_HOME": folder}) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=chromium.ARGUMENTS
        )
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.set_default_timeout(60_000)
        page.goto(f"{server.address}/?view=what_if")
        wait_for_rest(page, Path(folder))
        for title, link in INPUTS.items():
            page.goto(f"{server.address}/?view=what_if{link}")
            _ready(page)
            times = [choice(page, name) for name in NAMES]
            found.append(limited(f"What if, {title}: first use of a variant", times, FIRST))
        for name, (symbol, parameter) in SLIDERS.items():
            link = f"{INPUTS['32×32×8']}&variant={name}&{parameter}=0.05"
            page.goto(f"{server.address}/?view=what_if{link}")
            _ready(page)
            change = stepping(page, symbol)
            times = [_change(page, change(run)) for run in range(STEPS)]
            found.append(limited(f"What if, 32×32×8: a step of {symbol}", times, STEP))
        browser.close()
    return found


def wait_for_rest(page: Page, folder: Path) -> None:
    """Wait until the server that keeps its programs in the folder compiles no more of them."""
    before = -1
    while before != (before := sum(1 for _ in folder.rglob("*"))):
        page.wait_for_timeout(RESTING)


def _ready(page: Page) -> None:
    wait_for_heatmaps(page, PLOT)
    page.wait_for_timeout(500)


def choice(page: Page, name: str) -> float:
    """Return the milliseconds from the click on a variant to its painted figure."""
    page.get_by_role("combobox", name="Variant").click()
    option = page.get_by_role("option", name=VARIANTS[name].title)
    option.wait_for()
    return _change(page, option.click)


def _change(page: Page, act: Callable[[], None]) -> float:
    """Return the milliseconds from the key press or click to the painted figure."""
    time = change_time(page, IMAGES, act)
    _ready(page)
    return time
