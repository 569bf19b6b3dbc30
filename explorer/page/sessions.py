"""How many readers there may be at once; one more is told so, instead of slowing the others."""

from http import HTTPStatus

from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

STREAM = "/_stcore/stream"
MAX_SESSIONS = 200
FULL = f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Residual block explorer</title>
<p>Busy: {MAX_SESSIONS} readers are here, and no more are let in. Try again in a moment.</p>
<form><button>Try again</button></form>
</html>
"""


class SessionCap:
    """Middleware that lets at most `MAX_SESSIONS` pages be connected at once."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_stream = scope["type"] == "websocket" and scope["path"].endswith(STREAM)
        is_page = scope["type"] == "http" and scope["path"].endswith("/")
        if self._open >= MAX_SESSIONS and is_page:
            await HTMLResponse(FULL, HTTPStatus.SERVICE_UNAVAILABLE)(scope, receive, send)
        elif self._open >= MAX_SESSIONS and is_stream:
            await send({"type": "websocket.close", "code": 1013})  # try again later
        elif is_stream:
            self._open += 1
            try:
                await self.app(scope, receive, send)
            finally:
                self._open -= 1
        else:
            await self.app(scope, receive, send)
