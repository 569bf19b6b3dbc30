"""Show every view at every size in one picture, and measure the first one: `make sheet`."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from explorer.figures.theme import ThemeName
from tests.browser import chromium
from tests.browser.page import frames, wait_for_figure, wait_for_theme
from tests.browser.server import ROOT, running_page

THEMES: tuple[ThemeName, ...] = ("light", "dark")
FOLDER = ROOT / "artifacts" / "sheet"
SHEET = ROOT / "artifacts" / "sheet.png"
VIEWS = {
    "forward": "",
    "what_if": "?view=what_if",
    "gradients": "?view=gradients",
    "depth": "?view=depth",
    "train": "?view=train",
    "network": "?view=network",
    "lesson": "?lesson=the_sum&step=1",
}
PHONE = (390, 844)
SIZES = (PHONE, (1280, 720), (1440, 900), (1920, 1080), (2560, 1440))
MOBILE = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"
)
# Least sides of the first view's panels by the size of the window, in CSS pixels.
LEAST_SIDES = {(1280, 720): 110, (1440, 900): 130, (1920, 1080): 180}
IN_SIGHT = ("add", "out", "identity")
TILE, GAP, LABEL = 300, 12, 22  # pixels of the sheet: a screenshot's height, and what is around


@dataclass(frozen=True)
class FirstScreen:
    """The first view's panels in a window."""

    size: tuple[int, int]
    side: float
    bottom: float

    @property
    def problem(self) -> str:
        """What does not meet the limits, in words."""
        found = []
        if self.side < LEAST_SIDES[self.size]:
            found.append("panels are too small")
        if self.bottom > self.size[1]:
            found.append(f"{', '.join(IN_SIGHT)} are not all in sight")
        return "; ".join(found)


def main() -> int:
    """Write the sheet, print the table of panels, and return the exit code."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with running_page() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=chromium.ARGUMENTS
        )
        screens = list(photograph(browser, address))
        browser.close()
    put_together()
    print("window      least side  limit  lowest edge of add, out and identity")
    for each in screens:
        width, height = each.size
        limit = LEAST_SIDES[each.size]
        row = f"{width:4} × {height:<4} {each.side:11.0f}  {limit:5}  {each.bottom:4.0f}"
        print(f"{row}  {each.problem or 'met'}")
    return int(any(each.problem for each in screens))


def photograph(browser: Browser, address: str) -> Iterator[FirstScreen]:
    """Save a screenshot of each view at each size and in each theme; yield what is measured."""
    for size in SIZES:
        context = opened(browser, size)
        for view, link in VIEWS.items():
            page = context.new_page()
            page.goto(f"{address}/{link}")
            for theme in THEMES:
                page.emulate_media(color_scheme=theme)
                wait_until_drawn(page, theme)
                page.screenshot(path=FOLDER / file_name(view, size, theme))
            if view == "forward" and size in LEAST_SIDES:
                yield measure(page, size)
            page.close()
        context.close()


def opened(browser: Browser, size: tuple[int, int]) -> BrowserContext:
    """Return a new profile with a window of this size, a phone's for the smallest."""
    is_phone = size == PHONE
    return browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        is_mobile=is_phone,
        has_touch=is_phone,
        user_agent=MOBILE if is_phone else None,
    )


def wait_until_drawn(page: Page, theme: ThemeName) -> None:
    """Wait until all figures show this theme and the server has nothing more to send."""
    page.locator(".linked-figure .main-svg").first.wait_for(state="attached", timeout=120_000)
    wait_for_theme(page, theme)
    page.wait_for_selector("[data-test-script-state=notRunning]", timeout=120_000)
    page.wait_for_load_state("networkidle")


def measure(page: Page, size: tuple[int, int]) -> FirstScreen:
    """Return the panels of the first view, as it has opened."""
    wait_for_figure(page)
    found = frames(page)
    return FirstScreen(
        size,
        side=min(min(frame.width, frame.height) for frame in found.values()),
        bottom=max(found[name].top + found[name].height for name in IN_SIGHT),
    )


def put_together() -> None:
    """Write the sheet: a row for each view and theme, a column for each size."""
    widths = [round(TILE * width / height) for width, height in SIZES]
    rows = [(view, theme) for view in VIEWS for theme in THEMES]
    sheet = Image.new(
        "RGB",
        (GAP + sum(width + GAP for width in widths), GAP + len(rows) * (TILE + LABEL + GAP)),
        "#808080",
    )
    pen = ImageDraw.Draw(sheet)
    top = GAP
    for view, theme in rows:
        left = GAP
        for size, width in zip(SIZES, widths, strict=True):
            words = f"{view}, {size[0]} x {size[1]}"  # the font has no ×
            pen.text((left, top), words, "#000000", ImageFont.load_default(14))
            with Image.open(FOLDER / file_name(view, size, theme)) as shot:
                tile = shot.convert("RGB").resize((width, TILE), Image.Resampling.LANCZOS)
            sheet.paste(tile, (left, top + LABEL))
            left += width + GAP
        top += TILE + LABEL + GAP
    sheet.save(SHEET, optimize=True)


def file_name(view: str, size: tuple[int, int], theme: ThemeName) -> str:
    return f"{view}-{size[0]}x{size[1]}-{theme}.png"


if __name__ == "__main__":
    sys.exit(main())
