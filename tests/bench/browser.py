"""Speed of the page in a headless browser, compared with a naive page.

Changes are timed from the key press or click to the end of the frame that shows the result;
hover from the mouse event to the end of its handler. The naive page of `naive.py` is measured in
the same run, so that the ratio does not depend on the machine's speed.
"""

import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

from tests.bench.change import change_time
from tests.bench.table import Row
from tests.browser import chromium
from tests.browser.page import PLOT, STAGES, centre, wait_for_figure
from tests.browser.server import running_page

RUNS = 15
PROFILES = 3  # new browser profiles, in which the first figure is timed
HELD = 60  # repetitions of a held key
NAIVE_PLOT = ".js-plotly-plot"
CASES = {
    "32×32×8": "?input=normal&height=32&width=32&channels=8",
    "64×64×64": "?input=normal&height=64&width=64&channels=64",
    "128×128×8": "?input=normal&height=128&width=128&channels=8",
    "1024×1024×8": "?input=normal&height=1024&width=1024&channels=8",
}


def rows() -> list[Row]:
    """Measure the browser's rows of the table."""
    found = []
    with (
        sync_playwright() as playwright,
        running_page() as ours,
        running_page(script="tests/bench/naive.py") as naive,
    ):
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=chromium.ARGUMENTS
        )
        for name, link in CASES.items():
            found += measure_case(browser, name, f"{ours}/{link}", naive)
        browser.close()
    return found


def measure_case(browser: Browser, name: str, ours: str, naive: str) -> list[Row]:
    """Measure one case of `CASES` on our page and on the naive page."""
    firsts = [first_picture(browser, ours) for _ in range(PROFILES)]
    found = [alone(f"{name}: first figure", firsts)]
    with opened(browser, ours) as (page, payload):
        wait_for_figure(page)
        page.wait_for_load_state("networkidle")
        found.append(alone(f"{name}: hover, handler", hover_times(page)))
        theirs = naive_times(browser, name, naive)
        changes = {
            "channel by number": typing(page, "Channel", 7),
            "channel by key": paging(page),
            "colour scale": scaling(page),
        }
        for what, change in changes.items():
            times, size = change_times(page, PLOT, change, payload)
            found.append(against_naive(f"{name}: {what}", times, theirs))
        found.append(
            Row(f"{name}: pictures while a key is held", held_key(page), "/s", "–", None, None, 1)
        )
        found.append(
            Row(f"{name}: payload of a channel change", size / 1000, "kB", "–", None, None, RUNS)
        )
        if "1024" not in name:
            times, _ = change_times(page, PLOT, picking(page), payload)
            found.append(against_naive(f"{name}: channel by tile", times, theirs))
            page.get_by_role("radio", name="This pixel").click()
        times, _ = change_times(page, PLOT, typing(page, "Seed of the weights", RUNS), payload)
        found.append(alone(f"{name}: new seed", times))
    return found


def first_picture(browser: Browser, link: str) -> float:
    """Return the milliseconds from opening the link in a new profile to the painted figure."""
    with opened(browser, link) as (page, _):
        wait_for_figure(page)
        return float(page.evaluate("performance.now()"))


@contextmanager
def opened(
    browser: Browser, link: str, script: str = ""
) -> Iterator[tuple[Page, Callable[[], int]]]:
    """Open a page in a new browser profile, which runs a script first.

    Gives the page and a function that returns the bytes received since its last call.
    """
    received = [0]

    def count(frame: str | bytes) -> None:
        received[0] += len(frame)

    def received_bytes() -> int:
        size, received[0] = received[0], 0
        return size

    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.on("websocket", lambda socket: socket.on("framereceived", count))
    page.add_init_script(script)
    page.goto(link)
    yield page, received_bytes
    context.close()


Change = Callable[[int], Callable[[], None]]


def typing(page: Page, label: str, most: int) -> Change:
    """Change a number to 1, …, `most` in turn by typing; Enter starts the change."""
    field = page.get_by_label(label, exact=True)

    def prepare(run: int) -> Callable[[], None]:
        field.fill(str(1 + run % most))
        return lambda: field.press("Enter")

    return prepare


def paging(page: Page) -> Change:
    """Change the channel with Page Down and Page Up in the figure."""

    def prepare(run: int) -> Callable[[], None]:
        page.locator(STAGES).focus()
        return lambda: page.keyboard.press("PageDown" if run % 12 < 6 else "PageUp")

    return prepare


def stepping(page: Page, name: str) -> Change:
    """Move a slider by an arrow key."""

    def prepare(run: int) -> Callable[[], None]:
        page.get_by_role("slider", name=name).focus()
        return lambda: page.keyboard.press("ArrowRight")

    return prepare


def scaling(page: Page) -> Change:
    """Change the colour scale by a click."""

    def prepare(run: int) -> Callable[[], None]:
        label = ("map", "stage", "block")[run % 3]
        return page.get_by_role("radio", name=label, exact=True).click

    return prepare


def held_key(page: Page) -> float:
    """Return the pictures per second while Page Down or Page Up repeats 30 times per second."""
    page.locator(STAGES).focus()
    for _ in range(8):  # to the first channel
        page.keyboard.press("PageUp")
    page.wait_for_timeout(1000)
    return float(page.evaluate(HOLD, [STAGES, PLOT, HELD]))


# Repeats a key, as a keyboard does, and counts the frames in which the heatmaps have changed.
HOLD = """([figure, plot, repetitions]) => new Promise((resolve) => {
  const root = document.querySelector(figure);
  const start = performance.now();
  let [pressed, pictures, before] = [0, 0, undefined];
  const timer = setInterval(() => {
    const key = pressed % 12 < 6 ? 'PageDown' : 'PageUp';
    pressed += 1;
    root.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, repeat: true }));
    if (pressed === repetitions) clearInterval(timer);
  }, 1000 / 30);
  const look = () => {
    const now = [...document.querySelectorAll(plot + ' .heatmaplayer image')]
        .map((image) => image.getAttribute('href')).join();
    if (before !== undefined && now !== before) pictures += 1;
    before = now;
    if (pressed < repetitions) requestAnimationFrame(look);
    else resolve(1000 * pictures / (performance.now() - start));
  };
  look();
})"""


def picking(page: Page) -> Change:
    """Change the channel by a click on a tile of the gallery, which is opened first."""
    first = page.get_by_label("Channel", exact=True)
    first.fill("0")  # the first click is on another channel, wherever a held key has led
    first.press("Enter")
    page.get_by_role("radio", name="All channels").click()
    page.wait_for_selector(".st-key-gallery .heatmaplayer image", state="attached")
    page.wait_for_timeout(1000)

    def prepare(run: int) -> Callable[[], None]:
        page.locator(".st-key-gallery").scroll_into_view_if_needed()
        position = centre(page, "x", (run + 1) // 3 % 2, (run + 1) % 3, "gallery")
        return lambda: page.mouse.click(*position)

    return prepare


def change_times(
    page: Page, plot: str, change: Change, payload: Callable[[], int]
) -> tuple[list[float], int]:
    """Return the milliseconds from key press or click to the painted figure, and bytes received."""
    times, sizes = [], []
    for run in range(RUNS):
        act = change(run)
        payload()
        times.append(change_time(page, f"{plot} .heatmaplayer image", act))
        page.wait_for_timeout(250)  # lets the change finish
        page.wait_for_selector("[data-test-script-state=notRunning]")
        sizes.append(payload())
    return times, round(statistics.median(sizes))


def naive_times(browser: Browser, name: str, address: str) -> float | None:
    """Return the median time of a channel change on the naive page; None if it is too slow."""
    height, _, channels = name.split("×")
    if int(height) > 128:
        return None  # it sends every pixel, which takes minutes
    with opened(browser, f"{address}/?height={height}&channels={channels}") as (page, payload):
        page.wait_for_selector(f"{NAIVE_PLOT} .heatmaplayer image", state="attached")
        page.wait_for_load_state("networkidle")
        return statistics.median(
            change_times(page, NAIVE_PLOT, typing(page, "Channel", 7), payload)[0]
        )


def hover_times(page: Page) -> list[float]:
    """Return the milliseconds of script per mouse move, including readout and marks."""
    page.evaluate(
        """plot => {
            window.moves = [];
            const node = document.querySelector(plot);
            const start = () => { window.moveStart = performance.now(); };
            document.addEventListener('pointermove', start, true);
            node.addEventListener('pointermove', () => {
              window.moves.push(performance.now() - window.moveStart);
            });
        }""",
        PLOT,
    )
    rows = page.evaluate("plot => document.querySelector(plot)._fullLayout.yaxis.range[0]", PLOT)
    for step in range(60):
        share = (step + 0.5) / 60
        page.mouse.move(*centre(page, "bn2", share * rows, ((share * 7) % 1) * rows))
    return list(page.evaluate("window.moves"))


def alone(what: str, times: list[float]) -> Row:
    """Return a row without a peer."""
    return Row(what, statistics.median(times), "ms", "–", None, None, len(times))


def against_naive(what: str, times: list[float], theirs: float | None) -> Row:
    """Return a row compared with the naive page, if it was measured."""
    median = statistics.median(times)
    peer = "naive page" if theirs else "–"
    return Row(what, median, "ms", peer, theirs, theirs and median / theirs, len(times))
