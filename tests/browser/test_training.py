"""Networks in a browser: train two, look inside the trained one, and take it apart."""

import re
from functools import cache
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect

from explorer import load_checkpoint
from explorer.analysis.pixel import Cell, explain
from explorer.data import digits
from explorer.engine.network import Network
from explorer.engine.network_ablation import ablate_network
from explorer.engine.shipped_runs import shipped_run
from explorer.engine.training import train_steps
from explorer.engine.training_settings import TrainingSettings
from explorer.figures.pixel import equation
from explorer.records import NetworkTrace
from tests.browser.conftest import OpenPage
from tests.browser.page import (
    centre,
    digest,
    pick,
    readout,
    set_number,
    wait_for_figure,
    wait_for_heatmaps,
    wait_until_ready,
)

CURVES = ".st-key-training_curves .linked-figure-plot"
NETWORK = ".st-key-network_figure .linked-figure"
READOUT = f"{NETWORK}-readout"
ARITHMETIC = ".st-key-arithmetic .infolayer"
STEPS = 1500
SMALL = f"net_blocks=1&net_width=4&net_batch=16&net_steps={STEPS}"
DATA = digits()
# Numbers of points of both loss curves.
POINTS = """plot => ['residual, v1', 'plain, no shortcut'].map((title) =>
    document.querySelector(plot)._fullData
        .find((trace) => trace.name === `${title}: training loss of every step`)?.y?.length ?? 0)"""
# Whether both curves have been seen with this many different numbers of points above 0.
HAVE_GROWN = f"""([plot, count]) => {{
    window.points ??= [new Set(), new Set()];
    ({POINTS})(plot).forEach((size, index) => size && window.points[index].add(size));
    return window.points.every((seen) => seen.size >= count);
}}"""


@cache
def network(step: int = 180, blocks: int = 8) -> Network:
    run = shipped_run(TrainingSettings(blocks=blocks))
    assert run
    return run.at(step)


@cache
def trace(blocks: int = 8) -> NetworkTrace:
    return network(blocks=blocks).trace(DATA.test_images[0])


def button(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def wait_for_curves(page: Page) -> None:
    page.wait_for_selector(f"{CURVES} .infolayer", state="attached")


def wait_for_network(page: Page) -> None:
    wait_for_heatmaps(page, NETWORK)


def test_both_curves_grow_stop_go_on_elsewhere_and_end(open_page: OpenPage) -> None:
    page = open_page(f"?view=train&{SMALL}")
    wait_for_curves(page)
    page.evaluate("plot => { window.plot = document.querySelector(plot); }", CURVES)
    button(page, "Train")
    page.wait_for_function(HAVE_GROWN, arg=[CURVES, 2])
    assert page.evaluate("plot => document.querySelector(plot) === window.plot", CURVES)
    button(page, "Stop")
    expect(page.get_by_role("button", name="Continue", exact=True)).to_be_visible()
    done = page.evaluate(POINTS, CURVES)
    assert all(0 < each < STEPS for each in done)
    button(page, "Continue")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    pick(page, "Forward")
    wait_for_figure(page)
    pick(page, "Train")
    expect(page.get_by_text(f"Within {STEPS} steps the network")).to_be_visible()
    expect(page.get_by_role("button", name="Train again", exact=True)).to_be_visible()
    assert page.evaluate(POINTS, CURVES) == [STEPS, STEPS]
    first = page.evaluate(
        """plot => document.querySelector(plot)._fullData
            .find((trace) => trace.name === 'residual, v1: training loss of every step').y[0]""",
        CURVES,
    )
    settings = {"blocks": 1, "width": 4, "batch": 16, "steps": STEPS}
    np.testing.assert_allclose(first, next(train_steps(DATA, **settings)).loss, rtol=1e-4)


def test_trainings_end_when_their_users_leave(open_page: OpenPage) -> None:
    """At most two run on a server; these would run for minutes."""
    for seed in (2, 3):
        page = open_page(
            f"?view=train&net_blocks=3&net_steps=5000&net_seed={seed}", in_fresh_profile=True
        )
        button(page, "Train")
        expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
        page.close()
    page = open_page("?view=train&net_blocks=1&net_width=4&net_batch=16&net_steps=20")
    button(page, "Train")
    expect(page.get_by_text("Within 20 steps the network")).to_be_visible()


def test_a_link_to_a_run_that_is_gone_trains_it(open_page: OpenPage) -> None:
    page = open_page(
        "?view=network&net_blocks=1&net_width=4&net_batch=16&net_steps=30&net_seed=4&net_step=8"
    )
    button(page, "Train")
    wait_for_network(page)
    expect(page.get_by_text("residual, v1, 1 block, after step 8;")).to_be_visible()
    assert "net_step=8" in page.url


def test_hover_click_open_a_block_and_pin_a_pixel(open_page: OpenPage) -> None:
    page = open_page("?view=network")
    wait_for_network(page)
    at = centre(page, "block5 F(x)", 3, 4, "network_figure")
    page.mouse.move(*at)
    expect(page.locator(READOUT)).to_contain_text("row 3, column 4")
    block = trace()["block5"]
    assert readout(page, READOUT) == {
        "block4 out": float(block["x"][3, 4, 0]),
        "block5 F(x)": float(block["bn2"][3, 4, 0]),
        "block5 out": float(block["out"][3, 4, 0]),
    }
    page.mouse.click(*at)
    button(page, "Open in Forward")
    wait_for_figure(page)
    page.wait_for_url("**net_block=block5**")
    assert digest(page) == block.digest()
    page.mouse.click(*centre(page, "add", 6, 2))
    words = " ".join(equation(explain(block, Cell("add", 6, 2, 0))))
    words = words.replace("<b>", "").replace("</b>", "")
    expect(page.locator(ARITHMETIC)).to_contain_text(words)
    page.wait_for_url("**pin=add*6*2**")

    copy = open_page(page.url.split("/", 3)[3], in_fresh_profile=True)
    wait_for_figure(copy)
    assert digest(copy) == block.digest()
    expect(copy.locator(ARITHMETIC)).to_contain_text(words)
    expect(copy.get_by_text("block5 of residual, v1, 8 blocks, after step 180.")).to_be_visible()


def test_removing_a_block_shows_its_accuracy(open_page: OpenPage) -> None:
    page = open_page("?view=network&net_blocks=3")
    wait_for_network(page)
    pick(page, "remove a block")
    plot = ".st-key-network_ablation .linked-figure-plot"
    page.wait_for_selector(f"{plot} .scatterlayer path", state="attached")
    drawn = page.evaluate(
        """plot => document.querySelector(plot)._fullData.map((trace) => [...(trace.y ?? [])])""",
        plot,
    )
    record = ablate_network(network(blocks=3), DATA.test_images, DATA.test_labels)
    assert any(len(y) == 3 and np.allclose(np.array(y, float), record.deleted) for y in drawn)
    worst, lowest = int(record.deleted.argmin()) + 1, record.deleted.min()
    words = f"{record.intact:.1%} intact; without one block from {lowest:.1%} (block{worst})"
    expect(page.get_by_text(words)).to_be_visible()


def test_a_cell_of_the_confusion_matrix_keeps_its_pictures(open_page: OpenPage) -> None:
    page = open_page("?view=network&net_blocks=3&network_details=confusion", height=2400)
    wait_for_heatmaps(page, ".st-key-confusion")
    predicted = network(blocks=3).predict(DATA.test_images)
    count = int(np.sum((predicted == 3) & (DATA.test_labels == 3)))
    page.mouse.click(*centre(page, "errors", 3, 3, "confusion"))
    listed = page.get_by_text(re.compile(f"True 3, predicted 3: .*{count} pictures."))
    expect(listed).to_be_visible()
    set_number(page, "Channel", 1)
    page.wait_for_url("**channel=1**")
    wait_until_ready(page)
    expect(listed).to_be_visible()


def test_play_goes_through_the_snapshots_to_the_last(open_page: OpenPage) -> None:
    page = open_page("?view=network&net_blocks=3&net_step=64")
    wait_for_network(page)
    button(page, "Play the training")
    page.wait_for_url("**net_step=128**")
    expect(page.get_by_text("residual, v1, 3 blocks, after step 180;")).to_be_visible()
    expect(page.get_by_role("button", name="Play the training", exact=True)).to_be_visible()
    assert "net_step" not in page.url


def test_the_saved_file_loads_as_the_network(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page("?view=network&net_blocks=3&network_details=save")
    wait_for_network(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save v1_3_step180.safetensors").click()
    path = tmp_path / download.value.suggested_filename
    assert path.name == "v1_3_step180.safetensors"
    download.value.save_as(path)
    loaded = load_checkpoint(path).arrays
    for name, array in network(blocks=3).arrays.items():
        np.testing.assert_array_equal(loaded[name], array)
