"""Lessons in a browser: all of them in both directions, keys, history, presenter mode, print."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Page, expect

from explorer.lessons import Lesson, shipped_lessons
from tests.browser.conftest import OpenPage
from tests.browser.page import field, frames, segment, set_number, wait_for_figure, wait_until_ready

OWN = {"lesson": "own", "input": "normal", "height": "8", "width": "8", "channels": "4"}
STEPS = [
    OWN | {"step": "1", "seed": "3", "pin": "add,1,2"},
    OWN | {"step": "2", "mode": "eval"},
    OWN | {"step": "3", "view": "what_if", "variant": "bottleneck"},
]
EMBEDDED = {"embed": "true"}


def link(page: Page) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(page.url).query))


def wait_for_link(page: Page, expected: dict[str, str]) -> None:
    page.wait_for_url(lambda url: dict(parse_qsl(urlsplit(url).query)) == expected)


def expect_step(page: Page, lesson: Lesson, number: int) -> None:
    """Wait for a step and its state; assert that no setting of its link was ignored."""
    step = lesson.steps[number - 1]
    page.wait_for_url(lambda url: f"step={number}" in url)
    expect(page.locator(".st-key-lesson_card h2")).to_contain_text(f"{number} of ")
    wait_until_ready(page)
    expect(page.get_by_text("Ignored URL parameter")).to_have_count(0)
    expect(page.locator(".linked-figure-plot .cartesianlayer").first).to_be_attached()
    view = {"forward": "Forward", "what_if": "What if", "gradients": "Gradients"}
    view |= {"depth": "Depth", "train": "Train", "network": "Network"}
    chosen = view[step.link.get("view", "forward")]
    expect(segment(page, chosen)).to_be_checked()


def text_fits(page: Page) -> bool:
    """Return whether no text of the card has to be scrolled."""
    return bool(
        page.evaluate(
            """() => [...document.querySelectorAll('.st-key-lesson_card [style*="5.7rem"]')]
                .every((each) => each.scrollHeight <= each.clientHeight + 1)"""
        )
    )


@pytest.mark.parametrize("lesson", shipped_lessons(), ids=lambda lesson: lesson.name)
def test_a_lesson_is_walked_forwards_and_backwards(lesson: Lesson, open_page: OpenPage) -> None:
    page = open_page(f"?lesson={lesson.name}", width=1280, height=720)
    count = len(lesson.steps)
    for number in range(1, count + 1):
        expect_step(page, lesson, number)
        if lesson.steps[number - 1].question:
            page.get_by_role("button", name="Show the answer").click()
            expect(page.locator(".st-key-lesson_card [role=status]")).to_be_visible()
        assert text_fits(page)
        if number < count:
            page.get_by_role("button", name="Next", exact=True).click()
    expect(page.get_by_role("button", name="Next lesson")).to_be_visible()
    last = page.url
    for number in range(count - 1, 0, -1):
        page.get_by_role("button", name="Back", exact=True).click()
        expect_step(page, lesson, number)
    page.goto(last)
    expect_step(page, lesson, count)
    assert link(page) == dict(parse_qsl(urlsplit(last).query))


def test_a_teachers_lesson_is_opened_played_with_and_left(open_page: OpenPage) -> None:
    page = open_page("?height=8&width=8&channels=4", in_fresh_profile=True)
    wait_for_figure(page)
    page.get_by_role("button", name="Lessons").click()
    expect(page.get_by_text("11_bad.md, line 8: the number '7' is not marked")).to_be_visible()
    page.get_by_role("button", name="A teacher's *own* lesson").click()
    wait_for_link(page, STEPS[0])
    expect(page.get_by_text("and <i>no</i> markup but ours")).to_be_visible()
    expect(page.get_by_text("Three steps <b>with</b> small inputs.")).to_be_hidden()
    page.get_by_role("button", name="Show the answer").click()
    expect(page.locator(".st-key-lesson_card [role=status]")).to_have_text("3.")
    page.get_by_role("button", name="Settings").click()
    set_number(page, "Seed of the weights", 5)
    wait_for_link(page, STEPS[0] | {"seed": "5"})
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Show this step again").click()
    wait_for_link(page, STEPS[0])
    wait_until_ready(page)
    page.get_by_role("button", name="Leave the lesson").click()
    wait_for_link(page, {k: v for k, v in STEPS[0].items() if k not in ("lesson", "step")})
    expect(field(page, "Seed of the weights")).to_have_value("3")


def test_arrow_keys_and_the_history_walk_the_steps(open_page: OpenPage) -> None:
    page = open_page("?lesson=own", in_fresh_profile=True)
    wait_for_link(page, STEPS[0])
    wait_for_figure(page)
    wait_until_ready(page)
    length = page.evaluate("history.length")
    for step in STEPS[1:]:
        page.keyboard.press("ArrowRight")
        wait_for_link(page, step)
        wait_until_ready(page)
    page.keyboard.press("ArrowRight")  # there is no other step
    assert page.evaluate("history.length") == length + 2
    for step in STEPS[1::-1]:
        page.go_back()
        wait_for_link(page, step)
        expect(page.locator(".st-key-lesson_card h2")).to_contain_text(f"{step['step']} of 3")
    page.go_forward()
    wait_for_link(page, STEPS[1])
    expect(page.locator(".st-key-lesson_card h2")).to_contain_text("2 of 3")
    wait_until_ready(page)
    page.keyboard.press("ArrowLeft")
    wait_for_link(page, STEPS[0])
    expect(page.locator(".st-key-lesson_card h2")).to_contain_text("1 of 3")
    wait_until_ready(page)
    page.locator(".st-key-stages .linked-figure").focus()
    page.keyboard.press("ArrowRight")  # moves the pin
    wait_for_link(page, STEPS[0] | {"pin": "add,1,3"})


def test_the_presenter_mode_hides_chrome_and_takes_the_theme_of_the_link(
    open_page: OpenPage,
) -> None:
    page = open_page("?lesson=own&present=dark", in_fresh_profile=True, width=1280, height=720)
    dark = EMBEDDED | {"embed_options": "dark_theme", "present": "dark"}
    wait_for_link(page, STEPS[0] | dark)
    wait_for_figure(page)
    expect(page.locator("header")).to_have_text("")
    expect(page.get_by_label("Seed of the weights")).to_be_hidden()
    expect(page.get_by_text("Next:")).to_have_count(0)
    expect(page.locator("[data-testid=stCaptionContainer]").first).to_be_hidden()
    expect(page.locator("h1")).to_contain_text("Noise")
    assert page.evaluate(BACKGROUND) < 100
    page.keyboard.press("PageDown")
    wait_for_link(page, STEPS[1] | dark)
    expect(page.locator("h1")).to_contain_text("2 of 3")
    page.keyboard.press("PageUp")
    wait_for_link(page, STEPS[0] | dark)
    for panel in frames(page).values():  # the legend alone may be below
        assert panel.top + panel.height < 720
    page.keyboard.press("p")
    wait_for_link(page, STEPS[0])
    wait_for_figure(page)
    assert page.evaluate(BACKGROUND) > 600
    expect(segment(page, "Forward")).to_be_visible()
    page.keyboard.press("p")
    wait_for_link(page, STEPS[0] | EMBEDDED | {"present": "true"})
    page.wait_for_selector("html[data-present]", state="attached")
    page.keyboard.press("Escape")
    wait_for_link(page, STEPS[0])


# The sum of the three parts of the page's background colour.
BACKGROUND = """() => getComputedStyle(document.querySelector('.stApp')).backgroundColor
    .match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0)"""


def test_the_crosshair_of_the_presenter_is_coloured(open_page: OpenPage) -> None:
    page = open_page("?lesson=own", in_fresh_profile=True)
    wait_for_figure(page)
    assert pink(page) == 0
    page.keyboard.press("p")
    page.wait_for_selector("html[data-present]", state="attached")
    wait_for_figure(page)
    page.wait_for_function(f"() => ({PINK})() > 100")


# How many pixels of the marks have the colour of the presenter's pointer.
PINK = """() => {
    const canvas = document.querySelector('.st-key-stages .linked-figure canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4)
        count += data[at] > 240 && data[at + 1] < 20 && data[at + 2] > 180 && data[at + 3] > 150;
    return count;
}"""


def pink(page: Page) -> int:
    return int(page.evaluate(PINK))


def test_a_printed_step_has_text_and_picture_and_no_controls(open_page: OpenPage) -> None:
    page = open_page("?lesson=own", in_fresh_profile=True, width=1280, height=720)
    wait_for_figure(page)
    page.emulate_media(media="print")
    for hidden in ("Lessons", "Next", "Leave the lesson", "Show the answer"):
        expect(page.get_by_role("button", name=hidden, exact=True)).to_be_hidden()
    expect(page.get_by_text("and <i>no</i> markup but ours")).to_be_visible()
    pdf = page.pdf(prefer_css_page_size=True)
    assert b"/MediaBox [0 0 960 " in pdf  # 1280 CSS pixels in points: as wide as the window
    edges = page.evaluate(
        "() => [...document.querySelectorAll('.linked-figure-plot, .linked-figure-plot svg')]"
        ".map((each) => each.getBoundingClientRect().right)"
    )
    assert max(edges) <= 1280
