"""A click before the browser has the answer to the one before: both settings hold."""

from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.connection import Connection
from tests.browser.page import choose_variant, pick, set_number, wait_until_ready
from tests.browser.test_history import COMPARED, wait_for_link

SMALL = {"input": "zone_plate", "height": "8", "width": "8", "channels": "4"}
LINK = SMALL | {"view": "what_if"}


def open_what_if(open_page: OpenPage, link: dict[str, str]) -> tuple[Page, Connection]:
    page = open_page("_stcore/health", in_fresh_profile=True)
    connection = Connection(page)
    page.goto(page.url.replace("_stcore/health", f"?{urlencode(link)}"))
    page.locator(f"{COMPARED}-plot tspan").get_by_text("No skip").first.wait_for()
    wait_until_ready(page)
    return page, connection


def flip_difference(page: Page) -> None:
    page.get_by_text("Difference, stage by stage", exact=True).click()


def test_a_click_in_the_figure_keeps_the_setting_of_the_click_before(open_page: OpenPage) -> None:
    page, connection = open_what_if(open_page, LINK | {"details": "channels"})
    length = page.evaluate("history.length")
    connection.between(lambda: pick(page, "eval"), lambda: flip_difference(page))
    wait_for_link(page, LINK | {"details": "channels", "mode": "eval", "difference": "true"})
    assert page.evaluate("history.length") == length


def test_a_click_in_the_figure_brings_back_no_setting_that_was_removed(open_page: OpenPage) -> None:
    page, connection = open_what_if(open_page, LINK | {"seed": "5"})
    connection.between(
        lambda: set_number(page, "Seed of the weights", 0), lambda: flip_difference(page)
    )
    wait_for_link(page, LINK | {"difference": "true"})


def test_a_late_answer_changes_no_setting_back(open_page: OpenPage) -> None:
    page, connection = open_what_if(open_page, LINK)
    connection.after_late_answer(
        lambda: pick(page, "eval"),
        lambda: choose_variant(page, "Bottleneck"),
        lambda: set_number(page, "Seed of the weights", 3),
    )
    wait_for_link(page, LINK | {"mode": "eval", "seed": "3", "variant": "bottleneck"})
    expect(page.get_by_role("combobox", name="Variant")).to_have_value("Other · Bottleneck")


def test_another_view_keeps_the_setting_of_the_click_before(open_page: OpenPage) -> None:
    page, connection = open_what_if(open_page, LINK)
    length = page.evaluate("history.length")
    connection.between(lambda: flip_difference(page), lambda: pick(page, "Gradients"))
    wait_for_link(page, LINK | {"view": "gradients", "difference": "true"})
    assert page.evaluate("history.length") == length + 1
    page.go_back()
    expect(page.get_by_role("switch", name="Difference, stage by stage")).to_be_checked()
    wait_for_link(page, LINK | {"difference": "true"})
