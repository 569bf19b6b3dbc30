"""Middleware that sends Streamlit's scripts and styles compressed."""

import gzip
import re
from collections.abc import MutableMapping

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PATH = re.compile(r"/static/(js|css)/[^/]+$")
_TYPES = "text/javascript", "application/javascript", "text/css"
_MIN_SIZE = 1024  # bytes; less gains nothing


class StaticScripts:
    """Compresses each file once, since its name changes with its content.

    Streamlit sends them as they are, because compressing them at every request takes long.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._compressed: MutableMapping[str, tuple[Message, bytes]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the compressed file, or forward the request."""
        if not _is_wanted(scope):
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if path not in self._compressed:
            start, body = await self._response(scope, receive)
            if not _is_script(start, body):  # for unknown names Streamlit sends its page
                await send(start)
                await send({"type": "http.response.body", "body": body})
                return
            self._compressed[path] = await run_in_threadpool(_compress, start, body)
        start, body = self._compressed[path]
        await send({**start, "headers": list(start["headers"])})
        await send({"type": "http.response.body", "body": body})

    async def _response(self, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
        """Return the beginning and the body of the app's response, of the whole file."""
        start: Message = {}
        body = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))

        wanted = {b"range", b"if-none-match", b"if-modified-since", b"if-range"}
        headers = [each for each in scope["headers"] if each[0] not in wanted]
        await self.app({**scope, "headers": headers}, receive, collect)
        return start, bytes(body)


def _is_wanted(scope: Scope) -> bool:
    return (
        scope["type"] == "http"
        and scope["method"] == "GET"
        and _PATH.search(scope["path"]) is not None
        and "gzip" in Headers(scope=scope).get("accept-encoding", "")
    )


def _is_script(start: Message, body: bytes) -> bool:
    kind = Headers(raw=start["headers"]).get("content-type", "").partition(";")[0]
    return start["status"] == 200 and kind in _TYPES and len(body) >= _MIN_SIZE


def _compress(start: Message, body: bytes) -> tuple[Message, bytes]:
    compressed = gzip.compress(body, mtime=0)
    found = {**start, "headers": list(start["headers"])}
    headers = MutableHeaders(scope=found)
    headers["Content-Encoding"] = "gzip"
    headers["Content-Length"] = str(len(compressed))
    headers.add_vary_header("Accept-Encoding")
    return found, compressed
