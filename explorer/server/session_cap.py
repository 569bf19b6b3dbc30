"""How many readers there may be at once, and how much one may say in a message."""

from http import HTTPStatus

from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STREAM = "/_stcore/stream"
MAX_SESSIONS = 200
MAX_MESSAGE = 256 * 1024  # bytes; what a page says is some kB, and Streamlit would take 20 MB
TOO_BIG, TRY_AGAIN_LATER = 1009, 1013  # as the websocket's standard numbers them
FULL = f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Residual block explorer</title>
<p>Busy: {MAX_SESSIONS} readers are here, and no more are let in. Try again in a moment.</p>
<form><button>Try again</button></form>
</html>
"""


class SessionCap:
    """Middleware that lets at most `MAX_SESSIONS` pages be connected at once, and cuts off one
    that says more than `MAX_MESSAGE` at a time."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def heard() -> Message:
            message = await receive()
            if len(message.get("bytes") or message.get("text") or b"") > MAX_MESSAGE:
                await send({"type": "websocket.close", "code": TOO_BIG})
                return {"type": "websocket.disconnect", "code": TOO_BIG}
            return message

        is_stream = scope["type"] == "websocket" and scope["path"].endswith(STREAM)
        is_page = scope["type"] == "http" and scope["path"].endswith("/")
        if self._open >= MAX_SESSIONS and is_page:
            await HTMLResponse(FULL, HTTPStatus.SERVICE_UNAVAILABLE)(scope, receive, send)
        elif self._open >= MAX_SESSIONS and is_stream:
            await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
        elif is_stream:
            self._open += 1
            try:
                await self.app(scope, heard, send)
            finally:
                self._open -= 1
        else:
            await self.app(scope, receive, send)
