"""Tests of the running server without a browser: headers, quotas, foreign origins."""

import asyncio
import gzip
import http.client
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from explorer.linked_figure.plotly_script import plotly_version
from explorer.server.assets import eager_plotly_script
from explorer.server.security_headers import security_headers
from explorer.server.session_cap import MAX_MESSAGE_BYTES, MAX_SESSIONS, MESSAGE_TOO_BIG
from explorer.server.upload_quota import MAX_SESSION_BYTES, MAX_SESSION_FILES
from tests.load.client import Client, awaited

FORM = {"Content-Type": "multipart/form-data; boundary=b"}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def request(
    address: str,
    method: str,
    path: str,
    body: bytes | Iterator[bytes] = b"",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    found = Answer(answer.status, dict(answer.getheaders()), answer.read())
    connection.close()
    return found


def xsrf(address: str) -> dict[str, str]:
    """Return the token as a browser of the same origin sends it."""
    answer = request(address, "GET", "/_stcore/health")
    cookie = answer.headers["set-cookie"].split(";")[0]
    return {"Cookie": cookie, "X-Xsrftoken": cookie.split("=", 1)[1], **FORM}


def form(size: int) -> bytes:
    """Return a form body with a file of `size` bytes, encoded as `FORM`."""
    head = b'--b\r\nContent-Disposition: form-data; name="a"; filename="a.npy"\r\n\r\n'
    return head + bytes(size) + b"\r\n--b--\r\n"


@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/nothing/here", "/static/nothing.js"])
def test_every_response_has_the_security_headers(address: str, path: str) -> None:
    answer = request(address, "GET", path)
    for name, value in security_headers().items():
        assert answer.headers[name.lower()] == value
    assert "'unsafe-eval'" not in security_headers()["Content-Security-Policy"]
    assert "*" not in security_headers()["Content-Security-Policy"]


def test_the_server_listens_on_loopback() -> None:
    import tomllib

    from tests.browser.server import ROOT

    config = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))
    assert config["server"]["address"] == "127.0.0.1"
    assert config["server"].get("enableXsrfProtection", True)
    assert config["server"].get("enableCORS", True)


async def handshake(address: str, **headers: str) -> int:
    """Return the HTTP status of an attempt to open the page's websocket."""
    try:
        socket = await connect(
            f"ws://{urlsplit(address).netloc}/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            additional_headers=headers,
        )
    except InvalidStatus as refused:
        return refused.response.status_code
    await socket.close()
    return 101


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1.evil.example", "file://"]
)
def test_foreign_origins_are_rejected(address: str, origin: str) -> None:
    assert awaited(handshake(address, Origin=origin)) == 403
    assert awaited(handshake(address, Origin=address)) == 101


def test_a_foreign_host_name_is_rejected(address: str) -> None:
    """Otherwise a page whose host name resolves to this server would be of the same origin."""

    async def rebound() -> int:
        reader, writer = await asyncio.open_connection(*urlsplit(address).netloc.split(":"))
        writer.write(
            b"GET /_stcore/stream HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\n"
            b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        status = await reader.readline()
        writer.close()
        return int(status.split()[1])

    assert awaited(rebound()) == 403


def test_uploads_without_the_token_are_rejected(address: str) -> None:
    path = "/_stcore/upload_file/any/file"
    assert request(address, "PUT", path, form(10), FORM).status == 403
    wrong = xsrf(address) | {"X-Xsrftoken": "2|00000000|00000000000000000000000000000000|1"}
    assert request(address, "PUT", path, form(10), wrong).status == 403


def test_uploads_of_unknown_sessions_are_rejected(address: str) -> None:
    path = "/_stcore/upload_file/nobody/file"
    assert request(address, "PUT", path, form(10), xsrf(address)).status == 400


def test_uploads_of_a_session_are_limited_in_total(address: str) -> None:
    """The files are sent to the route directly; the page has no uploader."""
    token, body = xsrf(address), form(80_000_000)
    assert 3 * len(body) < MAX_SESSION_BYTES < 4 * len(body)

    async def uploads() -> list[Answer]:
        client = await Client.open(address)
        await client.run()
        paths = [f"/_stcore/upload_file/{client.session}/{index}" for index in range(4)]
        answers = [request(address, "PUT", path, body, token) for path in paths]
        request(address, "DELETE", paths[0], b"", token)
        answers.append(request(address, "PUT", paths[3], body, token))
        await client.close()
        return answers

    answers = awaited(uploads())
    assert [answer.status for answer in answers] == [204, 204, 204, 413, 204]
    assert b"the limit is 250 MB" in answers[3].body
    assert b"\n" not in answers[3].body


def test_an_upload_without_content_length_is_rejected(address: str) -> None:
    path = "/_stcore/upload_file/a/b"
    parts = iter([b"1\r\nx\r\n0\r\n\r\n"])
    chunked = {"Transfer-Encoding": "chunked"}
    assert request(address, "PUT", path, parts, chunked).status == 411


@pytest.mark.parametrize("length", ["5", "0", "50000000"])
def test_an_upload_with_two_lengths_is_rejected(address: str, length: str) -> None:
    """HTTP lets the chunks win over the length that the quota would count."""
    headers = {"Content-Length": length, "Transfer-Encoding": "chunked", **xsrf(address)}
    parts = iter([form(100_000)])
    answer = request(address, "PUT", "/_stcore/upload_file/a/b", parts, headers)
    assert (answer.status, answer.body.count(b".")) == (400, 1)


def test_files_without_content_count(address: str) -> None:
    token, body = xsrf(address), form(0).replace(b"a.npy", b"n" * 3000)

    async def uploads() -> list[int]:
        client = await Client.open(address)
        await client.run()
        paths = [f"/_stcore/upload_file/{client.session}/{index}" for index in range(110)]
        statuses = [request(address, "PUT", path, body, token).status for path in paths]
        await client.close()
        return statuses

    assert awaited(uploads()) == [204] * MAX_SESSION_FILES + [413] * (110 - MAX_SESSION_FILES)


def test_a_connection_that_sends_too_long_a_message_is_closed(address: str) -> None:
    async def close_code(size: int) -> int | None:
        client = await Client.open(address, "x" * size)
        try:
            await client.run()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None
        await client.close()
        return None

    assert awaited(close_code(MAX_MESSAGE_BYTES)) == MESSAGE_TOO_BIG
    assert awaited(close_code(MAX_MESSAGE_BYTES // 2)) is None


@pytest.mark.parametrize(
    "state", ['{"pin": 5}', '{"pin": ["x", 1, 2]}', '{"window": [1]}', "[1, 2]", "null", "5"]
)
def test_invalid_component_state_is_ignored(address: str, state: str) -> None:
    async def texts() -> list[str]:
        client = await Client.open(address)
        await client.run()
        client.set_component_state("stages", state)
        await client.run()  # raises if the page shows an internal error
        await client.close()
        return client.texts()

    assert any("Digest of out" in text for text in awaited(texts()))


def test_the_number_of_users_is_limited() -> None:
    from tests.browser.server import running_page

    async def crowd(address: str) -> tuple[int, int, int]:
        clients = [await Client.open(address) for _ in range(MAX_SESSIONS)]
        one_more = await handshake(address)
        page = request(address, "GET", "/")
        assert b"Server busy: 200 users are connected, which is the limit." in page.body
        await clients[0].close()
        later, tries = 403, 0
        while later == 403 and tries < 50:  # the server needs a moment to see that a user left
            await asyncio.sleep(0.2)
            later, tries = await handshake(address), tries + 1
        for client in clients[1:]:
            await client.close()
        return one_more, page.status, later

    with running_page() as address:
        assert awaited(crowd(address)) == (403, 503, 101)


def test_health_answers_while_the_page_computes(address: str) -> None:
    async def busy() -> list[int]:
        queries = [f"view=depth&depth=24&runs=8&seed={seed}" for seed in range(3)]
        clients = [await Client.open(address, query) for query in queries]
        runs = asyncio.gather(*(client.run() for client in clients))
        statuses = []
        while not runs.done():
            statuses.append(
                await asyncio.to_thread(lambda: request(address, "GET", "/_stcore/health").status)
            )
        await runs
        for client in clients:
            await client.close()
        return statuses

    assert set(awaited(busy())) == {200}


def test_plotly_is_compressed_for_clients_that_accept_it(address: str) -> None:
    path = f"/assets/plotly-cartesian-{plotly_version()}.min.js"
    packed = request(address, "GET", path, headers={"Accept-Encoding": "gzip"})
    uncompressed = request(address, "GET", path, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in uncompressed.headers
    assert "immutable" in packed.headers["cache-control"]
    assert gzip.decompress(packed.body) == uncompressed.body == eager_plotly_script()
    assert len(packed.body) < len(uncompressed.body) / 3
