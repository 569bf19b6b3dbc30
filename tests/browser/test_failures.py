"""Failures outside the page: a killed server, a home or a disk that cannot be written."""

import os
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from explorer import trace_block
from explorer.inputs import generate
from tests.browser.connection import ends_a_run
from tests.browser.page import digest, pick, set_number, wait_for_figure, wait_for_words
from tests.browser.server import free_port, running_server
from tests.hostile.client import opened
from tests.load.client import awaited

pytestmark = pytest.mark.slow
LINK = "?input=normal&height=12&width=10&channels=4&input_seed=3&seed=7&channel=2"
# The stacks of its Depth view run for seconds.
LONG_LINK = "?input=normal&height=48&width=40&input_seed=3&seed=7&channel=2&depth=128"


def test_the_page_reconnects_after_a_killed_server(browser: Browser) -> None:
    port = free_port()
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(40_000)
    with running_server(port=port) as server:
        page.goto(f"{server.address}/{LONG_LINK}")
        wait_for_figure(page)
        set_number(page, "Seed of the weights", 8)
        expected = trace_block(8, generate("normal", 48, 40, 8, 3), 8).digest()
        page.get_by_text(expected).wait_for()
        pick(page, "Depth")
        wait_for_words(page, "Running the stacks")
        server.process.kill()  # in the middle of its work
        server.process.wait()
    page.get_by_text("Running the stacks").wait_for()  # the old content stays visible
    with running_server(port=port):
        # The page has reconnected once the new server has drawn the link's view.
        page.get_by_text("the norm of the gradient is").wait_for()
        pick(page, "Forward")
        page.get_by_text(expected).wait_for()
        assert digest(page) == expected
        page.reload()
        wait_for_figure(page)
        assert digest(page) == expected
    context.close()


def test_the_first_change_after_a_new_connection_holds(browser: Browser) -> None:
    """The new process has not heard of the page; a link would win over its first change."""
    port = free_port()
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(40_000)
    ended: list[bool] = []  # for each message, whether a run ended with it
    with running_server(port=port) as server:
        page.goto(f"{server.address}/{LINK}")
        wait_for_figure(page)
        server.process.kill()
        server.process.wait()
    page.on(
        "websocket",
        lambda socket: socket.on(
            "framereceived", lambda message: ended.append(ends_a_run(message))
        ),
    )
    with running_server(port=port):
        until = time.monotonic() + 40
        while not any(ended) and time.monotonic() < until:
            page.wait_for_timeout(50)
        assert any(ended)
        set_number(page, "Seed of the weights", 9)
        page.wait_for_url("**seed=9**")
        page.get_by_text(trace_block(9, generate("normal", 12, 10, 4, 3), 4).digest()).wait_for()
    context.close()


@pytest.mark.skipif(not Path("/proc").exists(), reason="/proc is a folder that cannot be written")
@pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "HOME"])
def test_the_page_works_without_a_writable_cache_folder(variable: str) -> None:
    environment = {**os.environ, variable: "/proc"}
    if variable == "HOME":
        environment.pop("XDG_CACHE_HOME", None)
    with running_server(environment=environment) as server:
        texts = awaited(opened(server.address, LINK.removeprefix("?")))
    expected = trace_block(7, generate("normal", 12, 10, 4, 3), 4).digest()
    assert any(expected in text for text in texts)


@pytest.mark.parametrize("blocks", [0, 20])
def test_the_page_works_with_full_disks(blocks: int, tmp_path: Path) -> None:
    """Allow files of 0 blocks, as on full disks, or of 20, so that writing fails midway."""
    environment = {"XDG_CACHE_HOME": str(tmp_path)}
    with running_server(environment=environment, most_blocks=blocks) as server:
        texts = awaited(opened(server.address, LINK.removeprefix("?")))
    expected = trace_block(7, generate("normal", 12, 10, 4, 3), 4).digest()
    assert any(expected in text for text in texts)
    sizes = [file.stat().st_size for file in tmp_path.rglob("*-cache")]
    assert all(size <= 512 * blocks for size in sizes)
    assert bool(sizes) == bool(blocks)  # otherwise the disk was not the cause
