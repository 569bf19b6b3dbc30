"""Middleware that refuses requests to foreign host names and from foreign pages."""

import re
from collections.abc import Iterable

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from explorer.server.refusals import REFUSALS, Refusal

HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?", re.ASCII)
LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}
DEFAULT_PORTS = {"http": "80", "https": "443"}


class OriginCheck:
    """Middleware that answers 403 to a foreign `Host` or `Origin`, on every route.

    A request must name a host of Streamlit's option `server.allowedHosts`. It may have no origin;
    programs and visits from a bookmark have none. Otherwise the origin must be this server: the
    host and port that the request names, or any allowed host, since a proxy may rename both. On
    loopback, where other programs listen, the port must agree as well.

    Streamlit checks only websockets, and asks an outside host for this machine's address when an
    origin is not the request's host. It therefore gets the origin that it expects.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request, or refuse it; over HTTP with one sentence."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = why_refused(headers.getlist("host"), headers.getlist("origin"))
        if refusal:
            REFUSALS[Refusal.ORIGIN] += 1
        if refusal and scope["type"] == "websocket":
            await send({"type": "websocket.close"})  # which uvicorn sends as 403
            return
        if refusal:
            await PlainTextResponse(refusal, 403)(scope, receive, send)
            return
        if "origin" in headers:
            scope = {**scope, "headers": list(scope["headers"])}
            MutableHeaders(scope=scope)["origin"] = f"http://{headers['host']}"
        await self.app(scope, receive, send)


def why_refused(hosts: Iterable[str], origins: Iterable[str]) -> str:
    """Return why a request with these `Host` and `Origin` headers is refused; empty if it is not.

    The sentence does not repeat the headers, which anyone can choose.
    """
    match list(hosts):
        case [host] if (requested := _host_and_port(host)) and is_host_allowed(host):
            pass
        case _:
            return (
                "This server does not answer to the host name of this request; use the address "
                "that it was started with, or add the name to server.allowedHosts."
            )
    match list(origins):
        case []:
            return ""
        case [origin] if _is_own(origin, requested):
            return ""
    return (
        "Requests from pages of another origin are refused; open this page at its own address "
        "instead."
    )


def _is_own(origin: str, requested: tuple[str, str]) -> bool:
    """Return whether an `Origin` header is this server, by the `Host` header's host and port."""
    scheme, _, rest = origin.lower().partition("://")
    found = _host_and_port(rest)
    if scheme not in DEFAULT_PORTS or found is None:
        return False
    host, port = found
    # Behind a proxy with TLS the request's port may be missing where the origin's is missing too.
    default = DEFAULT_PORTS[scheme]
    same_port = (port or default) == (requested[1] or default)
    if same_port and host == requested[0]:
        return True
    allowed = st.get_option("server.allowedHosts")
    if not allowed or "*" in allowed:  # names no host
        return False
    return is_host_allowed(host) and (same_port or host not in LOOPBACK)


def _host_and_port(text: str) -> tuple[str, str] | None:
    """Return host name and port, each as text; None if they are malformed."""
    found = HOST.fullmatch(text.lower())
    return (found[1].rstrip("."), found[2] or "") if found else None
