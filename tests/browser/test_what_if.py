"""Browser tests of the What if view."""

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from explorer import VARIANTS, trace_block
from explorer.inputs import generate, standardise
from explorer.model.variants import FIXES, projection
from tests.browser.conftest import OpenPage
from tests.browser.connection import ends_a_run
from tests.browser.page import (
    LOOKS,
    centre,
    choose_input,
    choose_variant,
    field,
    pick,
    readout,
    upload,
    wait_for_figure,
    wait_until_ready,
)
from tests.files import colours, picture

PLOT = ".st-key-compared .linked-figure-plot"
READOUT = ".st-key-compared .linked-figure-readout"
X = generate("zone_plate", 32, 32, 8)


def wait_for_heading(page: Page, words: str) -> None:
    page.wait_for_function(
        "([plot, words]) => document.querySelector(plot)?.innerHTML.includes(words)",
        arg=[PLOT, words],
    )


def test_every_variant_is_chosen(open_page: OpenPage) -> None:
    page = open_page("?input=zone_plate&view=what_if")
    choose_input(page, "Your own file")
    upload(page, "mine.png", picture(colours(24, 40, 3), "png"))
    for name, spec in VARIANTS.items():
        choose_variant(page, spec.title)
        expect(page.get_by_text(spec.description)).to_be_visible()
        if name in FIXES:
            expect(page.get_by_role("alert")).to_contain_text("The addition does not run")
            words, fixed = FIXES[name]
            pick(page, words)
            spec = fixed
        wait_for_heading(page, f'<tspan style="font-weight:bold">{spec.title}')
        expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("view", ["what_if", "gradients"])
def test_a_parameter_of_the_variant_runs_its_part_of_the_page(
    open_page: OpenPage, tab: Page, view: str
) -> None:
    ends: list[int] = []

    def read(message: str | bytes) -> None:
        if ends_a_run(message):
            assert isinstance(message, bytes)
            ends.append(ForwardMsg.FromString(message).script_finished)

    tab.once("websocket", lambda socket: socket.on("framereceived", read))
    page = open_page(f"?input=zone_plate&view={view}&variant=zero_gamma&gamma2=0.5")
    expect(page.get_by_role("slider", name="γ₂")).to_have_value("0.5")
    wait_until_ready(page)
    ends.clear()
    page.get_by_role("slider", name="γ₂").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**gamma2=0.55**")
    wait_until_ready(page)
    assert ends == [ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY]


def test_a_parameter_ignored_in_a_part_of_the_page_is_told_at_once(open_page: OpenPage) -> None:
    page = open_page("?input=zone_plate&view=what_if&variant=no_skip&stride=9")
    wait_for_heading(page, VARIANTS["no_skip"].title)
    expect(page.get_by_role("alert")).to_have_count(0)
    choose_variant(page, VARIANTS["projection"].title)
    wait_for_heading(page, VARIANTS["projection"].title)
    expect(page.get_by_role("alert")).to_contain_text("Ignored URL parameter stride='9'")


def test_hover_shows_the_numbers_of_both_blocks(open_page: OpenPage) -> None:
    page = open_page(
        "?input=zone_plate&view=what_if&variant=Projection+shortcut&stride=2", height=1600
    )
    wait_for_heading(page, "Projection shortcut")
    page.mouse.move(*centre(page, "variant bn2", 8.5, 20.5, "compared"))
    expect(page.locator(READOUT)).to_contain_text("Projection shortcut:")
    v1, other = trace_block(0, X, 8), trace_block(0, X, 8, variant=projection(stride=2))
    numbers = readout(page, READOUT)
    row, col = (int(n) for n in re.findall(r"\d+", page.locator(READOUT).inner_text())[:2])
    assert numbers["bn2"] == v1["bn2"][row, col, 0]
    assert numbers["variant bn2"] == other["bn2"][row // 2, col // 2, 0]
    assert numbers["variant out"] == other["out"][row // 2, col // 2, 0]


def test_a_link_restores_variant_parameters_and_pin(open_page: OpenPage) -> None:
    page = open_page("?input=zone_plate&view=what_if", height=1600)
    wait_for_heading(page, "No skip")
    choose_variant(page, "Projection shortcut")
    pick(page, "2")
    field = page.get_by_label("Channels of out")
    field.fill("12")
    field.press("Enter")
    page.wait_for_url("**out=12**")
    page.wait_for_function(
        """plot => document.querySelector(plot)?._fullData
            ?.some((trace) => trace.name === 'variant proj' && trace.z.length === 16)""",
        arg=PLOT,
    )
    page.mouse.click(*centre(page, "variant bn_proj", 10.5, 6.5, "compared"))
    page.wait_for_url("**pin=variant*bn_proj**")
    copy = open_page(page.url.split("/", 3)[3], height=1600, in_fresh_profile=True)
    expect(copy.locator(READOUT)).to_contain_text("pinned row")
    row, col = (int(n) for n in page.url.split("bn_proj%2C")[1].split("&")[0].split("%2C"))
    other = trace_block(0, X, 8, variant=projection(12, 2))
    assert readout(copy, READOUT)["variant out"] == other["out"][row // 2, col // 2, 0]
    expect(copy.get_by_label("Channels of out")).to_have_value("12")


def test_zoom_and_node_persist_through_a_change_of_variant(open_page: OpenPage) -> None:
    page = open_page("?input=zone_plate&view=what_if", height=1600)
    wait_for_heading(page, "No skip")
    page.mouse.move(*centre(page, "out", 5, 5, "compared"))
    page.mouse.down()
    page.mouse.move(*centre(page, "out", 20, 25, "compared"), steps=5)
    page.mouse.up()
    page.wait_for_function(
        "plot => document.querySelector(plot)._fullLayout.xaxis.range[0] > 0", arg=PLOT
    )
    window = page.evaluate(
        "plot => [...(window.plot = document.querySelector(plot))._fullLayout.xaxis.range]", PLOT
    )
    choose_variant(page, "Bottleneck")
    wait_for_heading(page, "Bottleneck")
    assert page.evaluate("plot => document.querySelector(plot) === window.plot", PLOT)
    ranges = page.evaluate(
        """() => Object.entries(window.plot._fullLayout)
            .filter(([name]) => name.startsWith('xaxis')).map(([, axis]) => [...axis.range])"""
    )
    assert len(ranges) > 12
    assert all(one == window for one in ranges)


def test_channel_pin_and_variant_persist_between_views(open_page: OpenPage) -> None:
    page = open_page("?input=zone_plate&view=what_if&variant=Bottleneck&channel=1&pin=out,3,4")
    wait_for_heading(page, "Bottleneck")
    pick(page, "Forward")
    wait_for_figure(page)
    expect(page.locator(".st-key-compared")).to_have_count(0)
    expect(field(page, "Channel")).to_have_value("1")
    assert "pin=out" in page.url
    pick(page, "What if")
    wait_for_heading(page, "Bottleneck")
    expect(page.locator(".st-key-stages")).to_have_count(0)
    expect(page.locator(READOUT)).to_contain_text("pinned row 3, column 4")


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_the_view_looks_right(open_page: OpenPage, artifacts: Path, width: int, theme: str) -> None:
    page = open_page(
        "?input=zone_plate&view=what_if&variant=Projection+shortcut&stride=2&difference=true&pin=out,8,9",
        width=width,
        height=2400,
        color_scheme=theme,
    )
    wait_for_heading(page, "Difference")
    values = page.evaluate(
        """plot => document.querySelector(plot)._fullData
            .find((trace) => trace.name === 'variant add').z.map((row) => [...row])""",
        PLOT,
    )
    expected = trace_block(0, X, 8, variant=projection(stride=2))["add"][:, :, 0]
    np.testing.assert_array_equal(np.array(values, np.float32), expected)
    page.screenshot(path=artifacts / f"what-if-{width}-{theme}.png")


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1280, 720)])
def test_both_outs_are_on_the_first_screen(open_page: OpenPage, width: int, height: int) -> None:
    page = open_page(
        "?input=zone_plate&view=what_if&variant=relu_before_add", width=width, height=height
    )
    wait_for_heading(page, "ReLU before the addition")
    (left, top), (right, bottom) = (
        centre(page, panel, row, col, "compared")
        for panel, row, col in (("variant out", -0.5, -0.5), ("out", 31.5, 31.5))
    )
    assert 0 < left < right < width
    assert 0 < top < bottom < height
    assert bottom - top > 170


def test_a_pictures_array_is_saved_for_the_script(open_page: OpenPage) -> None:
    page = open_page("?view=what_if&input=digit&height=8&width=6&details=code")
    wait_for_heading(page, "No skip")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save x.npy").click()
    assert download.value.suggested_filename == "x.npy"
    np.testing.assert_array_equal(
        np.load(download.value.path()), standardise(generate("digit", 8, 6, 1))
    )
