"""The button that copies the link, with a clipboard and without one."""

from playwright.sync_api import Dialog, expect

from tests.browser.conftest import OpenPage
from tests.browser.page import set_number, wait_for_figure


def test_the_link_is_copied(open_page: OpenPage) -> None:
    page = open_page("?height=8&width=8&channels=4", in_fresh_profile=True)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    wait_for_figure(page)
    set_number(page, "Seed of the weights", 5)
    page.wait_for_url("**seed=5**")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    expect(page.get_by_role("button", name="Copy link")).to_be_visible()


def test_without_a_clipboard_the_link_is_shown(open_page: OpenPage) -> None:
    page = open_page("?height=8&width=8&channels=4", in_fresh_profile=True)
    wait_for_figure(page)
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    shown = []

    def note(dialog: Dialog) -> None:
        shown.append((dialog.type, dialog.default_value))
        dialog.dismiss()

    page.on("dialog", note)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copy link")).to_be_visible()
    assert shown == [("prompt", page.url)]
