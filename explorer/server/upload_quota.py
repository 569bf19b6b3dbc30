"""Middleware that limits uploads per session and per server; Streamlit only limits each file."""

import asyncio
import re
import sys
from collections import Counter

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.runtime import get_instance
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from explorer.inputs.limits import format_megabytes
from explorer.server.refusals import REFUSALS, Refusal

UPLOAD_PATH = "/_stcore/upload_file/"
MAX_SESSION_BYTES = 250_000_000  # two checkpoints
MAX_SESSION_FILES = 100
MAX_SERVER_BYTES = 2_000_000_000
FILE_OVERHEAD = 2_000  # bytes that a file takes besides its content, name and type
TIMEOUT = 120  # seconds for one upload


class UploadQuota:
    """Middleware that rejects an upload that would exceed a limit of its session or the server.

    Both the files that Streamlit stores, which it deletes with their session, and uploads in
    progress count. An upload announces its length, and is stopped when more arrives.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._bytes_in_progress: Counter[str] = Counter()  # by session
        self._files_in_progress: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request, or reject the upload with an error message."""
        is_upload = scope["type"] == "http" and scope["method"] == "PUT"
        if not is_upload or UPLOAD_PATH not in scope["path"]:
            await self.app(scope, receive, send)
            return
        session = scope["path"].split(UPLOAD_PATH)[1].split("/")[0]
        try:
            length = _announced_length(Headers(scope=scope))
            self._check(session, length + FILE_OVERHEAD)
            await self._upload(session, length, scope, receive, send)
        except Rejected as rejected:
            REFUSALS[Refusal.UPLOAD] += 1
            await PlainTextResponse(str(rejected), rejected.status)(scope, receive, send)

    async def _upload(
        self, session: str, length: int, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Forward an upload, which counts while it is in progress."""
        self._bytes_in_progress[session] += length + FILE_OVERHEAD
        self._files_in_progress[session] += 1
        try:
            async with asyncio.timeout(TIMEOUT):
                await self.app(scope, _receive_at_most(length, receive), send)
        except TimeoutError:
            raise Rejected(
                f"Upload timed out; the limit is {TIMEOUT} seconds. Try again or upload a smaller "
                "file.",
                408,
            ) from None
        finally:
            self._bytes_in_progress[session] -= length + FILE_OVERHEAD
            self._files_in_progress[session] -= 1
            self._bytes_in_progress += Counter()  # removes zero counts
            self._files_in_progress += Counter()

    def _check(self, session: str, size: int) -> None:
        """Raise `Rejected` if an upload would exceed a limit."""
        stored = _stored_files()
        files = len(stored.get(session, ())) + self._files_in_progress[session]
        if files >= MAX_SESSION_FILES:
            raise Rejected(
                f"This session has {files} files, which is the limit. Remove a file or reload the "
                "page.",
                413,
            )
        stored_bytes = {one: sum(sizes) for one, sizes in stored.items()}
        total = stored_bytes.get(session, 0) + self._bytes_in_progress[session] + size
        if total > MAX_SESSION_BYTES:
            raise Rejected(
                f"Files of this session would be {format_megabytes(total)} in total; the limit is "
                f"{format_megabytes(MAX_SESSION_BYTES)}. Remove a file or reload the page.",
                413,
            )
        in_progress = self._bytes_in_progress.total()
        if sum(stored_bytes.values()) + in_progress + size > MAX_SERVER_BYTES:
            raise Rejected(
                "Server busy: uploaded files are at their limit of "
                f"{format_megabytes(MAX_SERVER_BYTES)}. Try again later.",
                503,
            )


class Rejected(Exception):
    """An upload is rejected, with this message and HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def _announced_length(headers: Headers) -> int:
    """Return the length that an upload announces, or raise `Rejected`."""
    lengths = headers.getlist("content-length")
    if not lengths:
        raise Rejected("The upload has no Content-Length header.", 411)
    if len(lengths) > 1 or "transfer-encoding" in headers:
        raise Rejected(
            "The upload announces its length in two ways; send one Content-Length header and no "
            "Transfer-Encoding.",
            400,
        )
    if not re.fullmatch("[0-9]{1,18}", lengths[0]):
        raise Rejected("The upload's Content-Length header is not a number of bytes.", 400)
    return int(lengths[0])


def _receive_at_most(length: int, receive: Receive) -> Receive:
    """Return `receive`, which raises `Rejected` once more than `length` bytes have arrived."""
    arrived = 0

    async def receive_counted() -> Message:
        nonlocal arrived
        message = await receive()
        arrived += len(message.get("body", b""))
        if arrived > length:
            raise Rejected(f"The upload is longer than the {length} bytes that it announces.", 400)
        return message

    return receive_counted


def _stored_files() -> dict[str, list[int]]:
    """Return the sizes in memory of uploaded files by session."""
    manager = get_instance().uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager)
    return {
        session: [_size(file) for file in list(files.values())]
        for session, files in list(manager.file_storage.items())
    }


def _size(file: UploadedFileRec) -> int:
    """Return the memory that a stored file takes."""
    return FILE_OVERHEAD + sum(map(sys.getsizeof, (file.file_id, file.name, file.type, file.data)))
