"""Links in a browser: the URL follows the controls, and a fresh profile gets the same controls."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect

from explorer import VARIANTS
from explorer.inputs import GENERATORS
from tests.browser.conftest import OpenPage
from tests.browser.page import (
    choose_input,
    choose_variant,
    pick,
    reveal,
    segment,
    set_number,
    wait_for_heatmaps,
    wait_until_ready,
)

# Every control with its value, in the order of the page.
CONTROLS = """() => [...document.querySelectorAll(
    '.stApp input:not([type=file]), .stApp [role=radio]'
)].map((node) => node.type === 'button'
    ? `${node.innerText}: ${node.ariaChecked}`
    : `${node.ariaLabel}: ${node.type === 'checkbox' ? node.checked : node.value}`)"""


def parameters(url: str) -> dict[str, str]:
    """Return what a URL sets; every name once."""
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    assert len(pairs) == len(dict(pairs)), url
    return dict(pairs)


def wait_for_parameters(page: Page, expected: dict[str, str]) -> None:
    page.wait_for_url(lambda url: parameters(url) == expected)


def wait_for_controls(page: Page, expected: list[str]) -> None:
    page.wait_for_function(
        f"expected => JSON.stringify(({CONTROLS})()) === expected",
        arg=page.evaluate("list => JSON.stringify(list)", expected),
    )


def read_controls(page: Page) -> list[str]:
    """Return every control with its value, once the page's script has ended."""
    wait_until_ready(page)
    controls: list[str] = page.evaluate(CONTROLS)
    assert len(controls) > 10
    return controls


def slide(page: Page, label: str, key: str) -> None:
    """Press one key; a second could meet the answer to the first."""
    control = page.locator(f'input[type=range][aria-label="{label}"]')
    if not control.is_visible():
        page.get_by_role("button", name="Bias", exact=True).click()
    control.press(key)


def flip(page: Page, label: str) -> None:
    page.get_by_text(label, exact=True).click()


def expect_same_in_a_fresh_profile(open_page: OpenPage, page: Page) -> None:
    """The link gives the same controls, and they leave it as it is."""
    controls = read_controls(page)
    copy = open_page(page.url.split("/", 3)[3], in_fresh_profile=True)
    wait_for_controls(copy, controls)
    assert parameters(copy.url) == parameters(page.url)
    expect(copy.get_by_role("alert")).to_have_count(0)


def test_what_if_controls_are_in_the_url_by_their_identifiers(open_page: OpenPage) -> None:
    page = open_page()
    pick(page, "What if")
    wait_for_parameters(page, {"view": "what_if", "input": "zone_plate"})
    choose_variant(page, VARIANTS["full_preact"].title)
    wait_until_ready(page)
    choose_input(page, GENERATORS["cells"].title)
    link = {"view": "what_if", "variant": "full_preact", "input": "cells"}
    wait_for_parameters(page, link)
    wait_until_ready(page)
    set_number(page, "Seed of the weights", 5)
    wait_for_parameters(page, link | {"seed": "5"})
    pick(page, "Outcomes")
    link |= {"seed": "5", "details": "outcomes"}
    wait_for_parameters(page, link)
    flip(page, "Difference, stage by stage")
    link |= {"difference": "true"}
    wait_for_parameters(page, link)
    seed = page.get_by_label("Seed of the input", exact=True)
    expect(reveal(page, seed)).to_have_value("0")
    expect_same_in_a_fresh_profile(open_page, page)


def test_defaults_are_removed_from_the_url_again(open_page: OpenPage) -> None:
    link = {
        "view": "what_if",
        "input": "cells",
        "variant": "full_preact",
        "seed": "5",
        "mode": "eval",
        "features": "3",
        "difference": "true",
        "details": "channels",
    }
    page = open_page(f"?{urlencode(link)}")
    expect(segment(page, "All channels")).to_be_checked()
    wait_for_parameters(page, link)
    wait_for_heatmaps(page, ".st-key-compared")  # the controls below it stay in place from then on
    pick(page, "This pixel")
    flip(page, "Difference, stage by stage")
    pick(page, "train")
    set_number(page, "Seed of the weights", 0)
    choose_variant(page, VARIANTS["no_skip"].title)
    wait_for_parameters(page, {"view": "what_if", "input": "cells", "features": "3"})
    page.get_by_label("Features", exact=True).fill("")
    page.get_by_label("Features", exact=True).press("Enter")
    wait_for_parameters(page, {"view": "what_if", "input": "cells"})
    choose_input(page, GENERATORS["landscape"].title)
    pick(page, "Forward")
    wait_for_parameters(page, {})
    expect_same_in_a_fresh_profile(open_page, page)


def test_gradients_controls_are_in_the_url_until_they_are_the_defaults(open_page: OpenPage) -> None:
    page = open_page("?input=zone_plate&view=gradients")
    view = {"view": "gradients", "input": "zone_plate"}
    link = view | {"gamma2": "0.95"}
    slide(page, "γ₂, bn2's scale", "ArrowLeft")
    wait_for_parameters(page, link)
    slide(page, "Bias before the first ReLU", "ArrowLeft")
    wait_for_parameters(page, link | {"shift": "-0.5"})
    pick(page, "squared error")
    wait_for_parameters(page, link | {"shift": "-0.5", "cotangent": "error"})
    pick(page, "map")
    wait_for_parameters(page, link | {"shift": "-0.5", "cotangent": "error", "scope": "map"})
    expect_same_in_a_fresh_profile(open_page, page)
    pick(page, "ones")
    wait_for_parameters(page, link | {"shift": "-0.5", "scope": "map"})
    pick(page, "block")
    wait_for_parameters(page, link | {"shift": "-0.5"})
    slide(page, "γ₂, bn2's scale", "End")
    wait_for_parameters(page, view | {"shift": "-0.5"})
    slide(page, "Bias before the first ReLU", "ArrowRight")
    wait_for_parameters(page, view)
    choose_variant(page, VARIANTS["bottleneck"].title)
    wait_for_parameters(page, view | {"variant": "bottleneck"})
    expect_same_in_a_fresh_profile(open_page, page)


def test_depth_controls_are_in_the_url_by_their_identifiers(open_page: OpenPage) -> None:
    size = {"input": "zone_plate", "height": "8", "width": "6", "channels": "4"}
    page = open_page(f"?{urlencode({'view': 'depth', 'depth': '5', 'runs': '2'} | size)}")
    page.wait_for_selector(".st-key-curves .scatterlayer path", state="attached")
    pick(page, "One block")
    page.get_by_label("Block", exact=True).wait_for()
    set_number(page, "Block", 3)
    pick(page, "plain")
    link = {"view": "depth", "depth": "5", "runs": "2", "depth_details": "one_block"}
    wait_for_parameters(page, link | size | {"block_number": "3", "stack": "plain"})
    expect(page.get_by_text("Block 3 of the first run.")).to_be_visible()
    expect_same_in_a_fresh_profile(open_page, page)


OLD_LINKS = [
    (
        {
            "view": "What if",
            "variant": "Full pre-activation",
            "input": "Stained cells",
            "closer": "Linen twin",
            "seed": "5",
        },
        {
            "view": "what_if",
            "variant": "full_preact",
            "input": "cells",
            "details": "code",
            "linen": "true",
            "seed": "5",
        },
    ),
    (
        {
            "view": "What if",
            "variant": "Unequal channels",
            "way_out": "project the identity",
            "further": "plane",
        },
        {
            "view": "what_if",
            "variant": "wrong_channels",
            "fix": "project_identity",
            "details": "scatter",
        },
    ),
    (
        {"view": "Gradients", "block": "No skip", "cotangent": "pinned pixel", "pin": "out,9,30"},
        {"view": "gradients", "variant": "no_skip", "cotangent": "pixel", "pin": "out,9,30"},
    ),
]


@pytest.mark.parametrize(("old", "new"), OLD_LINKS)
def test_an_old_link_with_titles_is_the_present_one(
    open_page: OpenPage, old: dict[str, str], new: dict[str, str]
) -> None:
    page = open_page(f"?{urlencode(new)}")
    page.locator(".heatmaplayer image").first.wait_for(state="attached")
    wait_for_parameters(page, new)
    controls = read_controls(page)
    copy = open_page(f"?{urlencode(old)}")
    wait_for_parameters(copy, new)
    wait_for_controls(copy, controls)
    expect(copy.get_by_role("alert")).to_have_count(0)


def test_an_illegal_value_is_reported_and_removed_from_the_url(open_page: OpenPage) -> None:
    page = open_page("?variant=Nonsense&view=what_if&seed=-1&input=normal")
    alerts = page.get_by_role("alert")
    expect(alerts).to_have_count(2)
    expect(alerts.first).to_contain_text("Ignored URL parameter seed='-1': expected an integer")
    expect(alerts.last).to_contain_text("Ignored URL parameter variant='Nonsense': expected one of")
    wait_for_parameters(page, {"view": "what_if", "input": "normal"})
