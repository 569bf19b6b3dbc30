"""How much a session may upload: Streamlit bounds each file, but not their number."""

import asyncio
from collections import Counter

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.runtime import get_instance
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

UPLOADS = "/_stcore/upload_file/"
SESSION_BYTES = 100_000_000
SERVER_BYTES = 2_000_000_000
SECONDS = 120  # for one upload; what is on its way counts as held


class UploadQuota:
    """Middleware that refuses an upload once its session, or the server, holds too much.

    What is held is asked of Streamlit, which lets files go with their session; what is on
    its way is counted here.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._coming: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "PUT" or UPLOADS not in scope["path"]:
            await self.app(scope, receive, send)
            return
        session = scope["path"].split(UPLOADS)[1].split("/")[0]
        size = Headers(scope=scope).get("content-length", "")
        refusal = self._refusal(session, int(size) if size.isdecimal() else None)
        if refusal:
            await refusal(scope, receive, send)
            return
        self._coming[session] += int(size)
        try:
            async with asyncio.timeout(SECONDS):
                await self.app(scope, receive, send)
        except TimeoutError:
            told = f"The upload took longer than {SECONDS} seconds. Try again, or a smaller file."
            await PlainTextResponse(told, 408)(scope, receive, send)
        finally:
            self._coming[session] -= int(size)
            self._coming += Counter()  # forgets whose count is 0

    def _refusal(self, session: str, size: int | None) -> PlainTextResponse | None:
        if size is None:
            return PlainTextResponse("The upload does not say how long it is.", 411)
        held = _held()
        if held.get(session, 0) + self._coming[session] + size > SESSION_BYTES:
            return PlainTextResponse(
                f"Uploads of one session are bounded to {SESSION_BYTES:,} bytes in all, and this "
                f"one of {size:,} would exceed them. Remove a file, or reload the page.",
                413,
            )
        if sum(held.values()) + self._coming.total() + size > SERVER_BYTES:
            return PlainTextResponse("The server holds too many files. Try again later.", 503)
        return None


def _held() -> dict[str, int]:
    """Bytes of every session's uploaded files."""
    manager = get_instance().uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager)
    return {
        session: sum(len(file.data) for file in list(files.values()))
        for session, files in list(manager.file_storage.items())
    }
