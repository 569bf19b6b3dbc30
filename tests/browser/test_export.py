"""Every file that a view offers, saved in a browser and opened again."""

import csv
import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from explorer import split_gradient, trace_block
from explorer.inputs import generate
from explorer.records import BlockTrace
from tests.browser.conftest import OpenPage
from tests.browser.page import readout, wait_for_figure

SHAPE = 12, 10, 4
LINK = "input=normal&height=12&width=10&channels=4&seed=3&pin=add,2,3"
SVG = "{http://www.w3.org/2000/svg}"


def traced(variant: str = "v1") -> BlockTrace:
    return trace_block(3, generate("normal", *SHAPE, 0), SHAPE[-1], variant=variant)


def open_export(page: Page) -> None:
    wait_for_figure(page)
    page.wait_for_selector("[data-test-script-state=notRunning]")
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
    """Run a script where this package cannot be imported; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-I", script], capture_output=True, text=True, check=True, timeout=300
    )
    return done.stdout.strip()


def test_a_picture_has_what_is_seen(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(f"?{LINK}")
    open_export(page)
    svg = saved(page, "Save picture", tmp_path)
    words = texts(svg)
    assert any(f"digest of out {traced().digest()[:16]}" in each for each in words)
    for name in ("conv1", "identity", "This pixel"):
        assert any(each.startswith(name) for each in words), name
    value = f"{readout(page)['add']:.3f}".replace("-", "−")
    assert words.count(value) >= 2  # over the panel of add, with its outline
    width, height = (
        float(ElementTree.fromstring(svg.read_bytes()).attrib[side]) for side in ("width", "height")
    )
    for scale in (1, 2, 4):
        page.get_by_label("Format").select_option(str(scale))
        with Image.open(saved(page, "Save picture", tmp_path)) as picture:
            assert picture.size == (round(width) * scale, round(height) * scale)
            assert picture.convert("RGBA").getpixel((1, 1)) == (255, 255, 255, 255)
    page.get_by_label("Transparent").check()
    page.get_by_label("Title").uncheck()
    with Image.open(saved(page, "Save picture", tmp_path)) as picture:
        assert picture.height < 4 * round(height)
        assert picture.convert("RGBA").getpixel((1, 1))[3] == 0


@pytest.mark.parametrize(
    ("view", "variant"), [("", "v1"), ("&view=what_if&variant=projection", "projection")]
)
def test_data_and_scripts_of_a_block_are_those_of_its_trace(
    view: str, variant: str, open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_page(f"?{LINK}{view}")
    open_export(page)
    trace = traced(variant)
    found = arrays(saved(page, "Arrays", tmp_path))
    for name, stage in trace.stages.items():
        np.testing.assert_array_equal(found[f"stages.{name}"], stage)
    numbers = json.loads(saved(page, "Numbers", tmp_path).read_bytes())
    assert numbers["digests"]["out"] == trace.digest()
    assert printed(saved(page, "Script (.py)", tmp_path)) == f"digest of out: {trace.digest()}"
    cells = json.loads(saved(page, "Notebook", tmp_path).read_bytes())["cells"]
    code = [each["source"] for each in cells if each["cell_type"] == "code"]
    (tmp_path / "cells.py").write_text("\n\n\n".join(code), encoding="utf-8")
    assert printed(tmp_path / "cells.py") == f"digest of out: {trace.digest()}"
    short = saved(page, "Script with this package", tmp_path).read_text(encoding="utf-8")
    assert "explorer.trace_model" in short
    exec(compile(short, "script", "exec"), {})  # prints the digest


def test_gradients_are_saved_with_both_parts(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(f"?{LINK}&view=gradients")
    open_export(page)
    x = generate("normal", *SHAPE, 0)
    split = split_gradient(3, x, SHAPE[-1], np.ones(SHAPE, np.float32))
    found = arrays(saved(page, "Gradients,", tmp_path))
    np.testing.assert_array_equal(found["parts.total"], split.total)
    np.testing.assert_array_equal(found["parts.residual"], split.residual)
    np.testing.assert_array_equal(found["gradients.bn2"], split.stages["bn2"])


def test_curves_are_saved_as_tables(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(f"?{LINK}&view=depth&depth=3&runs=2")
    page.get_by_text("the norm of the gradient is").wait_for()
    page.get_by_role("button", name="Export", exact=True).click()
    with saved(page, "Curves", tmp_path).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 2 * 3
    assert {row["stack"] for row in rows} == {"residual", "plain"}
