"""Time to the first picture, compared with CNN Explainer's first maps and with a second visit.

Every visit is timed from the navigation to the end of the frame that shows the picture. Visits are
in turns, in new browser profiles, to servers that have answered before.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from playwright.sync_api import Browser, sync_playwright

from tests.bench import cnn_explainer
from tests.bench.table import Row, compared
from tests.browser import chromium
from tests.browser.page import PLOT
from tests.browser.server import running_page

ROUNDS = 7
NETWORKS: dict[str, Mapping[str, float]] = {
    "loopback": {},
    "10 Mbit/s, 40 ms": {
        "latency": 40,
        "downloadThroughput": 10e6 / 8,
        "uploadThroughput": 10e6 / 8,
    },
}
LIMITS = {"loopback": 0.9, "10 Mbit/s, 40 ms": 1.0}  # times CNN Explainer's
SECOND_LIMIT = 0.6  # times the first visit's
# A frame's callback runs before painting; a task queued by it runs after painting.
WATCH = """
const look = () => {{
  const images = [...document.querySelectorAll('{images}')];
  if (images.length >= {count} && images.every((image) => image.getAttribute('href')))
    setTimeout(() => {{ window.painted = performance.now(); }});
  else requestAnimationFrame(look);
}};
requestAnimationFrame(look);
"""


@dataclass(frozen=True)
class Picture:
    """A page and the images of its first picture.

    Attributes:
        address: URL of the page.
        images: selector of the images.
        count: number of images.
    """

    address: str
    images: str
    count: int


def rows() -> list[Row]:
    """Measure the first picture's rows of the table."""
    with sync_playwright() as playwright, running_page() as ours, cnn_explainer.running() as theirs:
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=[*chromium.ARGUMENTS, cnn_explainer.ALONE]
        )
        pictures = {"ours": Picture(ours, f"{PLOT} .heatmaplayer image", 10)}
        if theirs:
            for name, path in cnn_explainer.PAGES.items():
                maps = cnn_explainer.MAPS, cnn_explainer.MAP_COUNT
                pictures[name] = Picture(theirs + path, *maps)
        found = [row for network in NETWORKS for row in _network(browser, pictures, network)]
        browser.close()
    return found


def _network(browser: Browser, pictures: Mapping[str, Picture], network: str) -> list[Row]:
    for picture in pictures.values():
        visits(browser, picture, {})  # so that each server has answered before
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in pictures}
    for turn in range(ROUNDS):
        for name in list(pictures)[:: 1 if turn % 2 else -1]:
            times[name].append(visits(browser, pictures[name], NETWORKS[network]))
    first = {name: [pair[0] for pair in pairs] for name, pairs in times.items()}
    second = {name: [pair[1] for pair in pairs] for name, pairs in times.items()}
    peers = list(pictures)[1:]
    what = f"first picture, {network}"
    found = [
        compared(what, "ms", _named(peer, network), first["ours"], first[peer]) for peer in peers
    ]
    what, limit = f"second visit, {network}", f"first visit (limit {SECOND_LIMIT:g})"
    found.append(compared(what, "ms", limit, second["ours"], first["ours"]))
    return found + [compared(what, "ms", peer, second["ours"], second[peer]) for peer in peers]


def _named(peer: str, network: str) -> str:
    """Return the peer's name, with the limit of the comparison with its page as it is."""
    return f"{peer} (limit {LIMITS[network]:g})" if peer == "CNN Explainer" else peer


def visits(browser: Browser, picture: Picture, network: Mapping[str, float]) -> tuple[float, float]:
    """Return the milliseconds of a first visit in a new browser profile, and of a second one."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.add_init_script(WATCH.format(images=picture.images, count=picture.count))
    page = context.new_page()
    if network:
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", {"offline": False, **network})

    def visit() -> float:
        page.goto(picture.address, wait_until="commit")
        page.wait_for_function("() => window.painted", timeout=60_000)
        return float(page.evaluate("window.painted"))

    first = visit()
    page.wait_for_load_state("networkidle")
    second = visit()
    context.close()
    return first, second
