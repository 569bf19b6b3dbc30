"""Tests of the upload quota, called as Starlette calls it."""

import asyncio
from collections.abc import Iterable

import pytest
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from explorer.server import upload_quota
from explorer.server.upload_quota import (
    FILE_OVERHEAD,
    MAX_SERVER_BYTES,
    MAX_SESSION_BYTES,
    MAX_SESSION_FILES,
    UploadQuota,
    _size,
)

LENGTH = (b"content-length", b"1000")


@pytest.fixture(autouse=True)
def stored(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[int]]:
    """The sizes of the files that Streamlit stores, by session."""
    sizes: dict[str, list[int]] = {}
    monkeypatch.setattr(upload_quota, "_stored_files", lambda: sizes)
    return sizes


async def read_all(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the whole body, as Streamlit does."""
    while (await receive()).get("more_body"):
        pass
    await Response(status_code=204)(scope, receive, send)


async def answer(
    middleware: UploadQuota, headers: Iterable[tuple[bytes, bytes]], *parts: bytes
) -> tuple[int, str]:
    """Return status and body of the answer to an upload of session `a`."""
    messages: list[Message] = [
        {"type": "http.request", "body": part, "more_body": True} for part in parts
    ]
    queue = iter([*messages, {"type": "http.request", "body": b""}])
    sent: list[Message] = []

    async def receive() -> Message:
        return next(queue)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "PUT", "path": "/base/_stcore/upload_file/a/b"}
    await middleware({**scope, "headers": list(headers)}, receive, send)
    return sent[0]["status"], sent[1]["body"].decode()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([LENGTH], 204),
        ([], 411),
        ([(b"transfer-encoding", b"chunked")], 411),
        ([LENGTH, (b"transfer-encoding", b"chunked")], 400),
        ([LENGTH, (b"transfer-encoding", b"identity")], 400),
        ([LENGTH, LENGTH], 400),
        ([(b"content-length", b"-1")], 400),
        ([(b"content-length", b"1e3")], 400),
        ([(b"content-length", b"\xb2")], 400),  # a superscript two
        ([(b"content-length", b"9" * 5000)], 400),
        ([(b"content-length", b"9" * 18)], 413),
    ],
)
def test_an_upload_announces_one_length(headers: list[tuple[bytes, bytes]], status: int) -> None:
    assert asyncio.run(answer(UploadQuota(read_all), headers))[0] == status


def test_an_upload_longer_than_announced_is_stopped() -> None:
    middleware = UploadQuota(read_all)
    assert asyncio.run(answer(middleware, [LENGTH], bytes(400), bytes(600)))[0] == 204
    status, text = asyncio.run(answer(middleware, [LENGTH], bytes(400), bytes(601), bytes(400)))
    assert (status, text) == (400, "The upload is longer than the 1000 bytes that it announces.")
    assert not middleware._bytes_in_progress
    assert not middleware._files_in_progress


@pytest.mark.parametrize(
    ("sizes", "status"),
    [
        ({"a": [1] * (MAX_SESSION_FILES - 1)}, 204),
        ({"a": [1] * MAX_SESSION_FILES}, 413),
        ({"b": [1] * MAX_SESSION_FILES}, 204),
        ({"a": [MAX_SESSION_BYTES - 1000 - FILE_OVERHEAD]}, 204),
        ({"a": [MAX_SESSION_BYTES - 999 - FILE_OVERHEAD]}, 413),
        ({"b": [MAX_SERVER_BYTES - 999 - FILE_OVERHEAD]}, 503),
    ],
)
def test_stored_files_count(
    stored: dict[str, list[int]], sizes: dict[str, list[int]], status: int
) -> None:
    stored.update(sizes)
    assert asyncio.run(answer(UploadQuota(read_all), [LENGTH]))[0] == status


def test_uploads_in_progress_count() -> None:
    async def run(count: int, length: int) -> list[int]:
        release = asyncio.Event()

        async def slow(scope: Scope, receive: Receive, send: Send) -> None:
            await release.wait()
            await read_all(scope, receive, send)

        middleware = UploadQuota(slow)
        headers = [(b"content-length", str(length).encode())]
        uploads = [asyncio.create_task(answer(middleware, headers)) for _ in range(count)]
        await asyncio.sleep(0)
        release.set()
        statuses = [status for status, _ in await asyncio.gather(*uploads)]
        assert not middleware._bytes_in_progress
        return statuses

    assert asyncio.run(run(4, 80_000_000)) == [204, 204, 204, 413]
    assert asyncio.run(run(MAX_SESSION_FILES + 2, 0)) == [204] * MAX_SESSION_FILES + [413] * 2


def test_names_and_types_take_memory() -> None:
    def size(name: str = "a", kind: str = "b", data: bytes = b"") -> int:
        return _size(UploadedFileRec(file_id="0", name=name, type=kind, data=data))

    assert size() > FILE_OVERHEAD
    assert size(name="n" * 3000) >= size() + 2999
    assert size(name="n" * 2999 + "💥") >= size() + 4 * 2999
    assert size(kind="t" * 3000) >= size() + 2999
    assert size(data=bytes(3000)) >= size() + 3000


def test_a_slow_upload_times_out_and_frees_its_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_quota, "TIMEOUT", 0.01)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(20)

    middleware = UploadQuota(app)
    for _ in range(3):
        status, text = asyncio.run(answer(middleware, [LENGTH]))
        assert status == 408
        assert "timed out" in text
    assert not middleware._bytes_in_progress
    assert not middleware._files_in_progress
