"""Browser tests of the Forward view."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from explorer import trace_block
from explorer.inputs import generate, standardise
from tests.browser.conftest import OpenPage
from tests.browser.page import (
    LOOKS,
    PLOT,
    choose_input,
    digest,
    field,
    panel,
    pick,
    segment,
    set_number,
    upload,
    wait_for_figure,
    wait_for_new_digest,
    wait_for_panel,
)
from tests.files import colours, npy, npz, picture, png_header


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_the_default_figure_appears(
    open_page: OpenPage, artifacts: Path, width: int, theme: str
) -> None:
    page = open_page(width=width, height=1400 if width == 800 else 1000, color_scheme=theme)
    wait_for_figure(page)
    assert digest(page) == trace_block(0, generate("zone_plate", 32, 32, 8), 8).digest()
    expect(page.locator(".infolayer")).to_contain_text("identity path: nothing is computed here")
    dark = page.evaluate(
        "getComputedStyle(document.querySelector('.stApp')).backgroundColor == 'rgb(15, 18, 22)'"
    )
    assert dark == (theme == "dark")
    page.screenshot(path=artifacts / f"forward-{width}-{theme}.png")


def test_the_figure_follows_the_users_theme(open_page: OpenPage) -> None:
    page = open_page(color_scheme="dark")
    wait_for_figure(page)
    fill = page.evaluate(f"document.querySelector('{PLOT}')._fullLayout.plot_bgcolor")
    assert fill == "#0f1216"


def test_panels_at_both_ends_of_the_identity_path_look_the_same(open_page: OpenPage) -> None:
    page = open_page()
    wait_for_figure(page)
    x = generate("zone_plate", 32, 32, 8)[:, :, 0]
    np.testing.assert_array_equal(panel(page, "x"), x)
    np.testing.assert_array_equal(panel(page, "identity"), x)


def test_a_link_copied_after_five_changes_gives_the_same_digest(open_page: OpenPage) -> None:
    page = open_page()
    wait_for_figure(page)
    old = digest(page)
    choose_input(page, "Normal noise")
    old = wait_for_new_digest(page, old)
    set_number(page, "Seed of the input", 12)
    old = wait_for_new_digest(page, old)
    set_number(page, "Channels", 6)
    old = wait_for_new_digest(page, old)
    set_number(page, "Seed of the weights", 4294967295)
    old = wait_for_new_digest(page, old)
    pick(page, "eval")
    old = wait_for_new_digest(page, old)
    set_number(page, "Warm-up passes", 3)
    new = wait_for_new_digest(page, old)
    pick(page, "map")
    page.wait_for_url("**scope=map**")

    copy = open_page(page.url.split("/", 3)[3], in_fresh_profile=True)
    wait_for_figure(copy)
    assert digest(copy) == new
    expected = trace_block(
        2**32 - 1,
        generate("normal", 32, 32, 6, 12),
        6,
        use_running_average=True,
        warmup_passes=3,
    )
    assert new == expected.digest()
    expect(segment(copy, "map")).to_be_checked()


def test_uploads_are_drawn_and_bad_ones_leave_the_page_usable(open_page: OpenPage) -> None:
    page = open_page("?input=upload")
    upload(page, "noise.npy", npy(np.random.default_rng(0).standard_normal((24, 40, 5))))
    wait_for_figure(page)
    first = digest(page)
    expect(page.locator(".infolayer")).to_contain_text("24×40×5")

    shades = colours(60, 90, 3)
    upload(page, "photo.jpg", picture(shades, "JPEG"))
    old = wait_for_new_digest(page, first)
    expect(page.locator(".infolayer")).to_contain_text("60×90×3")

    for name, data, sentence in BAD_FILES:
        upload(page, name, data)
        expect(page.get_by_role("alert")).to_contain_text(sentence)
        expect(page.get_by_text("Digest of out:")).to_have_count(0)

    upload(page, "photo.png", picture(shades, "PNG"))
    wait_for_new_digest(page, old)
    x = standardise((shades / np.float32(255)).astype(np.float32))
    assert digest(page) == trace_block(0, x, 3).digest()


BAD_FILES = [
    ("pickled.npy", npy(np.array([{}]), allow_pickle=True), "Python objects"),
    ("huge.png", png_header(30000, 30000), "30,000×30,000 pixels"),
    ("empty.png", b"", "0 bytes"),
    ("text.png", b"plain words", "are no PNG picture"),
    ("gap.csv", b"1,2\nnan,3", "1 NaN"),
]


def test_a_link_has_the_array_of_a_npz_and_asks_for_the_file(open_page: OpenPage) -> None:
    data = npz(first=np.eye(4), second=np.ones((3, 5, 2)))
    page = open_page("?input=upload")
    upload(page, "two.npz", data)
    wait_for_figure(page)
    first = digest(page)
    page.get_by_role("combobox", name="Array").click()
    page.get_by_role("option", name="second").click()
    page.wait_for_url("**array=second**")
    page.wait_for_url("**file=two.npz**")
    expect(page.locator(".infolayer")).to_contain_text("3×5×2")
    second = wait_for_new_digest(page, first)  # drawn after the figure

    copy = open_page(page.url.split("/", 3)[3], in_fresh_profile=True)
    expect(copy.get_by_text("made with the file two.npz")).to_be_visible()
    upload(copy, "two.npz", data)
    wait_for_figure(copy)
    assert digest(copy) == second


def test_a_row_of_the_channel_table_picks_the_channel(open_page: OpenPage) -> None:
    page = open_page("?input=zone_plate&details=channels")
    wait_for_figure(page)
    table = page.get_by_test_id("stDataFrame").locator("canvas").first
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box
    page.mouse.click(box["x"] + 15, box["y"] + 35 * 4 + 17)  # the row marker of channel 3
    page.wait_for_url("**channel=3**")
    expect(field(page, "Channel")).to_have_value("3")
    wait_for_panel(page, "x", generate("zone_plate", 32, 32, 8)[:, :, 3])


def test_an_error_leaves_the_last_picture_pale_and_the_widgets(
    open_page: OpenPage, artifacts: Path
) -> None:
    page = open_page("?input=cells&seed=2&mode=eval&warmup=3&channel=1")
    wait_for_figure(page)
    shown = panel(page, "out")
    page.evaluate("plot => { window.plot = document.querySelector(plot); }", PLOT)
    set_number(page, "Features", 16)
    expect(page.get_by_role("alert")).to_contain_text("features is 16 but the input has 3 channels")
    expect(page.get_by_text("Last result, of earlier settings").first).to_be_visible()
    assert page.evaluate("plot => document.querySelector(plot) === window.plot", PLOT)
    assert float(page.evaluate("getComputedStyle(window.plot).opacity")) < 0.5
    np.testing.assert_array_equal(panel(page, "out"), shown)
    assert "warmup=3" in page.url
    expect(field(page, "Channel")).to_have_value("1")
    page.screenshot(path=artifacts / "error.png")
    set_number(page, "Seed of the weights", 5)
    page.wait_for_url("**seed=5**")
    expect(page.get_by_text("Last result, of earlier settings").first).to_be_visible()
    pick(page, "1×1 projection")
    wait_for_figure(page)
    page.get_by_text("Digest of out:").wait_for()
    expect(page.get_by_text("Last result, of earlier settings")).to_be_hidden()
    assert float(page.evaluate("getComputedStyle(window.plot).opacity")) == 1
    for part in ("input=cells", "seed=5", "mode=eval", "warmup=3", "channel=1", "features=16"):
        assert part in page.url
