"""Browser tests of the Gradients and the Depth view."""

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from explorer import trace_block
from explorer.engine.gradients import cotangent_of, split_trace
from explorer.engine.propagation import propagate
from explorer.inputs import generate
from explorer.page.views.number_words import power_text
from tests.browser.conftest import OpenPage
from tests.browser.page import (
    LOOKS,
    centre,
    pick,
    readout,
    segment,
    set_number,
    wait_for_heatmaps,
    wait_for_words,
    wait_until_ready,
    wait_until_still,
)

X = generate("zone_plate", 32, 32, 8)
GRADIENTS = ".st-key-gradients .linked-figure"
CURVES = ".st-key-curves .linked-figure-plot"
SMALL_DEPTH = "?view=depth&input=normal&height=8&width=6&channels=4&depth=6&runs=2"
READOUT = f"{GRADIENTS}-readout"


def test_hover_shows_both_parts_and_their_sum(open_page: OpenPage) -> None:
    page = open_page("?input=zone_plate&view=gradients")
    wait_for_heatmaps(page, GRADIENTS)
    expect(page.locator(READOUT)).to_contain_text("Move over a panel")
    page.mouse.move(*centre(page, "conv1", 5, 7, "gradients"))
    expect(page.locator(READOUT)).to_contain_text("row 5, column 7")
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
    wait_for_heatmaps(page, GRADIENTS)
    pick(page, "pixel")
    wait_for_heatmaps(page, ".st-key-influence")
    page.mouse.click(*centre(page, "out", 9, 30, "gradients"))
    page.wait_for_url("**pin=out*9*30**")
    expect(page.get_by_text("of out[9, 30], channel 0")).to_be_visible()
    copy = open_page(page.url.split("/", 3)[3], in_fresh_profile=True)
    expect(copy.get_by_text("of out[9, 30], channel 0")).to_be_visible()
    expect(copy.locator(READOUT)).to_contain_text("pinned row 9, column 30")


def test_depth_128_with_8_runs_shows_progress_and_its_curves(open_page: OpenPage) -> None:
    page = open_page("?view=depth&input=normal&height=32&width=32&depth=128")
    wait_for_words(page, "Running the stacks")
    page.wait_for_selector(f"{CURVES} .scatterlayer path", state="attached")
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    found = page.evaluate(
        """plot => [...document.querySelector(plot)._fullData
            .find((trace) => trace.name === 'plain: gradient norm').y]""",
        CURVES,
    )
    x = generate("normal", 32, 32, 8)
    record = propagate(0, x, 8, depth=128, seeds=8, variant="no_skip")
    expected = np.median(record.curves["gradient norm"], axis=0)
    np.testing.assert_allclose(np.array(found, float), expected, rtol=1e-3)


def point(page: Page, trace: str, block: int) -> tuple[float, float]:
    """Return where a curve is at a block, on the page."""
    page.wait_for_selector(f"{CURVES} .scatterlayer path", state="attached")
    wait_until_still(page, CURVES)
    x, y = page.evaluate(
        """([plot, name, index]) => {
            const node = document.querySelector(plot);
            const trace = node._fullData.find((candidate) => candidate.name === name);
            const x = node._fullLayout[trace.xaxis.replace('x', 'xaxis')];
            const y = node._fullLayout[trace.yaxis.replace('y', 'yaxis')];
            const box = node.getBoundingClientRect();
            return [box.x + x._offset + x.d2p(trace.x[index]),
                box.y + y._offset + y.d2p(trace.y[index])];
        }""",
        [CURVES, trace, block - 1],
    )
    return x, y


def test_a_click_on_a_curve_opens_its_block_and_one_on_a_small_chart_enlarges_it(
    open_page: OpenPage,
) -> None:
    page = open_page(SMALL_DEPTH)
    figure = page.locator(".st-key-curves .linked-figure")
    x, y = point(page, "plain: gradient norm", 4)
    page.mouse.move(x, y - 3)
    record = propagate(0, generate("normal", 8, 6, 4), 4, depth=6, seeds=2, variant="no_skip")
    median = float(np.median(record.curves["gradient norm"][:, 3]))
    words = figure.locator(".linked-figure-readout")
    expect(words).to_contain_text("Block 4, gradient norm: residual ")
    expect(words).to_contain_text(f"plain {power_text(median)} (")
    page.mouse.click(x, y - 3)
    expect(page.get_by_text("Block 4 of the first run.")).to_be_visible()
    page.wait_for_url("**stack=plain**")
    page.mouse.click(*point(page, "residual: std, small", 2))
    expect(segment(page, "std")).to_be_checked()
    page.wait_for_url("**curve=std**")
    expect(words).to_contain_text("Block 4, std: residual ")
    expect(page.get_by_text("Block 4 of the first run.")).to_be_visible()


def test_charts_and_blocks_are_reached_by_the_keyboard(open_page: OpenPage) -> None:
    page = open_page(SMALL_DEPTH)
    point(page, "plain: gradient norm", 1)
    figure = page.locator(".st-key-curves .linked-figure")
    figure.focus()
    for keys in ("ArrowRight", "ArrowUp", "Shift+ArrowRight", "Shift+ArrowRight"):
        figure.press(keys)
    spoken = figure.locator(".linked-figure-spoken")
    expect(spoken).to_contain_text("residual: gradient correlation, small. Block 4, gradient corr")
    figure.press("Enter")
    expect(segment(page, "gradient correlation")).to_be_checked()
    wait_until_ready(page)
    figure.press("ArrowRight")
    figure.press("Enter")
    page.wait_for_url("**block_number=4**")
    expect(page.get_by_text("Block 4 of the first run.")).to_be_visible()


def test_the_last_figure_stays_in_its_place_while_others_run_and_after_stop(
    open_page: OpenPage,
) -> None:
    page = open_page("?view=depth&input=normal&height=64&width=64&depth=2&runs=3")
    figure = page.locator(".st-key-curves .linked-figure")
    point(page, "plain: gradient norm", 1)
    place = figure.bounding_box()
    set_number(page, "Blocks", 128)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped.")).to_be_visible()
    expect(figure).to_have_class(re.compile("stale"))
    now = figure.bounding_box()
    assert place
    assert now
    assert (now["x"], now["y"]) == (place["x"], place["y"])
    set_number(page, "Blocks", 3)
    expect(page.get_by_text("At the first of 3 blocks")).to_be_visible()
    expect(figure).not_to_have_class(re.compile("stale"))
    assert figure.bounding_box() == place


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1440, 900)])
def test_controls_verdict_and_the_large_chart_are_on_the_first_screen(
    open_page: OpenPage, width: int, height: int
) -> None:
    page = open_page(SMALL_DEPTH, width=width, height=height)
    point(page, "plain: gradient norm", 1)
    expect(page.get_by_text("At the first of 6 blocks")).to_be_in_viewport(ratio=1)
    expect(page.locator(CURVES)).to_be_in_viewport(ratio=1)
    for label in ("Blocks", "Runs"):
        expect(page.get_by_label(label, exact=True)).to_be_in_viewport(ratio=1)


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
    wait_for_heatmaps(page, ".st-key-influence")
    page.screenshot(path=artifacts / f"gradients-{width}-{theme}.png")
    page = open_page(
        "?view=depth&input=normal&height=16&width=16&depth=48&depth_details=ablation",
        width=width,
        height=1800,
        color_scheme=theme,
    )
    page.wait_for_selector(".st-key-ablation_figure .scatterlayer path", state="attached")
    page.screenshot(path=artifacts / f"depth-{width}-{theme}.png")
