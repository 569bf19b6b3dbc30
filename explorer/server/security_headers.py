"""Middleware that adds security headers to every response."""

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Streamlit's page needs inline scripts and styles, loads components as blobs, and its tables use
# WebAssembly. Nothing is loaded from other hosts.
POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'wasm-unsafe-eval' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def security_headers(hosts: Sequence[str] = ()) -> dict[str, str]:
    """Return the headers of every response.

    Args:
        hosts: whose pages may show this one in a frame, besides its own; see `embedding_hosts`.
    """
    ancestors = " ".join(("'self'", *hosts))
    policy = "; ".join(f"{name} {value}" for name, value in POLICY.items())
    headers = {"Content-Security-Policy": f"{policy}; frame-ancestors {ancestors}", **HEADERS}
    if not hosts:
        headers["X-Frame-Options"] = "SAMEORIGIN"  # which cannot name other hosts
    return headers


class SecurityHeaders:
    """Middleware that adds `security_headers` to every response."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str] = ()) -> None:
        self.app = app
        self._headers = security_headers(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request and add the headers to its response."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await self.app(scope, receive, send_with_headers)
