"""Tests of the check of host and origin: its rule, each route, and that nothing leaves."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from explorer.server.origin_check import why_refused
from explorer.server.security_headers import security_headers
from tests.browser.server import running_server

OWN = "127.0.0.1:8501"
NAMED = "explorer.example.org"
FOREIGN = "http://evil.example"


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    hosts = ["127.0.0.1", "localhost", "::1", NAMED]
    options = {"server.allowedHosts": hosts}
    monkeypatch.setattr("streamlit.config.get_option", options.__getitem__)
    monkeypatch.setattr("streamlit.get_option", options.__getitem__)
    return hosts


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        (OWN, None),
        (OWN, "http://127.0.0.1:8501"),
        (OWN, "http://localhost:8501"),
        ("LOCALHOST:8501", "HTTP://LocalHost:8501"),
        ("localhost.:8501", "http://localhost:8501"),
        ("[::1]:8501", "http://[::1]:8501"),
        ("[::1]:8501", None),
        ("127.0.0.1", "http://127.0.0.1"),
        ("127.0.0.1:80", "http://127.0.0.1"),
        (NAMED, f"https://{NAMED}"),
        (f"{NAMED}:443", f"https://{NAMED}"),
        (NAMED, f"https://{NAMED}:8443"),
        (OWN, f"https://{NAMED}"),
    ],
)
def test_the_own_origin_is_allowed(host: str, origin: str | None) -> None:
    assert why_refused([host], [origin] if origin else []) == ""


@pytest.mark.parametrize(
    "origin",
    [
        FOREIGN,
        "null",
        "",
        "file://",
        "http://",
        "http://127.0.0.1.evil.example:8501",
        "http://evil.example:8501",
        f"https://{NAMED}.evil.example",
        f"https://evil-{NAMED}",
        f"https://evil.{NAMED}",
        "http://127.0.0.1:8502",  # another program on this machine
        "http://localhost",
        "ftp://127.0.0.1:8501",
        "127.0.0.1:8501",
        "http://evil.example@127.0.0.1:8501",
        "http://127.0.0.1:8501@evil.example",
        "http://127.0.0.1:8501/path",
        "http://127.0.0.1:8501#evil",
        "http://127.0.0.1:8501 http://evil.example",
        "http://[::1",
        "http://127.0.0.1:port",
        "http://127.0.0.1:8501\u00a0",
    ],
)
def test_a_foreign_origin_is_refused(origin: str) -> None:
    refusal = why_refused([OWN], [origin])
    assert "origin" in refusal
    assert "evil" not in refusal
    assert refusal.count(".") == 1


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        [""],
        ["evil.example"],
        ["evil.example:8501"],
        [f"{NAMED}.evil.example"],
        [f"evil.{NAMED}"],
        [f"evil@{OWN}"],
        [f"{OWN}/path"],
        ["127.0.0.1:99999"],
        ["127.0.0.1:port"],
        ["127.0.0.1\t"],
        ["[::1"],
        ["::1"],
        ["[fe80::1]:8501"],
        [OWN, "evil.example"],
        [OWN, OWN],
    ],
)
def test_a_foreign_host_is_refused(hosts: list[str]) -> None:
    assert "host name" in why_refused(hosts, [])
    assert "host name" in why_refused(hosts, ["http://evil.example"])


def test_several_origins_are_refused() -> None:
    assert why_refused([OWN], [f"http://{OWN}", FOREIGN])


@pytest.mark.parametrize("hosts", [[], ["*"]])
def test_a_server_of_any_name_has_no_foreign_pages(allowed: list[str], hosts: list[str]) -> None:
    allowed[:] = hosts
    assert why_refused(["any.example"], ["http://any.example"]) == ""
    assert why_refused(["any.example"], [FOREIGN])


class SilentProxy(threading.Thread):
    """A proxy that counts its connections and never answers."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.connections: list[socket.socket] = []
        self.start()

    def run(self) -> None:
        while True:
            try:
                self.connections.append(self.socket.accept()[0])
            except OSError:  # closed
                return


@contextmanager
def silent_proxy() -> Iterator[SilentProxy]:
    proxy = SilentProxy()
    yield proxy
    proxy.socket.shutdown(socket.SHUT_RDWR)
    proxy.socket.close()
    proxy.join()
    for connection in proxy.connections:
        connection.close()


UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: streamlit\r\n"
)
ROUTES = {
    "GET /": "Connection: close\r\n",
    "GET /static/index.js": "Connection: close\r\n",
    "GET /_stcore/health": "Connection: close\r\n",
    "PUT /_stcore/upload_file/a/b": "Connection: close\r\nContent-Length: 0\r\n",
    "POST /nothing": "Connection: close\r\nContent-Length: 0\r\n",
    "GET /_stcore/stream": UPGRADE,
    "GET /other/socket": UPGRADE,
}


def answer(address: str, route: str, host: str, *origins: str) -> str:
    """Return the answer to a request with these headers, as text."""
    own = urlsplit(address)
    assert own.hostname
    assert own.port
    headers = "".join(f"Origin: {origin}\r\n" for origin in origins)
    with socket.create_connection((own.hostname, own.port), timeout=20) as connection:
        connection.sendall(
            f"{route} HTTP/1.1\r\nHost: {host}\r\n{headers}{ROUTES[route]}\r\n".encode()
        )
        text = connection.recv(10_000)
        while not text.startswith(b"HTTP/1.1 101 ") and (more := connection.recv(10_000)):
            text += more
        return text.decode("latin-1")


def test_no_foreign_page_is_answered_and_nothing_leaves_the_machine() -> None:
    """Streamlit would ask an outside host for the machine's address, once per websocket."""
    with silent_proxy() as proxy:
        names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
        environment = dict.fromkeys(names, proxy.url) | {"NO_PROXY": "", "no_proxy": ""}
        # As SECURITY.md says for other users; with the option for the page's own name, no address
        # is looked up when the server starts either.
        options = ("--server.address=0.0.0.0", f"--browser.serverAddress={NAMED}")
        hosts = [f"--server.allowedHosts={host}" for host in ("127.0.0.1", "localhost", NAMED)]
        with running_server(*options, *hosts, environment=environment) as server:
            own = urlsplit(server.address).netloc
            for route in ROUTES:
                for host, origin in [
                    (own, FOREIGN),
                    (own, "null"),
                    (own, "http://127.0.0.1:1"),
                    ("evil.example", FOREIGN),
                    ("evil.example", f"http://{own}"),
                ]:
                    text = answer(server.address, route, host, origin)
                    head, _, body = text.partition("\r\n\r\n")
                    assert head.startswith("HTTP/1.1 403 "), (route, host, origin)
                    assert "evil" not in text
                    if ROUTES[route] is not UPGRADE:
                        assert body.endswith(".")
                        policy = security_headers()["Content-Security-Policy"]
                        assert f"content-security-policy: {policy}" in head
            for host, origin in [
                (own, server.address),
                (own, f"https://{NAMED}"),
                (own.replace("127.0.0.1", "LOCALHOST"), server.address),
                (NAMED, f"https://{NAMED}:8443"),
            ]:
                text = answer(server.address, "GET /_stcore/stream", host, origin)
                assert text.startswith("HTTP/1.1 101 "), (host, origin)
        assert not proxy.connections
