"""Browser tests of the linked stage figure: hover, pin, keys, zoom and details."""

from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from explorer import BlockTrace, trace_block
from explorer.analysis.pixel import Arithmetic, Cell, explain
from explorer.figures.pixel import equation
from explorer.inputs import generate
from tests.browser.conftest import OpenPage
from tests.browser.page import (
    LOOKS,
    PLOT,
    READOUT,
    STAGES,
    centre,
    choose_input,
    digest,
    frames,
    panel,
    pick,
    readout,
    set_number,
    wait_for_figure,
    wait_for_heatmaps,
    wait_for_new_digest,
    wait_for_panel,
    wait_for_readout,
)
from tests.helpers import PANELS

ARITHMETIC = ".st-key-arithmetic .infolayer"


def default_trace() -> BlockTrace:
    return trace_block(0, generate("zone_plate", 32, 32, 8), 8)


def expect_equation(page: Page, found: Arithmetic) -> None:
    """Assert that the page shows this arithmetic, including "= value"."""
    words = " ".join(equation(found)).replace("<b>", "").replace("</b>", "")
    expect(page.locator(ARITHMETIC)).to_contain_text(words)


# Whether the overlay has a mark, stronger than the cross-hair, within 4 pixels of a position.
HAS_MARK = """([stages, x, y]) => {
  const canvas = document.querySelector(stages + ' canvas');
  const box = canvas.getBoundingClientRect();
  const ratio = canvas.width / box.width;
  const at = [(x - box.x - 4) * ratio, (y - box.y - 4) * ratio];
  const { data } = canvas.getContext('2d').getImageData(...at, 9 * ratio, 9 * ratio);
  return data.some((value, i) => i % 4 === 3 && value > 120);
}"""


def marked_panels(page: Page, row: float, col: float) -> list[str]:
    """Return the panels that have a mark on a pixel."""
    positions = {name: [STAGES, *centre(page, name, row, col)] for name in PANELS}
    return [name for name, position in positions.items() if page.evaluate(HAS_MARK, position)]


def test_hover_marks_the_pixel_everywhere_and_shows_its_numbers(
    open_page: OpenPage,
) -> None:
    page = open_page()
    wait_for_figure(page)
    assert marked_panels(page, 5, 7) == []
    page.mouse.move(*centre(page, "bn2", 5, 7))
    wait_for_readout(page, "row 5, column 7")
    assert marked_panels(page, 5, 7) == list(PANELS)
    trace = default_trace()
    assert readout(page) == {
        stage: float(trace[stage][5, 7, 0]) for stage in ("x", "bn2", "add", "out")
    }


def test_hovering_sends_nothing_to_the_server(open_page: OpenPage) -> None:
    page = open_page()
    sent: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.reload()
    wait_for_figure(page)
    page.wait_for_load_state("networkidle")
    page.on("request", lambda request: sent.append(request))
    sent.clear()
    for step in range(50):
        row, col = step % 32, (step * 7) % 32
        page.mouse.move(*centre(page, "add", row, col))
        wait_for_readout(page, f"row {row}, column {col}")
    assert sent == []


def test_the_larger_part_and_what_f_changed_are_named(open_page: OpenPage) -> None:
    page = open_page()
    wait_for_figure(page)
    trace = default_trace()
    x, residual, total = (trace[stage][:, :, 0] for stage in ("x", "bn2", "add"))
    outcomes = {
        "kept: without F(x) the ReLU would keep x too": (x > 0) & (total > 0),
        "zeroed because of F(x): without it the ReLU would keep x": (x > 0) & (total < 0),
        "kept because of F(x): without it the ReLU would zero x": (x < 0) & (total > 0),
        "zeroed: without F(x) the ReLU would zero x too": (x < 0) & (total < 0),
    }
    for words, cells in outcomes.items():
        row, col = np.argwhere(cells)[0]
        page.mouse.move(*centre(page, "out", row, col))
        wait_for_readout(page, f"row {row}, column {col}")
        larger = "x" if abs(x[row, col]) >= abs(residual[row, col]) else "F(x)"
        expect(page.locator(f"{READOUT} .linked-figure-words")).to_have_text(words)
        expect(page.locator(READOUT)).to_contain_text(f"{larger} dominates")


def test_a_click_pins_and_opens_the_arithmetic(open_page: OpenPage) -> None:
    page = open_page()
    wait_for_figure(page)
    corners = cycle([(0, 31), (31, 0)])
    for (name, stage), (row, col) in zip(PANELS.items(), corners, strict=False):
        page.mouse.click(*centre(page, name, row, col))
        page.wait_for_url(f"**pin={name}*{row}*{col}**")
        expect_equation(page, explain(default_trace(), Cell(stage, row, col, 0)))
        page.mouse.move(5, 5)
        wait_for_readout(page, f"pinned row {row}, column {col}")


RANGES = """figure => {
    const { _fullLayout: layout } = document.querySelector(`.st-key-${figure} .linked-figure-plot`);
    const names = Object.keys(layout).filter((name) => /^[xy]axis\\d*$/.test(name)).sort();
    return names.map((name) => [name, ...layout[name].range]);
}"""


def pin_and_read_axes(page: Page, name: str) -> list[object]:
    """Pin a pixel of a panel; return the axes of its arithmetic, with their ranges."""
    page.mouse.click(*centre(page, name, 6, 8))
    expect(page.locator(ARITHMETIC)).to_contain_text(f"{PANELS[name]}[6, 8]")
    axes: list[object] = page.evaluate(RANGES, "arithmetic")
    return axes


def test_arithmetic_has_the_axes_of_its_own_stage(open_page: OpenPage) -> None:
    page = open_page(height=1600)
    wait_for_figure(page)
    first = {name: pin_and_read_axes(page, name) for name in ("bn1", "conv1", "add", "x")}
    assert len(first["bn1"]) < len(first["conv1"])
    for name in ("conv1", "out", "bn1", "conv2", "x", "add", "conv1", "bn1"):
        axes = pin_and_read_axes(page, name)
        assert axes == first.setdefault(name, axes), name


@pytest.mark.parametrize(("zoomed", "other"), [("bn1", "add"), ("conv1", "bn1"), ("bn1", "bn2")])
def test_a_zoom_into_arithmetic_ends_with_its_figure(
    open_page: OpenPage, zoomed: str, other: str
) -> None:
    page = open_page(height=1600)
    wait_for_figure(page)
    fresh = pin_and_read_axes(page, other)
    before = pin_and_read_axes(page, zoomed)
    box = page.locator(".st-key-arithmetic .nsewdrag").last.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 90, y + 40, steps=4)
    page.mouse.up()
    page.wait_for_function(
        f"before => JSON.stringify(({RANGES})('arithmetic')) !== JSON.stringify(before)", arg=before
    )
    assert pin_and_read_axes(page, other) == fresh


def test_the_keyboard_alone_pins_every_stage(open_page: OpenPage) -> None:
    page = open_page()
    wait_for_figure(page)
    page.locator(STAGES).focus()
    page.keyboard.press("ArrowDown")  # the cursor appears in the middle of x
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    trace = default_trace()
    for name, stage in PANELS.items():
        expect_equation(page, explain(trace, Cell(stage, 17, 15, 0)))
        page.wait_for_url(f"**pin={name}*17*15**")
        spoken = page.locator(f"{STAGES}-spoken")
        expect(spoken).to_contain_text("Pinned: row 17, column 15")
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("PageDown")
    page.wait_for_url("**channel=1**")
    page.keyboard.press("Escape")
    page.wait_for_url(lambda link: "pin=" not in link)
    expect(page.locator(ARITHMETIC)).to_have_count(0)


def test_the_plot_and_its_zoom_persist_through_twenty_changes(open_page: OpenPage) -> None:
    page = open_page()
    wait_for_figure(page)
    page.evaluate("plot => { window.plot = document.querySelector(plot); }", PLOT)
    page.mouse.move(*centre(page, "x", 4, 4))
    page.mouse.down()
    page.mouse.move(*centre(page, "x", 20, 24), steps=5)
    page.mouse.up()
    page.wait_for_function("() => window.plot._fullLayout.xaxis3.range[0] > 2")
    window = page.evaluate("[...window.plot._fullLayout.xaxis3.range]")
    for step in range(1, 6):
        set_number(page, "Channel", step)
        page.wait_for_url(f"**channel={step}**")
        old = digest(page)
        set_number(page, "Seed of the weights", step)
        wait_for_new_digest(page, old)
        pick(page, ["stage", "map", "block"][step % 3])
        old = digest(page)
        pick(page, ["eval", "train"][(step + 1) % 2])
        wait_for_new_digest(page, old)
    wait_for_panel(page, "x", generate("zone_plate", 32, 32, 8)[:, :, 5])
    assert page.evaluate("plot => document.querySelector(plot) === window.plot", PLOT)
    assert page.evaluate("[...window.plot._fullLayout.xaxis3.range]") == window
    ranges = page.evaluate(
        "['', 2, 3, 4, 5, 6, 7, 8, 9].map((n) => [...window.plot._fullLayout['xaxis' + n].range])"
    )
    assert all(one == window for one in ranges)
    page.mouse.dblclick(*centre(page, "x", 10, 14))
    page.wait_for_function("() => window.plot._fullLayout.xaxis.range[0] === -0.5")


def test_a_double_click_leaves_the_pin_and_keys_work_after_a_click(open_page: OpenPage) -> None:
    page = open_page()
    wait_for_figure(page)
    page.mouse.click(*centre(page, "bn1", 6, 8))
    page.wait_for_url("**pin=bn1*6*8**")
    page.wait_for_timeout(400)  # so that the next click is not a double click
    page.mouse.dblclick(*centre(page, "x", 20, 20))
    page.keyboard.press("ArrowRight")  # the mouse still rests on x
    wait_for_readout(page, "pinned row 6, column 9")
    expect(page.locator(f"{STAGES}-spoken")).to_contain_text("Pinned: row 6, column 9")
    page.wait_for_url("**pin=bn1*6*9**")
    page.keyboard.press("Escape")
    page.wait_for_url(lambda link: "pin=" not in link)


def test_a_link_restores_pin_arithmetic_and_figure(open_page: OpenPage) -> None:
    page = open_page("?input=zone_plate&channel=3&seed=5")
    wait_for_figure(page)
    page.mouse.click(*centre(page, "conv2", 9, 30))
    page.wait_for_url("**pin=conv2*9*30**")
    copy = open_page(page.url.split("/", 3)[3], in_fresh_profile=True)
    wait_for_figure(copy)
    wait_for_readout(copy, "pinned row 9, column 30")
    trace = trace_block(5, generate("zone_plate", 32, 32, 8), 8)
    expect_equation(copy, explain(trace, Cell("conv2", 9, 30, 3)))
    np.testing.assert_array_equal(panel(copy, "bn2"), trace["bn2"][:, :, 3])
    assert marked_panels(copy, 9, 30) == list(PANELS)


@pytest.mark.parametrize("pin", ["", "x,99,1", "<b>,1,1"])  # tests/page tries many more
def test_an_invalid_pin_is_dropped(open_page: OpenPage, pin: str) -> None:
    page = open_page(f"?input=zone_plate&pin={pin}")
    wait_for_figure(page)
    page.wait_for_url(lambda link: "pin=" not in link)
    expect(page.locator(ARITHMETIC)).to_have_count(0)


def test_a_large_input_is_shown_as_means_and_zooming_in_fetches_the_exact_crop(
    open_page: OpenPage,
) -> None:
    page = open_page("?input=normal&height=1024&width=1024&channels=8")
    wait_for_figure(page)
    expect(page.locator(PLOT)).to_contain_text("means of 8×8")
    page.mouse.move(*centre(page, "bn1", 500, 300))
    wait_for_readout(page, "mean of 8×8")
    trace = trace_block(0, generate("normal", 1024, 1024, 8), 8)
    page.mouse.move(*centre(page, "x", 200, 200))
    page.mouse.down()
    page.mouse.move(*centre(page, "x", 290, 290), steps=5)
    page.mouse.up()
    page.wait_for_function("plot => document.querySelector(plot)._fullData[0].dx === 1", arg=PLOT)
    top, left = page.evaluate(
        "plot => { const t = document.querySelector(plot)._fullData[0]; return [t.y0, t.x0]; }",
        PLOT,
    )
    drawn = panel(page, "add")
    rows, cols = drawn.shape
    exact = trace["add"][top : top + rows, left : left + cols, 0]
    np.testing.assert_array_equal(drawn, exact)


def test_a_pin_on_means_is_exact(open_page: OpenPage) -> None:
    page = open_page("?input=normal&height=300&width=300&channels=2&pin=add,100,200")
    wait_for_figure(page)
    wait_for_readout(page, "pinned row 100, column 200")
    trace = trace_block(0, generate("normal", 300, 300, 2), 2)
    assert readout(page)["add"] == float(trace["add"][100, 200, 0])


def test_the_gallery_of_256_channels_picks_a_channel(open_page: OpenPage, artifacts: Path) -> None:
    page = open_page("?input=normal&height=32&width=32&channels=256&details=channels", height=1700)
    wait_for_figure(page)
    gallery = ".st-key-gallery .linked-figure-plot"
    wait_for_heatmaps(page, gallery)
    page.screenshot(path=artifacts / "gallery-256.png")
    page.mouse.move(*centre(page, "bn2", 3, 5, "gallery"))
    expect(page.locator(".st-key-gallery .linked-figure-readout")).to_contain_text("channel 53:")
    page.mouse.click(*centre(page, "bn2", 3, 5, "gallery"))
    page.wait_for_url("**channel=53**")
    wait_for_panel(page, "x", generate("normal", 32, 32, 256)[:, :, 53])


def test_the_gallery_picks_the_same_tile_again(open_page: OpenPage) -> None:
    page = open_page("?input=zone_plate&details=channels", height=1700)
    wait_for_figure(page)
    wait_for_heatmaps(page, ".st-key-gallery")
    page.mouse.click(*centre(page, "x", 0, 1, "gallery"))
    page.wait_for_url("**channel=1**")
    set_number(page, "Channel", 5)
    page.wait_for_url("**channel=5**")
    page.mouse.click(*centre(page, "x", 0, 1, "gallery"))
    page.wait_for_url("**channel=1**")


def test_a_double_click_in_the_gallery_picks_its_tile(open_page: OpenPage) -> None:
    page = open_page("?input=zone_plate&details=channels", height=1700)
    wait_for_figure(page)
    wait_for_heatmaps(page, ".st-key-gallery")
    page.mouse.dblclick(*centre(page, "x", 0, 1, "gallery"))
    page.wait_for_url("**channel=1**")
    page.mouse.dblclick(*centre(page, "x", 0, 2, "gallery"))
    wait_for_panel(page, "x", generate("zone_plate", 32, 32, 8)[:, :, 2])
    page.wait_for_url("**channel=2**")


def drag(page: Page, name: str, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag from one pixel of a panel to another."""
    page.mouse.move(*centre(page, name, *start))
    page.mouse.down()
    page.mouse.move(*centre(page, name, *end), steps=5)
    page.mouse.up()


def test_a_zoom_sent_for_the_scatter_plot_does_not_crop_the_panels(open_page: OpenPage) -> None:
    page = open_page("?input=zone_plate&details=scatter", height=1700)
    wait_for_figure(page)
    drag(page, "x", (4, 4), (20, 24))
    page.wait_for_function(
        "() => document.querySelector('.st-key-scatter .linked-figure-plot')._fullData.length === 2"
    )
    pick(page, "BatchNorm")
    page.wait_for_function(
        "plot => document.querySelector(plot)._fullData[0].z.length === 32", arg=PLOT
    )


def test_a_zoom_into_one_pixel_of_a_large_input_persists(open_page: OpenPage) -> None:
    page = open_page("?input=normal&height=300&width=300&channels=1")
    wait_for_figure(page)
    for _ in range(3):
        low, high = page.evaluate(
            "plot => document.querySelector(plot)._fullLayout.xaxis.range", PLOT
        )
        top = page.evaluate("plot => document.querySelector(plot)._fullLayout.yaxis.range[1]", PLOT)
        width = high - low
        drag(page, "x", (top + width / 3, low + width / 3), (top + width / 2, low + width / 2))
        page.wait_for_function(
            "([plot, low]) => document.querySelector(plot)._fullLayout.xaxis.range[0] > low",
            arg=[PLOT, low],
        )
    page.wait_for_function(
        """plot => {
            const node = document.querySelector(plot);
            const { x0, dx, z } = node._fullData[0];
            const [low, high] = node._fullLayout.xaxis.range;
            return dx === 1 && x0 - 0.5 <= low && x0 + z[0].length - 0.5 >= high && high - low < 2;
        }""",
        arg=PLOT,
    )


def test_the_figure_changes_with_the_theme(open_page: OpenPage) -> None:
    page = open_page(color_scheme="light")
    wait_for_figure(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "plot => document.querySelector(plot)._fullLayout.plot_bgcolor === '#0f1216'", arg=PLOT
    )


def test_panels_grow_with_the_window(open_page: OpenPage) -> None:
    page = open_page(width=1280)
    wait_for_figure(page)
    before = frames(page)
    page.set_viewport_size({"width": 1600, "height": 1000})
    page.wait_for_function(
        """([plot, width]) => document.querySelector(plot)._fullLayout.xaxis2._length > width""",
        arg=[PLOT, before["conv1"].width],
    )
    after = {(round(each.width), round(each.height)) for each in frames(page).values()}
    assert len(after) == 1


def test_a_box_in_the_scatter_plot_marks_its_cells(open_page: OpenPage) -> None:
    page = open_page("?input=zone_plate&details=scatter", height=1700)
    wait_for_figure(page)
    page.wait_for_selector(".st-key-scatter .scatterlayer", state="attached")
    start, end = (centre(page, "cells", y, x, "scatter") for x, y in ((0.2, 0.2), (0.9, 1.5)))
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=4)
    page.mouse.up()
    trace = default_trace()
    x, residual = trace["x"][:, :, 0], trace["bn2"][:, :, 0]
    sure = (x > 0.25) & (x < 0.85) & (residual > 0.25) & (residual < 1.45)
    maybe = (x > 0.15) & (x < 0.95) & (residual > 0.15) & (residual < 1.55)
    caption = page.get_by_text("The box holds").inner_text()
    count = int(caption.split("The box holds ")[1].split(" cells")[0].replace(",", ""))
    assert sure.sum() <= count <= maybe.sum()
    row, col = np.argwhere(sure)[0]
    page.wait_for_function(HAS_MARK, arg=[STAGES, *centre(page, "out", row, col)])
    assert marked_panels(page, row, col) == list(PANELS)


@pytest.mark.parametrize(("width", "theme"), LOOKS)
@pytest.mark.parametrize(
    ("details", "key"),
    [
        ("pixel", "arithmetic"),
        ("outcomes", "sum_comparison"),
        ("scatter", "scatter"),
        ("channels", "gallery"),
        ("histograms", "distributions"),
    ],
)
def test_every_detail_has_its_figure(
    open_page: OpenPage, artifacts: Path, details: str, key: str, width: int, theme: str
) -> None:
    link = f"?input=zone_plate&details={details}&pin=conv1,0,7&channel=2"
    page = open_page(link, width=width, height=2600, color_scheme=theme)
    wait_for_figure(page)
    page.wait_for_selector(f".st-key-{key} .main-svg", state="attached")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=artifacts / f"{key}-{width}-{theme}.png")


def test_another_shape_starts_unzoomed(open_page: OpenPage) -> None:
    page = open_page()
    wait_for_figure(page)
    page.mouse.move(*centre(page, "x", 4, 4))
    page.mouse.down()
    page.mouse.move(*centre(page, "x", 20, 24), steps=5)
    page.mouse.up()
    page.wait_for_function(
        "plot => document.querySelector(plot)._fullLayout.xaxis.range[0] > 2", arg=PLOT
    )
    old = digest(page)
    choose_input(page, "Edge")
    set_number(page, "Height", 20)
    wait_for_new_digest(page, old)
    page.wait_for_function(
        "plot => document.querySelector(plot)._fullLayout.yaxis.range[0] === 19.5", arg=PLOT
    )
    assert page.evaluate(f"document.querySelector('{PLOT}')._fullLayout.xaxis.range[0]") == -0.5
