"""Two checkpoints compared in a browser: upload both, click a block, and follow the link."""

import numpy as np
from playwright.sync_api import Page, expect
from safetensors.numpy import save

from explorer import load_checkpoint
from explorer.inputs import generate
from explorer.inputs.preprocessing import default_preprocessing, preprocess
from explorer.page.checkpoint_selection import SAMPLE_SIDE
from explorer.records import NetworkTrace
from tests.browser.conftest import OpenPage
from tests.browser.page import centre, readout
from tests.browser.test_checkpoint import NET, choose
from tests.checkpoints import state_of

CHECKPOINTS = [save(state_of(NET, classes=10, seed=seed)) for seed in (0, 1)]
FIGURE = ".st-key-difference_figure .linked-figure"
STAGES = ".st-key-difference_block .linked-figure"
LINK = "?view=network&network_from=checkpoint&checkpoint_details=compare&compare_with=checkpoint"


def trace(data: bytes) -> NetworkTrace:
    sample = generate("landscape", SAMPLE_SIDE, SAMPLE_SIDE, 3, 0)
    steps = preprocess(sample, default_preprocessing(3, is_small=False))
    return load_checkpoint(data).trace(steps.normalised)


def choose_both(page: Page) -> None:
    choose(page, "checkpoint_file", "one.safetensors", CHECKPOINTS[0])
    page.locator(".st-key-compare_file input[type=file]").wait_for(state="attached")
    choose(page, "compare_file", "two.safetensors", CHECKPOINTS[1])
    page.wait_for_selector(f"{FIGURE} .heatmaplayer image", state="attached")


def test_from_two_uploads_to_the_stages_of_a_block_and_back_by_the_link(
    open_page: OpenPage,
) -> None:
    one, other = (trace(data)["layer2.0"] for data in CHECKPOINTS)
    page = open_page(LINK, height=3000)
    choose_both(page)
    expect(page.get_by_text("They differ first in the stem")).to_be_visible()
    page.locator(FIGURE).scroll_into_view_if_needed()
    at = centre(page, "layer2.0 F(x)", 10, 20, "difference_figure")
    page.mouse.move(*at)
    expect(page.locator(f"{FIGURE}-readout")).to_contain_text("row 10, column 20")
    gap = (other["bn2"] - one["bn2"])[5, 10].mean()
    found = readout(page, f"{FIGURE}-readout")["layer2.0 F(x)"]
    np.testing.assert_allclose(found, gap, rtol=1e-5)
    page.mouse.click(*at)
    page.wait_for_selector(f"{STAGES} .heatmaplayer image", state="attached")
    page.wait_for_url("**difference_pin=layer2.0*")
    expect(page.get_by_text("layer2.0, stage by stage")).to_be_visible()

    page.locator(STAGES).scroll_into_view_if_needed()
    page.mouse.click(*centre(page, "difference add", 6, 8, "difference_block"))
    page.wait_for_url("**compare_pin=difference*")
    expect(page.locator(f"{STAGES}-readout")).to_contain_text("Reference:")
    values = readout(page, f"{STAGES}-readout")
    for panel, block in (("add", one), ("other add", other)):
        assert values[panel] == block["add"][3, 4, 0]

    copy = open_page(page.url.split("/", 3)[3], in_fresh_profile=True, height=3000)
    expect(copy.get_by_text("This link was made with the checkpoint of digest")).to_be_visible()
    choose(copy, "checkpoint_file", "one.safetensors", CHECKPOINTS[0])
    second = "This link was made with the second checkpoint of digest"
    expect(copy.get_by_text(second)).to_be_visible()
    choose(copy, "compare_file", "two.safetensors", CHECKPOINTS[1])
    copy.wait_for_selector(f"{STAGES} .heatmaplayer image", state="attached")
    expect(copy.locator(f"{STAGES}-readout")).to_contain_text("pinned row 6, column 8")
    assert readout(copy, f"{STAGES}-readout") == values
