"""The card of one pixel's values: beside the picture, and as a sheet on a phone."""

import numpy as np
import pytest
from playwright.sync_api import Browser, FloatRect, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.page import PATIENCE, READOUT, centre, wait_for_figure

CARD = ".st-key-stages .linked-figure-card"


def box_of(page: Page, selector: str) -> FloatRect:
    box = page.locator(selector).bounding_box()
    assert box
    return box


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1440, 900), (1920, 1080)])
def test_the_card_stands_beside_the_picture(open_page: OpenPage, width: int, height: int) -> None:
    page = open_page("?input=zone_plate&pin=out,9,9", width=width, height=height)
    wait_for_figure(page)
    expect(page.locator(READOUT)).to_contain_text("This pixel pinned row 9, column 9 · Channel 0")
    card = box_of(page, CARD)
    assert (
        card["y"] + card["height"]
        < box_of(page, ".st-key-stages .linked-figure-plot")["y"] + (centre(page, "out", 0, 0)[1])
    )
    assert card["x"] > centre(page, "bn2", 0, 31)[0]
    is_cut = "card => card.scrollHeight > card.clientHeight"
    assert not page.locator(CARD).evaluate(is_cut)


def test_values_can_be_selected_while_the_pin_stays(open_page: OpenPage) -> None:
    page = open_page("?input=zone_plate&pin=out,9,9")
    wait_for_figure(page)
    expect(page.locator(READOUT)).to_contain_text("pinned row 9, column 9")
    first, last = (box_of(page, f"{READOUT} [data-panel={name}]") for name in ("x", "add"))
    page.mouse.move(first["x"] + 1, first["y"] + first["height"] / 2)
    page.mouse.down()
    page.mouse.move(last["x"] + last["width"] - 1, last["y"] + last["height"] / 2, steps=4)
    page.mouse.up()
    selected = page.evaluate("getSelection().toString()").split()
    values = page.locator(f"{READOUT} [data-panel]").all_inner_texts()
    assert selected == f"{values[0]} + {values[1]} = {values[2]}".split()
    expect(page.locator(READOUT)).to_contain_text("pinned row 9, column 9")


def test_on_a_phone_a_tap_opens_a_sheet_that_leaves_the_panel_in_sight(
    browser: Browser, address: str
) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        user_agent="Mozilla/5.0 (iPhone) Mobile/15E148",
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}/?input=zone_plate")
    wait_for_figure(page)
    expect(page.locator(READOUT)).to_contain_text("A tap pins a pixel")
    expect(page.locator(f"{CARD} button")).to_be_hidden()
    page.touchscreen.tap(*centre(page, "out", 9, 9))
    expect(page.locator(READOUT)).to_contain_text("pinned row 9, column 9")
    button = page.get_by_role("button", name="Close")
    expect(button).to_be_visible()
    sheet, target = box_of(page, CARD), box_of(page, f"{CARD} button")
    np.testing.assert_allclose([sheet["x"], sheet["width"]], [0, 390])
    assert sheet["y"] + sheet["height"] == pytest.approx(844, abs=1)
    assert min(target["width"], target["height"]) >= 40
    page.wait_for_function(
        "([plot, top]) => plot.getBoundingClientRect().top + plot._fullLayout.yaxis9._offset"
        " + plot._fullLayout.yaxis9._length < top",
        arg=[page.locator(".st-key-stages .linked-figure-plot").element_handle(), sheet["y"]],
    )
    button.tap()
    expect(button).to_be_hidden()
    expect(page.locator(READOUT)).to_contain_text("pinned row 9, column 9")
    page.wait_for_url("**pin=out**")
    context.close()
