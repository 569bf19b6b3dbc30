"""Every file that a view offers, saved in a browser and opened again."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from explorer import split_gradient, trace_block
from explorer.engine.training_settings import TrainingSettings
from explorer.figures.theme import THEMES
from explorer.inputs import generate
from explorer.records import BlockTrace
from tests.browser.conftest import OpenPage
from tests.browser.page import (
    READOUT,
    centre,
    readout,
    wait_for_heatmaps,
    wait_for_theme,
    wait_until_ready,
)
from tests.browser.saved import arrays, open_export, printed, saved, texts
from tests.browser.sheet import PHONE, opened

SHAPE = 12, 10, 4
LINK = "input=normal&height=12&width=10&channels=4&seed=3&pin=add,2,3"
BLOCKS = TrainingSettings().blocks
NETWORK = ".st-key-network_figure"


def traced(variant: str = "v1") -> BlockTrace:
    return trace_block(3, generate("normal", *SHAPE, 0), SHAPE[-1], variant=variant)


def corner(picture: Image.Image) -> tuple[int, ...]:
    """Return the colour of the background, as red, green, blue and opacity."""
    found = picture.convert("RGBA").getpixel((1, 1))
    assert isinstance(found, tuple)
    return found


@contextmanager
def offline(browser: Browser, path: Path) -> Iterator[Page]:
    """Open a file in a browser without a network; at the end, nothing else was asked for."""
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})
    page, asked, messages = context.new_page(), list[str](), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_selector(".heatmaplayer image", state="attached")
    page.evaluate("document.querySelector('main').className = 'st-key-stages'")  # as on the page
    yield page
    assert [url for url in asked if not url.startswith(("blob:", "data:"))] == [path.as_uri()]
    assert messages == []
    context.close()


def values(trace: BlockTrace, row: int, col: int, channel: int) -> dict[str, float]:
    """Return what the card shows of a pixel."""
    return {name: float(trace[name][row, col, channel]) for name in ("x", "bn2", "add", "out")}


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
            assert corner(picture) == (255, 255, 255, 255)
    page.get_by_role("radio", name="Dark", exact=True).click()
    wait_for_theme(page, "dark")
    wait_until_ready(page)
    with Image.open(saved(page, "Save picture", tmp_path)) as picture:
        assert corner(picture) == (*bytes.fromhex(THEMES["dark"].page[1:]), 255)
    page.get_by_label("Transparent background").check()
    page.get_by_label("Title").uncheck()
    with Image.open(saved(page, "Save picture", tmp_path)) as picture:
        assert picture.height < 4 * round(height)
        assert corner(picture)[3] == 0
    page.get_by_role("button", name="Export", exact=True).click()
    wait_for_theme(page, "light")
    wait_until_ready(page)
    page.get_by_role("button", name="Export", exact=True).click()
    wait_for_theme(page, "dark")
    expect(page.get_by_label("Format")).to_have_value("4")
    expect(page.get_by_label("Transparent background")).to_be_checked()


def test_without_a_pixel_a_picture_has_no_hint(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(f"?{LINK.replace('add,2,3', 'none')}")
    open_export(page)
    expect(page.locator(READOUT)).to_contain_text("Move over a panel")
    picture = saved(page, "Save picture", tmp_path)
    assert picture.name.endswith("-channel-0.svg")
    assert not any("Move over" in each or "follow" in each for each in texts(picture))


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
    assert "conv1" in " ".join(texts(saved(page, "Save picture", tmp_path)))
    numbers = json.loads(saved(page, "Numbers", tmp_path).read_bytes())
    assert numbers["digests"]["out"] == trace.digest()
    assert printed(saved(page, "Script (.py)", tmp_path)) == f"digest of out: {trace.digest()}"
    cells = json.loads(saved(page, "Notebook", tmp_path).read_bytes())["cells"]
    code = [each["source"] for each in cells if each["cell_type"] == "code"]
    (tmp_path / "cells.py").write_text("\n\n\n".join(code), encoding="utf-8")
    assert printed(tmp_path / "cells.py") == f"digest of out: {trace.digest()}"
    short = saved(page, "Script with explorer", tmp_path).read_text(encoding="utf-8")
    assert "explorer.trace_model" in short
    exec(compile(short, "script", "exec"), {})  # prints the digest


def test_gradients_are_saved_with_both_parts(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(f"?{LINK}&view=gradients")
    open_export(page)
    x = generate("normal", *SHAPE, 0)
    split = split_gradient(3, x, SHAPE[-1], cotangent=np.ones(SHAPE, np.float32))
    found = arrays(saved(page, "Gradients,", tmp_path))
    np.testing.assert_array_equal(found["parts.total"], split.total)
    np.testing.assert_array_equal(found["parts.residual"], split.residual)
    np.testing.assert_array_equal(found["gradients.bn2"], split.stages["bn2"])
    assert any(each.startswith("total") for each in texts(saved(page, "Save picture", tmp_path)))


def test_curves_are_saved_as_tables(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(f"?{LINK}&view=depth&depth=3&runs=2")
    page.get_by_text("the norm of the gradient is").wait_for()
    page.get_by_role("button", name="Export", exact=True).click()
    with saved(page, "Curves", tmp_path).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 2 * 3
    assert {row["stack"] for row in rows} == {"residual", "plain"}
    assert "digest of out" not in " ".join(texts(saved(page, "Save picture", tmp_path)))


def test_a_training_is_saved_with_every_step(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page("?view=train&net_blocks=1&net_width=4&net_batch=16&net_steps=20")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text("Within 20 steps the network").wait_for()
    page.get_by_role("button", name="Export", exact=True).click()
    with saved(page, "Curves", tmp_path).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == 2 * [str(step) for step in range(1, 21)]
    assert len(texts(saved(page, "Save picture", tmp_path))) > 5


def test_a_page_works_without_server_and_network(
    open_page: OpenPage, browser: Browser, tmp_path: Path
) -> None:
    page = open_page(f"?{LINK}&channel=2")
    open_export(page)
    path = saved(page, "Offline page", tmp_path)
    assert path.stat().st_size < 2.5e6
    trace = traced()
    with offline(browser, path) as living:
        expect(living.locator(READOUT)).to_contain_text("pinned row 2, column 3 · Channel 2")
        assert readout(living) == values(trace, 2, 3, 2)
        field = living.get_by_role("spinbutton", name="Channel")
        for typed, shown in (("99", "3"), ("", "0")):
            field.fill(typed)
            field.press("Enter")
            field.blur()
            expect(field).to_have_value(shown)
        living.mouse.move(*centre(living, "conv1", 5, 4))
        assert readout(living) == values(trace, 5, 4, 0)
        living.mouse.click(*centre(living, "add", 7, 2))
        living.keyboard.press("ArrowRight")
        expect(living.locator(READOUT)).to_contain_text("pinned row 7, column 3 · Channel 0")
        living.keyboard.press("PageDown")
        expect(living.locator(READOUT)).to_contain_text("pinned row 7, column 3 · Channel 1")
        assert readout(living) == values(trace, 7, 3, 1)
        living.keyboard.press("Escape")
        living.mouse.move(0, 0)
        expect(living.locator(READOUT)).not_to_contain_text("pinned")
        living.emulate_media(color_scheme="dark")
        wait_for_theme(living, "dark")
        link = living.get_by_role("link", name="Open it with these settings").get_attribute("href")
        assert link
        assert "seed=3" in link
        assert trace.digest() in living.content()


def test_a_network_is_saved_with_its_page_and_tables(
    open_page: OpenPage, browser: Browser, tmp_path: Path
) -> None:
    page = open_page("?view=network&network_pin=block2 out,0,0")
    wait_for_heatmaps(page, NETWORK)
    page.get_by_role("button", name="Export", exact=True).click()
    found = arrays(saved(page, "Arrays of all blocks", tmp_path))
    block = arrays(saved(page, "Arrays of block2", tmp_path))
    assert len(found) > 5 * len(block)
    for name, array in block.items():
        np.testing.assert_array_equal(found[f"block2.{name}"], array)
    np.testing.assert_array_equal(found["block2.stages.x"], found["block1.stages.out"])
    for table, count in (("Classes after", 1 + BLOCKS), ("Confusion matrix", 10)):
        with saved(page, table, tmp_path).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == (
            count or 1 + len({name.split(".")[0] for name in found if "block" in name})
        )
    assert any("block2" in each for each in texts(saved(page, "Save picture", tmp_path)))
    with offline(browser, saved(page, "Offline page", tmp_path)) as living:
        living.mouse.click(*centre(living, "block2 out", 3, 4))
        expect(living.locator(READOUT)).to_contain_text("pinned row 3, column 4 · Channel 0")
        assert readout(living) == {
            "block1 out": float(block["stages.x"][3, 4, 0]),
            "block2 F(x)": float(block["stages.bn2"][3, 4, 0]),
            "block2 out": float(block["stages.out"][3, 4, 0]),
        }


def test_a_phone_saves_what_it_shows(browser: Browser, address: str, tmp_path: Path) -> None:
    with opened(browser, PHONE) as phone:
        page = phone.new_page()
        page.goto(f"{address}/?{LINK}")
        wait_for_heatmaps(page)
        page.get_by_role("button", name="Settings").tap()
        page.get_by_text("Export", exact=True).tap()
        picture = ElementTree.fromstring(saved(page, "Save picture", tmp_path).read_bytes())
        assert float(picture.attrib["width"]) <= PHONE[0]
        trace = traced()
        found = arrays(saved(page, "Arrays", tmp_path))
        np.testing.assert_array_equal(found["stages.out"], trace["out"])
