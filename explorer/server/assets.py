"""Serves plotly.js from the installed plotly package, so that it fits the figures made here."""

import gzip
from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from explorer.page.asset_urls import plotly_url


def plotly_route() -> Route:
    """Return the route of `plotly_url`; a version never changes, so browsers cache it."""

    def send(request: Request) -> Response:
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(_script(), media_type="text/javascript", headers=headers)
        headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        return Response(packed_script(), media_type="text/javascript", headers=headers)

    return Route(plotly_url(), send)


def _script() -> bytes:
    return (files("plotly") / "package_data" / "plotly.min.js").read_bytes()


@cache
def packed_script() -> bytes:
    """Return plotly.js compressed; once, since it takes a tenth of a second."""
    return gzip.compress(_script())
