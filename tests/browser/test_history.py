"""Back and Forward of the browser: views and variants are its entries."""

import re
from urllib.parse import parse_qsl, urlsplit

import numpy as np
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.page import (
    centre,
    choose_variant,
    field,
    pick,
    readout,
    segment,
    set_number,
    upload,
    wait_for_figure,
    wait_until_ready,
)
from tests.files import npy

COMPARED = ".st-key-compared .linked-figure"
FORWARD = {"input": "zone_plate", "seed": "3"}
WHAT_IF = FORWARD | {"pin": "add,6,8", "channel": "2", "view": "what_if"}
BOTTLENECK = WHAT_IF | {"variant": "bottleneck", "seed": "7"}
PROJECTION = BOTTLENECK | {"variant": "projection", "stride": "2", "difference": "true"}
PROJECTION["pin"] = "variant add,9,11"


def wait_for_link(page: Page, expected: dict[str, str]) -> None:
    page.wait_for_url(lambda url: dict(parse_qsl(urlsplit(url).query)) == expected)


def expect_compared(page: Page, variant: str, pinned: str) -> None:
    """Assert that the page shows a variant and a pinned pixel."""
    expect(segment(page, "What if")).to_be_checked()
    expect(page.get_by_role("combobox", name="Variant")).to_have_value(re.compile(f"{variant}$"))
    expect(page.locator(f"{COMPARED}-plot tspan").get_by_text(variant)).not_to_have_count(0)
    expect(page.locator(f"{COMPARED}-readout")).to_contain_text(f"pinned {pinned}")


def test_back_and_forward_restore_what_was_seen(open_page: OpenPage) -> None:
    page = open_page("?input=zone_plate&seed=3", height=1600, in_fresh_profile=True)
    wait_for_figure(page)
    length = page.evaluate("history.length")
    page.mouse.click(*centre(page, "add", 6, 8))
    page.wait_for_url("**pin=**")
    set_number(page, "Channel", 2)
    page.wait_for_url("**channel=2**")
    pick(page, "What if")
    expect_compared(page, "No skip", "row 6, column 8")
    choose_variant(page, "Bottleneck")
    expect_compared(page, "Bottleneck", "row 6, column 8")
    set_number(page, "Seed of the weights", 7)
    wait_for_link(page, BOTTLENECK)
    choose_variant(page, "Projection shortcut")
    pick(page, "2")
    page.wait_for_url("**stride=2**")
    wait_until_ready(page)
    page.get_by_text("Difference, stage by stage", exact=True).click()
    page.wait_for_url("**difference=true**")
    wait_until_ready(page)
    page.mouse.click(*centre(page, "variant add", 9, 11, "compared"))
    wait_for_link(page, PROJECTION)
    numbers = readout(page, f"{COMPARED}-readout")
    assert page.evaluate("history.length") == length + 3

    page.go_back()
    expect_compared(page, "Bottleneck", "row 6, column 8")
    expect(page.get_by_role("switch", name="Difference, stage by stage")).not_to_be_checked()
    expect(field(page, "Seed of the weights")).to_have_value("7")
    page.go_back()
    expect_compared(page, "No skip", "row 6, column 8")
    expect(field(page, "Seed of the weights")).to_have_value("3")
    wait_for_link(page, WHAT_IF)
    page.go_back()
    wait_for_figure(page)
    expect(segment(page, "Forward")).to_be_checked()
    expect(page.locator(COMPARED)).to_have_count(0)
    page.go_forward()
    expect_compared(page, "No skip", "row 6, column 8")
    wait_for_link(page, WHAT_IF)

    page.reload()
    expect_compared(page, "No skip", "row 6, column 8")
    page.go_forward()
    page.go_forward()
    expect_compared(page, "Projection shortcut", "row 9, column 11")
    wait_for_link(page, PROJECTION)
    expect(page.get_by_role("switch", name="Difference, stage by stage")).to_be_checked()
    assert readout(page, f"{COMPARED}-readout") == numbers
    assert page.evaluate("history.length") == length + 3


def test_after_back_the_pin_can_be_set_as_before(open_page: OpenPage) -> None:
    page = open_page(
        "?input=zone_plate&view=what_if&height=12&width=12", height=1600, in_fresh_profile=True
    )
    expect(page.locator(f"{COMPARED}-plot")).to_contain_text("No skip")
    choose_variant(page, "Bottleneck")
    expect(page.locator(f"{COMPARED}-plot")).to_contain_text("Bottleneck")
    page.mouse.click(*centre(page, "add", 6, 8, "compared"))
    page.wait_for_url("**pin=**")
    page.go_back()
    page.wait_for_url(lambda url: "pin=" not in url and "variant" not in url)
    expect(page.locator(f"{COMPARED}-readout")).to_contain_text("Move over a panel")
    set_number(page, "Seed of the weights", 2)
    page.wait_for_url(lambda url: "seed=2" in url and "pin=" not in url)
    page.mouse.click(*centre(page, "add", 6, 8, "compared"))
    page.wait_for_url("**pin=add%2C6%2C8**")


def test_back_from_a_fresh_link_leaves_the_page(open_page: OpenPage) -> None:
    page = open_page("_stcore/health", in_fresh_profile=True)
    origin = page.url.removesuffix("_stcore/health")
    page.goto(f"{origin}?view=what_if&variant=bottleneck&seed=5&pin=add,3,4")
    expect_compared(page, "Bottleneck", "row 3, column 4")
    set_number(page, "Seed of the weights", 6)
    page.wait_for_url("**seed=6**")
    page.go_back()
    page.wait_for_url("**/_stcore/health")
    page.go_forward()
    expect_compared(page, "Bottleneck", "row 3, column 4")
    expect(field(page, "Seed of the weights")).to_have_value("6")


def test_gradients_blocks_are_entries_and_quick_steps_end_where_they_should(
    open_page: OpenPage,
) -> None:
    page = open_page("?input=zone_plate&height=8&width=8&channels=4", in_fresh_profile=True)
    wait_for_figure(page)
    for view in ("Depth", "Gradients"):
        pick(page, view)
        page.wait_for_url(f"**view={view.lower()}**")
    choose_variant(page, "Bottleneck")
    page.wait_for_url("**variant=bottleneck**")
    pick(page, "squared error")
    page.wait_for_url("**cotangent=error**")
    for _ in range(3):
        page.evaluate("history.back()")
    expect(segment(page, "Forward")).to_be_checked()
    wait_for_figure(page)
    size = {"height": "8", "width": "8", "channels": "4"}
    wait_for_link(page, {"input": "zone_plate"} | size)
    page.evaluate("history.go(3)")
    expect(segment(page, "squared error")).to_be_checked()
    expect(page.get_by_role("combobox", name="Variant")).to_have_value("Other · Bottleneck")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_variant_taken_to_the_other_view_adds_no_entry_of_its_own(open_page: OpenPage) -> None:
    page = open_page("?height=8&width=8&channels=4", in_fresh_profile=True)
    wait_for_figure(page)
    length = page.evaluate("history.length")
    size = {"height": "8", "width": "8", "channels": "4"}
    chosen = [
        ("What if", {"view": "what_if"}),
        ("Gradients", {"view": "gradients", "variant": "no_skip"}),
        ("What if", {"view": "what_if"}),
    ]
    for view, link in chosen:
        pick(page, view)
        wait_for_link(page, size | link)
    assert page.evaluate("history.length") == length + 3
    for view, link in reversed([("Forward", {}), *chosen[:-1]]):
        page.evaluate("history.back()")
        expect(segment(page, view)).to_be_checked()
        wait_for_link(page, size | link)


def test_settings_are_no_entries_before_a_figure_is_drawn(open_page: OpenPage) -> None:
    page = open_page("?input=upload", in_fresh_profile=True)
    expect(page.get_by_text("Choose a picture, an array")).to_be_visible()
    wait_until_ready(page)
    length = page.evaluate("history.length")
    for seed in (1, 2):
        set_number(page, "Seed of the weights", seed)
        wait_for_link(page, {"input": "upload", "seed": str(seed)})
    upload(page, "a.npy", npy(np.eye(8, dtype=np.float32)))
    wait_for_figure(page)
    assert page.evaluate("history.length") == length
