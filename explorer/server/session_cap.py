"""Middleware that limits the number of connected users and the size of their messages."""

from http import HTTPStatus

from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer.server.refusals import REFUSALS, Refusal

WEBSOCKET_PATH = "/_stcore/stream"
MAX_SESSIONS = 200
MAX_MESSAGE_BYTES = 256 * 1024  # the page sends a few kB; Streamlit would accept 20 MB
# Close codes of RFC 6455 and its registry.
MESSAGE_TOO_BIG, TRY_AGAIN_LATER = 1009, 1013
BUSY_PAGE = f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Residual block explorer</title>
<p>Server busy: {MAX_SESSIONS} users are connected, which is the limit. Try again in a moment.</p>
<form><button>Try again</button></form>
</html>
"""


class SessionCap:
    """Middleware that limits connections and messages.

    At most `MAX_SESSIONS` websockets are open at once. A connection that sends a message longer
    than `MAX_MESSAGE_BYTES` is closed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._connected = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request, or respond that the server is busy."""

        async def receive_limited() -> Message:
            message = await receive()
            if len(message.get("bytes") or message.get("text") or b"") > MAX_MESSAGE_BYTES:
                REFUSALS[Refusal.MESSAGE_SIZE] += 1
                await send({"type": "websocket.close", "code": MESSAGE_TOO_BIG})
                return {"type": "websocket.disconnect", "code": MESSAGE_TOO_BIG}
            return message

        is_websocket = scope["type"] == "websocket" and scope["path"].endswith(WEBSOCKET_PATH)
        is_page = scope["type"] == "http" and scope["path"].endswith("/")
        if self._connected >= MAX_SESSIONS and is_page:
            REFUSALS[Refusal.SESSIONS] += 1
            await HTMLResponse(BUSY_PAGE, HTTPStatus.SERVICE_UNAVAILABLE)(scope, receive, send)
        elif self._connected >= MAX_SESSIONS and is_websocket:
            REFUSALS[Refusal.SESSIONS] += 1
            await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
        elif is_websocket:
            self._connected += 1
            try:
                await self.app(scope, receive_limited, send)
            finally:
                self._connected -= 1
        else:
            await self.app(scope, receive, send)
