"""Hovering and a new input, compared with CNN Explainer; both pages are open and take turns.

Hovering is timed from the mouse event to the end of the frame that shows it, a new input from the
key press or click to the end of the frame with other maps.
"""

import statistics
from collections.abc import Callable, Sequence

from playwright.sync_api import Browser, Page, sync_playwright

from tests.bench import cnn_explainer
from tests.bench.browser import typing
from tests.bench.change import change_time
from tests.bench.table import Row, compared
from tests.browser import chromium
from tests.browser.page import PLOT, centre, reveal, wait_for_figure
from tests.browser.server import running_page

ROUNDS = 7
MOVES = 20  # of the mouse a round
LINK = "?input=normal&height=32&width=32&channels=8"
FADE = 1500  # milliseconds in which CNN Explainer's new maps have appeared
WATCH = """() => {
  window.moves = [];
  window.addEventListener('pointermove', () => {
    const moved = performance.now();
    // A frame's callback runs before painting; a task queued by it runs after painting.
    requestAnimationFrame(() => setTimeout(() => window.moves.push(performance.now() - moved)));
  }, true);
}"""
Point = tuple[float, float]


def rows() -> list[Row]:
    """Measure the rows of the table; none without CNN Explainer."""
    with cnn_explainer.running() as theirs:
        if not theirs:
            return []
        with sync_playwright() as playwright, running_page() as ours:
            browser = playwright.chromium.launch(
                executable_path=chromium.find(), args=[*chromium.ARGUMENTS, cnn_explainer.ALONE]
            )
            link = f"{ours}/{LINK}"
            pages = cnn_explainer.PAGES.items()
            found = [_compare(browser, link, theirs + path, name) for name, path in pages]
            browser.close()
        return [row for pair in zip(*found, strict=True) for row in pair]


def _compare(browser: Browser, ours: str, theirs: str, peer: str) -> list[Row]:
    mine, other = (_opened(browser, address) for address in (ours, theirs))
    wait_for_figure(mine)
    other.wait_for_selector(cnn_explainer.MAPS, state="attached")
    for page in (mine, other):
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(FADE)
        page.evaluate(WATCH)
    points = {mine: _pixels(mine), other: _maps(other)}
    hovers: dict[Page, list[float]] = {mine: [], other: []}
    for turn in range(ROUNDS):
        for page in (mine, other)[:: -1 if turn % 2 else 1]:
            page.bring_to_front()
            hovers[page].append(statistics.median(_hover_times(page, points[page])))
    changes: dict[Page, Callable[[int], float]] = {mine: _new_seed(mine), other: _picture(other)}
    inputs: dict[Page, list[float]] = {mine: [], other: []}
    for turn in range(ROUNDS):
        for page in (mine, other)[:: -1 if turn % 2 else 1]:
            page.bring_to_front()
            inputs[page].append(changes[page](turn))
    for page in (mine, other):
        page.context.close()
    return [
        compared("32×32×8: hover, frame painted", "ms", peer, *hovers.values()),
        compared("32×32×8: new input", "ms", peer, *inputs.values()),
    ]


def _opened(browser: Browser, address: str) -> Page:
    page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    page.set_default_timeout(60_000)
    page.goto(address)
    return page


def _pixels(page: Page) -> list[Point]:
    """Return positions of pixels in two panels of our figure, in turns."""
    panels = ("bn2", "out")
    return [centre(page, panels[move % 2], move, 7 * move % 32) for move in range(MOVES)]


def _maps(page: Page) -> list[Point]:
    """Return positions of maps in CNN Explainer's overview, each in another layer than the last."""
    boxes = [image.bounding_box() for image in page.locator(cnn_explainer.MAPS).all()]
    found = [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes if box]
    return [found[3 + 13 * move % 100] for move in range(MOVES)]


def _hover_times(page: Page, points: Sequence[Point]) -> list[float]:
    """Return the milliseconds of each mouse move."""
    page.evaluate("window.moves = []")
    for count, point in enumerate(points, 1):
        page.mouse.move(*point)
        page.wait_for_function("count => window.moves.length >= count", arg=count)
    return list(page.evaluate("window.moves"))


def _new_seed(page: Page) -> Callable[[int], float]:
    """Return a function that draws our input from another seed."""
    label = "Seed of the input"
    reveal(page, page.get_by_label(label, exact=True))
    change = typing(page, label, 15)

    def time(turn: int) -> float:
        found = change_time(page, f"{PLOT} .heatmaplayer image", change(turn))
        page.wait_for_timeout(250)
        return found

    return time


def _picture(page: Page) -> Callable[[int], float]:
    """Return a function that gives CNN Explainer another of its pictures."""
    pictures = page.locator(".image-container img[data-imageName$=jpeg]")

    def time(turn: int) -> float:
        found = change_time(page, cnn_explainer.MAPS, pictures.nth(turn % 6).click)
        page.wait_for_timeout(FADE)
        return found

    return time
