"""Browser tests of the Gradients and the Depth view."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from explorer import trace_block
from explorer.engine.gradients import cotangent_of, split_trace
from explorer.engine.propagation import propagate
from explorer.inputs import generate
from tests.browser.conftest import OpenPage
from tests.browser.page import LOOKS, centre, pick, readout

X = generate("zone_plate", 32, 32, 8)
GRADIENTS = ".st-key-gradients .linked-figure"
CURVES = ".st-key-curves .linked-figure-plot"
READOUT = f"{GRADIENTS}-readout"


def test_hover_shows_both_parts_and_their_sum(open_page: OpenPage) -> None:
    page = open_page("?input=zone_plate&view=gradients")
    page.wait_for_selector(f"{GRADIENTS} .heatmaplayer image", state="attached")
    expect(page.locator(READOUT)).to_contain_text("Move over a panel")
    page.mouse.move(*centre(page, "conv1", 5, 7, "gradients"))
    expect(page.locator(READOUT)).to_contain_text("[5, 7]")
    trace = trace_block(0, X, 8)
    split = split_trace(trace, cotangent_of("ones", trace))
    numbers = readout(page, READOUT)
    assert numbers == {
        "identity": split.identity[5, 7, 0],
        "residual": split.residual[5, 7, 0],
        "x": split.total[5, 7, 0],
    }


def test_a_pin_is_the_cotangent_and_the_link_restores_it(open_page: OpenPage) -> None:
    page = open_page("?input=zone_plate&view=gradients")
    page.wait_for_selector(f"{GRADIENTS} .heatmaplayer image", state="attached")
    pick(page, "pinned pixel")
    page.wait_for_selector(".st-key-influence .heatmaplayer image", state="attached")
    page.mouse.click(*centre(page, "out", 9, 30, "gradients"))
    page.wait_for_url("**pin=out*9*30**")
    expect(page.get_by_text("of out[9, 30], channel 0")).to_be_visible()
    copy = open_page(page.url.split("/", 3)[3], in_fresh_profile=True)
    expect(copy.get_by_text("of out[9, 30], channel 0")).to_be_visible()
    expect(copy.locator(READOUT)).to_contain_text("pinned [9, 30]")


def test_depth_128_with_8_runs_shows_progress_and_its_curves(open_page: OpenPage) -> None:
    page = open_page("?view=depth&input=normal&height=16&width=16&depth=128")
    expect(page.get_by_text("Running the stacks").first).to_be_visible()
    page.wait_for_selector(f"{CURVES} .scatterlayer path", state="attached", timeout=60_000)
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    found = page.evaluate(
        """plot => [...document.querySelector(plot)._fullData
            .find((trace) => trace.name === 'plain: gradient norm').y]""",
        CURVES,
    )
    x = generate("normal", 16, 16, 8)
    record = propagate(0, x, 8, depth=128, seeds=8, variant="no_skip")
    expected = np.median(record.curves["gradient norm"], axis=0)
    np.testing.assert_allclose(np.array(found, float), expected, rtol=1e-3)


def test_stop_stops_and_run_runs(open_page: OpenPage) -> None:
    page = open_page("?input=zone_plate&view=depth&height=64&width=64&depth=64&runs=3")
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_selector(f"{CURVES} .scatterlayer path", state="attached", timeout=120_000)


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_both_views_look_right(
    open_page: OpenPage, artifacts: Path, width: int, theme: str
) -> None:
    page = open_page(
        "?input=zone_plate&view=gradients&cotangent=pinned+pixel&pin=out,12,19",
        width=width,
        height=1800,
        color_scheme=theme,
    )
    page.wait_for_selector(".st-key-influence .heatmaplayer image", state="attached")
    page.screenshot(path=artifacts / f"gradients-{width}-{theme}.png")
    page = open_page(
        "?view=depth&input=normal&height=16&width=16&depth=48&depth_details=ablation",
        width=width,
        height=1800,
        color_scheme=theme,
    )
    page.wait_for_selector(
        ".st-key-ablation_figure .scatterlayer path", state="attached", timeout=60_000
    )
    page.screenshot(path=artifacts / f"depth-{width}-{theme}.png")
