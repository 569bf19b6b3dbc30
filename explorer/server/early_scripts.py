"""Middleware that lets the browser load the figure's scripts along with Streamlit's."""

from html import escape
from urllib.parse import urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer.linked_figure.scripts import PRELOAD
from explorer.page.asset_urls import linked_figure_url, plotly_url


class EarlyScripts:
    """Adds an element to Streamlit's page that loads the linked figure and plotly.js.

    Streamlit asks for them only when it has drawn everything before the figure.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._element = _element().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request, and add the element to a page."""
        if scope["type"] != "http" or "text/html" not in Headers(scope=scope).get("accept", ""):
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        body = bytearray()

        async def send_page(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_page(message):
                start = message
            elif start is None or message["type"] != "http.response.body":
                await send(message)
            else:
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    await self._send_whole(start, bytes(body), send)

        await self.app(scope, receive, send_page)

    async def _send_whole(self, start: Message, body: bytes, send: Send) -> None:
        page = body.replace(b"</head>", self._element + b"</head>", 1)
        headers = MutableHeaders(scope=start)
        headers["Content-Length"] = str(len(page))
        for name in ("etag", "last-modified"):  # of Streamlit's file alone
            if name in headers:
                del headers[name]
        await send(start)
        await send({"type": "http.response.body", "body": page})


def _is_page(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    return (
        start["status"] == 200
        and headers.get("content-type", "").startswith("text/html")
        and "content-encoding" not in headers
    )


def _element() -> str:
    url = f"{linked_figure_url(PRELOAD)}?{urlencode({'plotly': plotly_url()})}"
    return f'<script type="module" async src="{escape(url)}"></script>'
