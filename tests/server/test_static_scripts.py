"""Streamlit's scripts are compressed once, and nothing else is touched."""

import gzip
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.file_util import get_static_dir
from streamlit.web.server.starlette.starlette_static_routes import create_streamlit_static_handler

from explorer.server.static_scripts import StaticScripts
from tests.server.asgi import get

STATIC = Path(get_static_dir())
SCRIPT = max((STATIC / "static" / "js").glob("index.*.js"), key=lambda path: path.stat().st_size)
URL = f"/static/js/{SCRIPT.name}"


class Counted:
    """Streamlit's files; counts the requests that reach them."""

    def __init__(self) -> None:
        self.app: ASGIApp = create_streamlit_static_handler(str(STATIC), None)
        self.count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.count += 1
        await self.app(scope, receive, send)


@pytest.fixture
def files() -> Counted:
    return Counted()


@pytest.fixture
def app(files: Counted) -> ASGIApp:
    return StaticScripts(files)


def test_a_script_is_compressed_once(app: ASGIApp, files: Counted) -> None:
    _, usual, content = get(files, URL)
    files.count = 0
    for _ in range(2):
        status, headers, body = get(app, URL, accept_encoding="gzip, br")
        assert status == 200
        assert gzip.decompress(body) == content == SCRIPT.read_bytes()
        assert len(body) < len(content) / 2
        assert headers["content-length"] == str(len(body))
        assert (headers["content-encoding"], headers["vary"]) == ("gzip", "Accept-Encoding")
        for name in ("content-type", "cache-control"):
            assert headers[name] == usual[name]
    assert files.count == 1


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (URL, {}),
        (URL, {"accept_encoding": "br"}),
        ("/", {"accept_encoding": "gzip"}),
        ("/static/js/none.js", {"accept_encoding": "gzip"}),
        ("/any/static/js/none.js", {"accept_encoding": "gzip"}),
        ("/static/js//none.js", {"accept_encoding": "gzip"}),
        (f"/static/js/../js/{SCRIPT.name}", {"accept_encoding": "gzip"}),
        ("/static/js/", {"accept_encoding": "gzip"}),
    ],
)
def test_all_else_is_sent_as_it_is(
    app: ASGIApp, files: Counted, path: str, headers: dict[str, str]
) -> None:
    assert get(app, path, **headers) == get(files, path, **headers)
    assert not app._compressed  # type: ignore[attr-defined]  # nothing to fill the memory with


def test_a_part_of_a_file_cannot_stand_for_the_whole(app: ASGIApp) -> None:
    for _ in range(2):
        headers = {"accept_encoding": "gzip", "range": "bytes=0-9", "if_none_match": "*"}
        status, _, body = get(app, URL, **headers)
        assert (status, gzip.decompress(body)) == (200, SCRIPT.read_bytes())
