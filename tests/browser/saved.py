"""Files that the page offers, saved by a browser and read."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from playwright.sync_api import Page

from tests.browser.page import wait_for_heatmaps

SVG = "{http://www.w3.org/2000/svg}"


def open_export(page: Page) -> None:
    wait_for_heatmaps(page)
    page.get_by_role("button", name="Export", exact=True).click()
    page.get_by_role("button", name="Save picture").wait_for()


def saved(page: Page, button: str, folder: Path) -> Path:
    """Click a button; return the file that the browser saves."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def texts(svg: Path) -> list[str]:
    root = ElementTree.fromstring(svg.read_bytes())
    return ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]


def arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(BytesIO(path.read_bytes())) as found:
        return {name: found[name] for name in found.files if name != "README"}


def printed(script: Path) -> str:
    """Run a script where this package cannot be imported; return its line with the digest."""
    done = subprocess.run(
        [sys.executable, "-I", script], capture_output=True, text=True, check=True, timeout=300
    )
    return next(line for line in done.stdout.splitlines() if line.startswith("digest"))
