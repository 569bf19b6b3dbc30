"""A checkpoint in a browser: upload it with a photo, open a block, and follow the link."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect
from safetensors.numpy import save

from explorer import load_checkpoint
from explorer.analysis.pixel import Cell, explain
from explorer.figures.pixel import equation
from explorer.inputs import generate, read_upload
from explorer.inputs.preprocessing import default_preprocessing, preprocess
from explorer.records import NetworkTrace
from tests.browser.conftest import OpenPage
from tests.browser.page import centre, digest, pick, readout, wait_for_figure
from tests.browser.saved import arrays, open_export, printed, saved, texts
from tests.checkpoints import Architecture, state_of

# As ResNet-18, with fewer channels.
NET = Architecture(blocks=(2, 2, 2, 2), widths=(4, 6, 8, 10), strides=(1, 2, 2, 2))
CHECKPOINT = save(state_of(NET, classes=10))
FIGURE = ".st-key-checkpoint_figure .linked-figure"
ARITHMETIC = ".st-key-arithmetic .infolayer"


def photo() -> bytes:
    pixels = np.uint8(255 * generate("cells", 90, 120, 3, 1))
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def trace() -> NetworkTrace:
    steps = preprocess(read_upload("photo.png", photo()), default_preprocessing(3, is_small=False))
    return load_checkpoint(CHECKPOINT).trace(steps.normalised)


def choose(page: Page, key: str, name: str, data: bytes) -> None:
    payload: Any = {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    page.locator(f".st-key-{key} input[type=file]").set_input_files(payload)


def choose_both(page: Page) -> None:
    choose(page, "checkpoint_file", "net.safetensors", CHECKPOINT)
    page.locator(".st-key-file input[type=file]").wait_for(state="attached")
    choose(page, "file", "photo.png", photo())


def test_from_the_upload_to_a_pixel_and_back_by_the_link(
    open_page: OpenPage, tmp_path: Path
) -> None:
    found = trace()
    page = open_page("?view=network&network_from=checkpoint&checkpoint_picture=upload", height=2000)
    choose_both(page)
    page.wait_for_selector(f"{FIGURE} .heatmaplayer image", state="attached")
    block = found["layer2.0"]
    at = centre(page, "layer2.0 F(x)", 10, 20, "checkpoint_figure")
    page.mouse.move(*at)
    expect(page.locator(f"{FIGURE}-readout")).to_contain_text("row 10, column 20")
    values = readout(page, f"{FIGURE}-readout")
    assert values["layer2.0 F(x)"] == np.float32(block["bn2"][5, 10].mean())
    page.mouse.click(*at)
    page.wait_for_url("**network_pin=layer2.0*")
    open_export(page)
    saved_arrays = arrays(saved(page, "Arrays of all blocks", tmp_path))
    np.testing.assert_array_equal(saved_arrays["layer2.0.stages.out"], block["out"])
    assert any("layer2.0" in text for text in texts(saved(page, "Save picture", tmp_path)))
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Open in Forward", exact=True).click()
    page.wait_for_url("**checkpoint_block=layer2.0**")
    wait_for_figure(page)
    assert digest(page) == block.digest()

    page.mouse.click(*centre(page, "add", 6, 8))
    words = " ".join(equation(explain(block, Cell("add", 3, 4, 0))))
    words = words.replace("<b>", "").replace("</b>", "")
    expect(page.locator(ARITHMETIC)).to_contain_text(words)
    page.wait_for_url("**pin=add*")
    open_export(page)
    script = saved(page, "Script (.py)", tmp_path)
    assert printed(script) == f"digest of out: {block.digest()}"
    page.keyboard.press("Escape")

    copy = open_page(page.url.split("/", 3)[3], in_fresh_profile=True)
    expect(copy.get_by_text("This link was made with the checkpoint of digest")).to_be_visible()
    choose(copy, "checkpoint_file", "net.safetensors", CHECKPOINT)
    expect(copy.get_by_text("This link was made with the file photo.png")).to_be_visible()
    choose(copy, "file", "photo.png", photo())
    wait_for_figure(copy)
    assert digest(copy) == block.digest()
    expect(copy.locator(ARITHMETIC)).to_contain_text(words)

    pick(page, "Network")
    page.wait_for_selector(f"{FIGURE} .heatmaplayer image", state="attached")
    pick(page, "gradient of a class")
    expect(page.get_by_text("The gradient of the logit of class")).to_be_visible()
