"""Helpers that read and operate the page in a browser."""

import re
from dataclasses import dataclass

import numpy as np
from playwright.sync_api import Locator, Page

from explorer.figures.theme import THEMES, ThemeName

STAGES = ".st-key-stages .linked-figure"
PLOT = ".st-key-stages .linked-figure-plot"
READOUT = ".st-key-stages .linked-figure-readout"
PATIENCE = 60_000  # milliseconds: a busy machine may need that long for what usually takes 0.1 s
# True if no run is in progress, no control is a placeholder, which Streamlit shows until the
# control's script is loaded, and lecture.js listens to keys. Saved pages have no such script.
_IS_READY = """!document.querySelector(
    '[data-test-script-state]:not([data-test-script-state=notRunning]), [data-testid=stSkeleton]')
    && (document.documentElement.dataset.lecture || !document.querySelector('.stApp'))"""
# Widths and themes of the pictures for visual inspection: each once.
LOOKS = [(800, "light"), (1600, "dark")]


def wait_for_figure(page: Page) -> None:
    """Wait until all nine panels and the zeroed cells are painted and the page is ready."""
    page.wait_for_function(
        "plot => document.querySelectorAll(plot + ' .heatmaplayer image').length >= 10"
        f" && {_IS_READY}",
        arg=PLOT,
    )


def wait_for_heatmaps(page: Page, figure: str = "") -> None:
    """Wait until a figure of heatmaps, of this selector, is painted and the page is ready."""
    page.wait_for_selector(f"{figure} .heatmaplayer image", state="attached")
    wait_until_ready(page)


def wait_until_ready(page: Page) -> None:
    """Wait until the page's run has ended and everything stands where it will stay."""
    page.wait_for_function(f"() => document.querySelector('.stApp') && {_IS_READY}")


def wait_until_still(page: Page, element: str) -> None:
    """Wait until the page is ready and an element, of this selector, keeps its place for 6 frames.

    Until then, what is drawn above it may move it away from the mouse.
    """
    page.wait_for_function(f"() => {_IS_READY}")
    page.evaluate(
        """async (element) => {
            let place = '';
            for (let frames = 0; frames < 6; frames += 1) {
                await new Promise(requestAnimationFrame);
                const { x, y } = document.querySelector(element).getBoundingClientRect();
                if (place !== `${x},${y}`) frames = 0;
                place = `${x},${y}`;
            }
        }""",
        element,
    )


def wait_for_words(page: Page, words: str) -> None:
    """Wait until the page shows these words, looking in every frame: they may pass quickly."""
    page.wait_for_function("words => document.body?.innerText.includes(words)", arg=words)


def wait_for_theme(page: Page, theme: ThemeName) -> None:
    """Wait until all figures have the colours of a theme."""
    page.wait_for_function(
        """(colour) => [...document.querySelectorAll('.linked-figure-plot')].every(
            (plot) => plot._fullLayout?.font.color === colour)""",
        arg=THEMES[theme].text,
    )


def centre(
    page: Page, panel: str, row: float, col: float, figure: str = "stages"
) -> tuple[float, float]:
    """Return the position of a pixel's centre on the page, once the figure keeps its place."""
    plot = PLOT.replace("stages", figure)
    wait_until_still(page, plot)
    x, y = page.evaluate(
        """([plot, name, row, col]) => {
            const node = document.querySelector(plot);
            const trace = node._fullData.find((candidate) => candidate.name === name);
            const x = node._fullLayout[trace.xaxis.replace('x', 'xaxis')];
            const y = node._fullLayout[trace.yaxis.replace('y', 'yaxis')];
            const box = node.getBoundingClientRect();
            return [box.x + x._offset + x.d2p(col), box.y + y._offset + y.d2p(row)];
        }""",
        [plot, panel, float(row), float(col)],
    )
    return x, y


@dataclass(frozen=True)
class Frame:
    """Where a panel is on the page, in CSS pixels."""

    left: float
    top: float
    width: float
    height: float


def frames(page: Page, plot: str = PLOT) -> dict[str, Frame]:
    """Return the frames of the figure's panels by name."""
    found = page.evaluate(
        """(plot) => {
            const node = document.querySelector(plot);
            const box = node.getBoundingClientRect();
            return node._fullData.filter(({ type }) => type === 'heatmap').map((trace) => {
                const x = node._fullLayout[trace.xaxis.replace('x', 'xaxis')];
                const y = node._fullLayout[trace.yaxis.replace('y', 'yaxis')];
                return [trace.name, box.x + x._offset, box.y + y._offset, x._length, y._length];
            });
        }""",
        plot,
    )
    return {name: Frame(*map(float, numbers)) for name, *numbers in found}


def choose_variant(page: Page, title: str) -> None:
    """Choose a variant by its title, whatever its group."""
    page.get_by_role("combobox", name="Variant").click()
    page.get_by_role("option", name=re.compile(rf"^(\w+ · )?{re.escape(title)}$")).click()


def readout(page: Page, under: str = READOUT) -> dict[str, float]:
    """Return the numbers of the readout by panel, without rounding for display."""
    pairs = page.eval_on_selector_all(
        f"{under} [data-panel]", "all => all.map((one) => [one.dataset.panel, one.dataset.value])"
    )
    return {name: float(value) for name, value in pairs}


def wait_for_readout(page: Page, words: str) -> None:
    """Wait until the readout contains these words."""
    page.wait_for_function(
        "([readout, words]) => document.querySelector(readout)?.innerText.includes(words)",
        arg=[READOUT, words],
    )


def digest(page: Page) -> str:
    """Return the digest of `out` on the page."""
    text = page.get_by_text("Digest of out:").inner_text()
    match = re.search(r"Digest of out: ([0-9a-f]{16})", text)
    assert match, text
    return match[1]


def panel(page: Page, name: str) -> np.ndarray:
    """Return the values that Plotly drew in one panel, as float32."""
    values = page.evaluate(
        """([plot, name]) => document.querySelector(plot)._fullData
            .find((trace) => trace.name === name).z.map((row) => [...row])""",
        [PLOT, name],
    )
    return np.array(values, np.float32)


def wait_for_panel(page: Page, name: str, values: np.ndarray) -> None:
    """Wait until a panel shows `values`, compared by their first row."""
    page.wait_for_function(
        """([plot, name, row]) => document.querySelector(plot)?._fullData
            ?.find((trace) => trace.name === name)
            ?.z[0].every((value, col) => value === row[col])""",
        arg=[PLOT, name, values[0].tolist()],
    )


def wait_for_new_digest(page: Page, old: str) -> str:
    """Wait until the page shows another digest than `old`, and return it."""
    page.wait_for_function(
        "old => !document.body.innerText.includes(old)"
        " && document.body.innerText.includes('Digest of out: ')",
        arg=old,
    )
    return digest(page)


def reveal(page: Page, control: Locator) -> Locator:
    """Open the settings behind “More” if the page does not show a control; return the control."""
    if not control.is_visible():
        wait_until_ready(page)
    if not control.is_visible():
        page.get_by_role("button", name="More", exact=True).first.click()
    return control


def field(page: Page, label: str) -> Locator:
    """Return the field that is seen; within a frame the document has the one it replaces too."""
    return page.get_by_label(label, exact=True).filter(visible=True).first


def segment(page: Page, label: str) -> Locator:
    """Return the segment of a control that is seen."""
    return page.get_by_role("radio", name=label, exact=True).filter(visible=True).first


def set_number(page: Page, label: str, value: int) -> None:
    """Type a number into a field and press Enter."""
    found = reveal(page, field(page, label))
    found.fill(str(value))
    found.press("Enter")


def pick(page: Page, label: str) -> None:
    """Click one segment of a control."""
    reveal(page, segment(page, label)).click()


def choose_input(page: Page, title: str) -> None:
    """Select an entry of the input list."""
    page.get_by_role("combobox", name="Input").click()
    page.get_by_role("option", name=title, exact=True).click()


def upload(page: Page, name: str, data: bytes) -> None:
    """Choose a file in the uploader."""
    payload = {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    page.locator("input[type=file]").set_input_files(payload)  # type: ignore[arg-type]
