"""Requests to an ASGI app without a server, as Starlette receives them."""

import asyncio
from typing import Any

from starlette.types import ASGIApp, Message


def get(app: ASGIApp, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body; `accept_encoding="gzip"` is a header of the request."""
    sent: list[Message] = []
    names = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path}
    scope |= {"query_string": b"", "root_path": "", "headers": list(names.items())}

    requests: list[Message] = [{"type": "http.request", "body": b""}]

    async def receive() -> Message:
        if requests:
            return requests.pop()
        await asyncio.Event().wait()  # the client stays connected
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    async def run() -> None:
        await app(scope, receive, send)

    asyncio.run(run())
    assert sent[0]["type"] == "http.response.start"
    body = b"".join(message.get("body", b"") for message in sent[1:])
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, body
