"""Zoom of linked panels with the mouse and with fingers: cells keep their shape."""

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.page import PATIENCE, PLOT, READOUT, centre, wait_for_figure, wait_for_heatmaps

SHAPE = """plot => {
    const node = document.querySelector(plot);
    const layout = node._fullLayout;
    const axes = Object.keys(layout).filter((name) => /^[xy]axis\\d*$/.test(name));
    const span = (axis) => Math.abs(axis.range[1] - axis.range[0]);
    return {
        ranges: [...new Set(axes.map((name) => name[0] + layout[name].range.join()))],
        cells: axes.filter((name) => name[0] === "x").map((name) => {
            const [x, y] = [layout[name], layout[name.replace("x", "y")]];
            return [x._length / span(x), y._length / span(y)];
        }),
        width: span(layout.xaxis),
        left: layout.xaxis.range[0],
        top: layout.yaxis.range[1],
    };
}"""


def wait_for_width(page: Page, plot: str, low: float, high: float) -> dict[str, float]:
    """Wait until between `low` and `high` columns are in view; return what is."""
    page.wait_for_function(
        f"([plot, low, high]) => {{ const {{ width }} = ({SHAPE})(plot);"
        " return low <= width && width <= high; }",
        arg=[plot, low, high],
    )
    shape: dict[str, float] = page.evaluate(SHAPE, plot)
    return shape


def expect_square(page: Page, plot: str = PLOT) -> None:
    """Assert that all panels show the same cells, each as wide as high."""
    shape = page.evaluate(SHAPE, plot)
    assert len(shape["ranges"]) == 2
    for width, height in shape["cells"]:
        assert width == pytest.approx(height, rel=0.02)


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=4)
    page.mouse.up()


@pytest.mark.parametrize("size", ["height=32&width=32", "height=24&width=60"])
def test_cells_are_square_after_a_drag_along_one_side(open_page: OpenPage, size: str) -> None:
    page = open_page(f"?{size}")
    wait_for_figure(page)
    expect_square(page)
    drag(page, centre(page, "x", 2, 4), centre(page, "x", 3, 20))
    shape = wait_for_width(page, PLOT, 15.5, 16.5)
    assert shape["left"] == pytest.approx(4, abs=0.3)
    expect_square(page)
    page.keyboard.down("Shift")
    drag(page, centre(page, "bn1", 6, 12), centre(page, "bn1", 6, 9))
    page.keyboard.up("Shift")
    page.wait_for_function(
        f"plot => ({SHAPE})(plot).left > 6.5 && ({SHAPE})(plot).left < 7.5", arg=PLOT
    )
    expect_square(page)
    page.mouse.dblclick(*centre(page, "out", 6, 12))
    assert wait_for_width(page, PLOT, 32, 60)["left"] == -0.5
    expect(page.locator(READOUT)).not_to_contain_text("pinned")


def test_a_touchpad_pinches_and_the_wheel_scrolls(open_page: OpenPage) -> None:
    page = open_page()
    wait_for_figure(page)
    page.mouse.move(*centre(page, "add", 8, 8))
    page.mouse.wheel(0, 20)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -70)
    page.keyboard.up("Control")
    shape = wait_for_width(page, PLOT, 15, 17)
    assert -0.5 < shape["left"] < 8 < shape["left"] + shape["width"]
    expect_square(page)


def test_the_gallerys_tiles_keep_their_shape(open_page: OpenPage) -> None:
    page = open_page(
        "?input=zone_plate&details=channels&height=12&width=12&channels=9", height=1700
    )
    gallery = ".st-key-gallery .linked-figure-plot"
    wait_for_heatmaps(page, gallery)
    before = page.evaluate(SHAPE, gallery)
    drag(page, centre(page, "bn2", 0, 0, "gallery"), centre(page, "bn2", 0.2, 1.5, "gallery"))
    after = wait_for_width(page, gallery, 0.5, before["width"] - 0.5)
    ratios = [np.divide(*np.array(shape["cells"]).T) for shape in (before, after)]
    np.testing.assert_allclose(ratios[0], ratios[1], rtol=1e-6)


@pytest.fixture
def phone(browser: Browser, address: str) -> Iterator[Page]:
    """A page in a phone's browser, 390 pixels wide."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{address}/?input=zone_plate&pin=x,3,4")
    wait_for_figure(page)
    page.locator(PLOT).scroll_into_view_if_needed()
    yield page
    context.close()
    assert errors == []


Finger = tuple[float, float]


def touch(session: CDPSession, kind: str, *fingers: Finger) -> None:
    points = [{"x": x, "y": y, "id": index} for index, (x, y) in enumerate(fingers)]
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def scrolled(page: Page) -> float:
    top: float = page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop")
    return top


def swipe(page: Page, at: Finger, across: float, down: float) -> None:
    session = page.context.new_cdp_session(page)
    x, y = at
    touch(session, "touchStart", at)
    for step in range(1, 9):
        touch(session, "touchMove", (x + across * step / 8, y + down * step / 8))
    touch(session, "touchEnd")


def test_one_finger_scrolls_the_page_over_every_figure(phone: Page) -> None:
    page = phone
    page.wait_for_selector(".st-key-arithmetic .main-svg", state="attached")
    for figure, at in (
        (PLOT, centre(page, "add", 16, 16)),
        (".st-key-arithmetic .linked-figure-plot", None),
    ):
        if at is None:
            page.locator(figure).scroll_into_view_if_needed()
            box = page.locator(figure).bounding_box()
            assert box
            at = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        before, shape = scrolled(page), page.evaluate(SHAPE, figure)
        swipe(page, at, 0, 150 if before > 200 else -150)
        page.wait_for_function(
            "before => Math.abs(document.querySelector('[data-testid=stMain]').scrollTop - before)"
            " > 80",
            arg=before,
        )
        assert page.evaluate(SHAPE, figure) == shape
    expect(page.locator(READOUT)).to_contain_text("pinned row 3, column 4")


def test_a_sideways_swipe_neither_zooms_nor_pins(phone: Page) -> None:
    shape = phone.evaluate(SHAPE, PLOT)
    swipe(phone, centre(phone, "add", 16, 8), 60, 3)
    expect(phone.locator(READOUT)).to_contain_text("pinned row 3, column 4")
    assert phone.evaluate(SHAPE, PLOT) == shape


def test_two_fingers_zoom_all_panels_and_a_tap_pins(phone: Page) -> None:
    page = phone
    session = page.context.new_cdp_session(page)
    x, y = centre(page, "out", 10, 20)
    before = scrolled(page)
    touch(session, "touchStart", (x - 10, y))
    touch(session, "touchStart", (x - 10, y), (x + 10, y))
    for reach in range(12, 42, 4):
        touch(session, "touchMove", (x - reach, y), (x + reach, y))
    touch(session, "touchMove", (x - 40, y), (x + 40, y))
    touch(session, "touchEnd")
    shape = wait_for_width(page, PLOT, 7.5, 8.5)
    assert shape["left"] < 20 < shape["left"] + 8
    assert shape["top"] < 10 < shape["top"] + 8
    expect_square(page)
    assert scrolled(page) == before
    expect(page.locator(READOUT)).to_contain_text("pinned row 3, column 4")
    page.touchscreen.tap(*centre(page, "out", 11, 21))
    expect(page.locator(READOUT)).to_contain_text("pinned row 11, column 21")
    page.wait_for_url("**pin=out%2C11%2C21**")
    page.wait_for_timeout(400)  # so that the next tap is not the second of two
    for _ in range(2):
        page.touchscreen.tap(*centre(page, "out", 11, 21))
    wait_for_width(page, PLOT, 32, 32)
    expect(page.locator(READOUT)).to_contain_text("pinned row 11, column 21")


@pytest.mark.parametrize(
    ("figure", "link"),
    [
        ("sum_comparison", "?input=zone_plate&details=outcomes&height=24&width=32"),
        ("influence", "?input=zone_plate&view=gradients&cotangent=pixel&height=24&width=32"),
    ],
)
def test_cells_of_other_maps_stay_square(open_page: OpenPage, figure: str, link: str) -> None:
    page = open_page(link, height=2000)
    plot = f".st-key-{figure} .linked-figure-plot"
    wait_for_heatmaps(page, plot)
    name = page.evaluate("plot => document.querySelector(plot)._fullData[0].name", plot)
    drag(page, centre(page, name, 4, 4, figure), centre(page, name, 8, 20, figure))
    shape = wait_for_width(page, plot, 15, 17)
    for width, height in np.array(shape["cells"]):
        assert width == pytest.approx(height, rel=0.01)
