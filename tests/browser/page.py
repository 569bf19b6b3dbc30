"""What the browser tests read off the page."""

import re

import numpy as np
from playwright.sync_api import Page


def wait_for_picture(page: Page) -> None:
    """Waits until all nine panels are painted."""
    page.wait_for_function("document.querySelectorAll('.heatmaplayer image').length >= 10")


def digest(page: Page) -> str:
    """The digest of `out` that the page shows."""
    text = page.get_by_text("Digest of out:").inner_text()
    match = re.search(r"Digest of out: ([0-9a-f]{16})", text)
    assert match, text
    return match[1]


def panel(page: Page, name: str) -> np.ndarray:
    """The values that Plotly drew in one panel, as float32."""
    values = page.evaluate(
        """name => document.querySelector('.linked-figure')._fullData
            .find((trace) => trace.name === name).z.map((row) => [...row])""",
        name,
    )
    return np.array(values, np.float32)


def wait_for_panel(page: Page, name: str, values: np.ndarray) -> None:
    """Waits until a panel shows `values`, told by their first row."""
    page.wait_for_function(
        """([name, row]) => document.querySelector('.linked-figure')?._fullData
            ?.find((trace) => trace.name === name)
            ?.z[0].every((value, col) => value === row[col])""",
        arg=[name, values[0].tolist()],
    )


def wait_for_new_digest(page: Page, old: str) -> str:
    """Waits until the page shows another digest than `old`, and gives it."""
    page.wait_for_function(
        "old => !document.body.innerText.includes(old)"
        " && document.body.innerText.includes('Digest of out: ')",
        arg=old,
    )
    return digest(page)


def set_number(page: Page, label: str, value: int) -> None:
    """Types a number into a field and leaves it."""
    field = page.get_by_label(label, exact=True)
    field.fill(str(value))
    field.press("Enter")


def pick(page: Page, label: str) -> None:
    """Clicks one segment of a control."""
    page.get_by_role("radio", name=label, exact=True).click()


def choose_input(page: Page, title: str) -> None:
    """Selects an entry of the input list."""
    page.get_by_role("combobox", name="Input").click()
    page.get_by_role("option", name=title, exact=True).click()


def upload(page: Page, name: str, data: bytes) -> None:
    """Gives a file to the uploader."""
    payload = {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    page.locator("input[type=file]").set_input_files(payload)  # type: ignore[arg-type]
