"""The explorer in a frame of a page of another site: refused, allowed, a lesson, an upload."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Frame, Page, expect

from explorer.export.embed_snippet import embed_snippet
from tests.browser.page import PATIENCE
from tests.browser.server import running_server

COURSE = '<!doctype html><title>Course</title><link rel="icon" href="data:,">'
LESSON = "?lesson=own"
IMAGES = ".st-key-stages .heatmaplayer image"


class Silent(SimpleHTTPRequestHandler):
    """A server of the files of a folder, which logs nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@contextmanager
def website(folder: Path) -> Iterator[str]:
    """Serve a folder on a free port, at another site than 127.0.0.1; yield the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("course")


@pytest.fixture(scope="module")
def allowed(folder: Path) -> Iterator[str]:
    """The address of a site that may embed `explorer`."""
    with website(folder) as address:
        yield address


@pytest.fixture(scope="module")
def explorer(allowed: str) -> Iterator[str]:
    """The address of a server that lets `allowed` embed its page, uploads included."""
    variables = {
        "EXPLORER_EMBED": f"lms.example.org, {allowed}",
        "EXPLORER_LESSONS": str(Path(__file__).parent / "lessons"),
    }
    with running_server("--server.xsrfCookieSameSite=none", environment=variables) as server:
        yield server.address


@pytest.fixture
def errors() -> list[str]:
    """The errors in the console of `page`."""
    return []


@pytest.fixture
def page(browser: Browser, errors: list[str]) -> Iterator[Page]:
    """A tab with a fresh profile."""

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.on("console", note)
    yield page
    page.close()


def embed(page: Page, folder: Path, site: str, link: str) -> Frame:
    """Open a page of a site that holds the snippet of a link; return the frame."""
    (folder / "course.html").write_text(COURSE + embed_snippet(link, "A residual block"))
    page.goto(f"{site}/course.html")
    return page.frames[1]


def expect_refusal(page: Page, folder: Path, site: str, link: str, policy: str) -> None:
    """Assert that the frame has the browser's error page, because of this policy."""
    with page.expect_console_message(lambda message: policy in message.text):
        frame = embed(page, folder, site, link)
    frame.wait_for_url("chrome-error://chromewebdata/")
    assert frame.locator(".stApp").count() == 0


def test_by_default_other_pages_are_refused(
    address: str, folder: Path, allowed: str, page: Page
) -> None:
    expect_refusal(page, folder, allowed, f"{address}/{LESSON}", "frame-ancestors 'self'\"")


def test_a_page_on_a_port_that_is_not_listed_is_refused(
    explorer: str, folder: Path, allowed: str, page: Page
) -> None:
    policy = f"frame-ancestors 'self' lms.example.org {allowed}\""
    with website(folder) as other:
        expect_refusal(page, folder, other, f"{explorer}/{LESSON}", policy)


def test_an_allowed_page_embeds_a_lesson_without_navigation(
    explorer: str, folder: Path, allowed: str, page: Page, errors: list[str]
) -> None:
    frame = embed(page, folder, allowed, f"{explorer}/{LESSON}")
    expect(frame.locator(IMAGES).first).to_be_attached()
    expect(frame.locator("h1")).to_contain_text("1 of 3")
    frame.get_by_role("button", name="Next", exact=True).click()
    expect(frame.locator("h1")).to_contain_text("2 of 3")
    frame.locator("[data-test-script-state=notRunning]").wait_for()
    for name in ("Lessons", "Copy link", "View", "Leave the lesson"):
        expect(frame.get_by_role("button", name=name)).to_have_count(0)
    expect(frame.get_by_role("radio", name="Forward")).to_have_count(0)
    expect(frame.locator(".st-key-suggestions")).to_have_count(0)
    frame.get_by_role("button", name="Settings").click()
    expect(frame.get_by_label("Seed of the weights", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    frame.locator("h1").click()
    page.keyboard.press("p")  # starts the presenter mode, but not here
    page.keyboard.press("ArrowRight")
    expect(frame.locator("h1")).to_contain_text("3 of 3")
    with page.context.expect_page() as opened:
        frame.get_by_role("link", name="Depth").click()
    assert opened.value.url == f"{explorer}/?view=depth"
    opened.value.close()
    assert "embed=true" in frame.url
    assert "present" not in frame.url
    assert errors == []


def test_a_file_is_uploaded_in_the_frame(
    explorer: str, folder: Path, allowed: str, page: Page, errors: list[str]
) -> None:
    file = io.BytesIO()
    np.save(file, np.zeros((8, 8, 4), np.float32))
    frame = embed(page, folder, allowed, f"{explorer}/?input=upload")
    frame.locator("input[type=file]").set_input_files(
        {"name": "own.npy", "mimeType": "application/octet-stream", "buffer": file.getvalue()}
    )
    expect(frame.locator(IMAGES).first).to_be_attached()
    assert errors == []
