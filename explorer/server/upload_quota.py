"""Middleware that limits uploads per session and per server; Streamlit only limits each file."""

import asyncio
from collections import Counter

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.runtime import get_instance
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from explorer.inputs.limits import format_megabytes

UPLOAD_PATH = "/_stcore/upload_file/"
MAX_SESSION_BYTES = 100_000_000
MAX_SERVER_BYTES = 2_000_000_000
TIMEOUT = 120  # seconds for one upload


class UploadQuota:
    """Middleware that rejects an upload that would exceed a limit of its session or the server.

    Both the files that Streamlit stores, which it deletes with their session, and uploads in
    progress count.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._in_progress: Counter[str] = Counter()  # bytes by session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request, or reject the upload with an error message."""
        is_upload = scope["type"] == "http" and scope["method"] == "PUT"
        if not is_upload or UPLOAD_PATH not in scope["path"]:
            await self.app(scope, receive, send)
            return
        session = scope["path"].split(UPLOAD_PATH)[1].split("/")[0]
        length = Headers(scope=scope).get("content-length", "")
        size = int(length) if length.isdecimal() else None
        rejection = self._rejection(session, size)
        if rejection is not None:
            await rejection(scope, receive, send)
            return
        assert size is not None
        self._in_progress[session] += size
        try:
            async with asyncio.timeout(TIMEOUT):
                await self.app(scope, receive, send)
        except TimeoutError:
            text = (
                f"Upload timed out; the limit is {TIMEOUT} seconds. Try again or upload a smaller "
                "file."
            )
            await PlainTextResponse(text, 408)(scope, receive, send)
        finally:
            self._in_progress[session] -= size
            self._in_progress += Counter()  # removes zero counts

    def _rejection(self, session: str, size: int | None) -> PlainTextResponse | None:
        """Return the response that rejects an upload, or None to accept it."""
        if size is None:
            return PlainTextResponse("The upload has no Content-Length header.", 411)
        stored = _stored_bytes()
        total = stored.get(session, 0) + self._in_progress[session] + size
        if total > MAX_SESSION_BYTES:
            return PlainTextResponse(
                f"Files of this session would be {format_megabytes(total)} in total; the limit is "
                f"{format_megabytes(MAX_SESSION_BYTES)}. Remove a file or reload the page.",
                413,
            )
        if sum(stored.values()) + self._in_progress.total() + size > MAX_SERVER_BYTES:
            return PlainTextResponse(
                "Server busy: uploaded files are at their limit of "
                f"{format_megabytes(MAX_SERVER_BYTES)}. Try again later.",
                503,
            )
        return None


def _stored_bytes() -> dict[str, int]:
    """Return the bytes of uploaded files by session."""
    manager = get_instance().uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager)
    return {
        session: sum(len(file.data) for file in list(files.values()))
        for session, files in list(manager.file_storage.items())
    }
