"""Middleware that lets a frame in a page of another site keep its cookies."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class PartitionedCookies:
    """Middleware that adds `Partitioned` to cookies with `SameSite=None`.

    Streamlit's option `server.xsrfCookieSameSite` gives it to the XSRF cookie, which uploads need.
    Browsers that block cookies in frames of other sites accept those that they keep for each
    embedding site apart.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request, and change the cookies of its response."""

        async def send_partitioned(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                message = {**message, "headers": [_partitioned(*each) for each in headers]}
            await send(message)

        await self.app(scope, receive, send_partitioned)


def _partitioned(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Return a header, changed if it is a cookie for frames of other sites."""
    is_for_frames = name.lower() == b"set-cookie" and b"samesite=none" in value.lower()
    return name, value + b"; Partitioned" if is_for_frames else value
