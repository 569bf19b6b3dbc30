"""Tests of `EXPLORER_EMBED`: what it may list, and the headers that follow from it."""

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message

from explorer.errors import InputError
from explorer.server.embedding import EMBED, embedding_hosts
from explorer.server.middleware import middleware
from explorer.server.partitioned_cookies import PartitionedCookies

BY_DEFAULT = "frame-ancestors 'self'"


def sent_headers(app: Starlette) -> list[tuple[str, str]]:
    """Return the headers of the answer to a request for `/`."""
    sent: list[Message] = []
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "headers": []}
    scope |= {"query_string": b"", "root_path": ""}

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]


def headers() -> dict[str, str]:
    """Return the headers of an answer through the page's middleware."""
    return dict(sent_headers(Starlette(middleware=middleware())))


def directives() -> list[str]:
    return headers()["content-security-policy"].split("; ")


@pytest.mark.parametrize("value", [None, "", " , "])
def test_by_default_only_own_pages_may_embed(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(EMBED, raising=False)
    if value is not None:
        monkeypatch.setenv(EMBED, value)
    assert BY_DEFAULT in directives()
    assert headers()["x-frame-options"] == "SAMEORIGIN"


def test_listed_hosts_may_embed_and_nothing_else_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(EMBED, raising=False)
    before, usual = directives(), headers()
    hosts = (
        "lms.example.org",
        "*.example.org",
        "https://lms.example.org:8443",
        "http://localhost:9000",
        "HTTPS://xn--bcher-kva.example",
        "192.0.2.1:65535",
    )
    monkeypatch.setenv(EMBED, f"{', '.join(hosts[:3])} {','.join(hosts[3:])}")
    assert embedding_hosts() == hosts
    assert directives() == [*before[:-1], f"{BY_DEFAULT} {' '.join(hosts)}"]
    found = headers()
    assert "x-frame-options" not in found
    without = {"content-security-policy", "x-frame-options"}
    assert {name: value for name, value in found.items() if name not in without} == {
        name: value for name, value in usual.items() if name not in without
    }


def test_only_cookies_for_frames_of_other_sites_are_partitioned() -> None:
    cookies = ("a=1; Path=/; SameSite=None; Secure", "b=SameSite; Path=/; SameSite=Lax")

    def answer(request: Request) -> Response:
        response = Response()
        for cookie in cookies:
            response.headers.append("set-cookie", cookie)
        return response

    app = Starlette(routes=[Route("/", answer)], middleware=[Middleware(PartitionedCookies)])
    found = [value for name, value in sent_headers(app) if name == "set-cookie"]
    assert found == [f"{cookies[0]}; Partitioned", cookies[1]]


@pytest.mark.parametrize(
    "bad",
    [
        "*",
        "https://*",
        "*.",
        "*.*.example.org",
        "lms.*.example.org",
        "https:",
        "ftp://lms.example.org",
        "https://",
        "https://lms.example.org/",
        "https://lms.example.org/course",
        "lms.example.org;",
        ";script-src",
        "'none'",
        '"lms.example.org"',
        "lms.example.org\n",
        "lms.example.org\r\nX-Evil:1",
        "lms.example.org\tevil.example",
        "a@lms.example.org",
        "lms..example.org",
        ".example.org",
        "-lms.example.org",
        "lms_1.example.org",
        "lms.example.org:",
        "lms.example.org:0",
        "lms.example.org:65536",
        "lms.example.org:*",
        "bücher.example",
        "lms.example.org\u00a0evil.example",
        "[::1]:8501",
    ],
)
def test_what_is_no_host_is_refused_in_one_sentence(
    bad: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(EMBED, f"good.example.org,{bad}")
    with pytest.raises(InputError) as refused:
        embedding_hosts()
    message = str(refused.value)
    assert message.startswith(f"{EMBED} has {bad!r}, which is no host; list hosts such as lms")
    assert "\n" not in message


def test_the_server_does_not_start_with_a_bad_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(EMBED, "lms.example.org; script-src *")
    with pytest.raises(SystemExit, match=f"^{EMBED} has 'lms.example.org;', which is no host; "):
        middleware()
