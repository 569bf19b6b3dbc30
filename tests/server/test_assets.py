"""Tests of the routes of scripts, called as Starlette calls them."""

import asyncio
import gzip
from typing import Any

import pytest
from plotly.offline import get_plotlyjs_version
from starlette.applications import Starlette
from starlette.types import Message

from explorer.linked_figure.plotly_script import plotly_version
from explorer.linked_figure.scripts import scripts, scripts_digest
from explorer.page.asset_urls import linked_figure_url, plotly_url
from explorer.server.assets import asset_routes, eager_plotly_script


def get(path: str, *headers: tuple[bytes, bytes]) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of a request."""
    sent: list[Message] = []
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path, "headers": headers}
    scope |= {"query_string": b"", "root_path": ""}

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(Starlette(routes=asset_routes())(scope, receive, send))
    body = b"".join(message.get("body", b"") for message in sent[1:])
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, body


@pytest.mark.parametrize("name", sorted(scripts()))
def test_every_module_is_sent_as_is_and_compressed(name: str) -> None:
    identity = get(linked_figure_url(name))
    compressed = get(linked_figure_url(name), (b"accept-encoding", b"gzip, br"))
    for status, headers, _ in (identity, compressed):
        assert status == 200
        assert headers["content-type"].startswith("text/javascript")
        assert headers["cache-control"] == "public, max-age=31536000, immutable"
        assert headers["vary"] == "Accept-Encoding"
    assert identity[2] == gzip.decompress(compressed[2]) == scripts()[name]
    assert compressed[1]["content-encoding"] == "gzip"
    assert "content-encoding" not in identity[1]


def test_plotly_has_the_version_of_the_installed_package() -> None:
    _, _, body = get(plotly_url(), (b"accept-encoding", b"gzip"))
    assert gzip.decompress(body) == eager_plotly_script()
    assert plotly_version() == get_plotlyjs_version()


@pytest.mark.parametrize(
    "path",
    [
        linked_figure_url("payload.py"),
        linked_figure_url("../scripts.py"),
        linked_figure_url("linked_figure.css"),
        linked_figure_url("").rstrip("/"),
        linked_figure_url().replace(scripts_digest(), "0" * 16),
        "/assets/",
        "/assets/plotly-cartesian-0.0.0.min.js",
    ],
)
def test_everything_else_is_not_found(path: str) -> None:
    assert get(path)[0] == 404


def test_urls_begin_with_the_base_path(monkeypatch: pytest.MonkeyPatch) -> None:
    assert plotly_url().startswith("/assets/plotly-cartesian-")
    options = {"server.baseUrlPath": "/course/blocks/"}
    monkeypatch.setattr("streamlit.get_option", options.__getitem__)
    assert plotly_url().startswith("/course/blocks/assets/plotly-cartesian-")
    assert linked_figure_url().startswith("/course/blocks/assets/linked-figure-")
