"""Routes of the scripts in `page/asset_urls.py`: plotly.js and the linked figure's modules."""

import gzip
from collections.abc import Callable
from functools import cache, partial
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from explorer.linked_figure.scripts import scripts
from explorer.page.asset_urls import linked_figure_url, plotly_url

HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


def asset_routes() -> list[Route]:
    """Return one route for each script. A URL's content never changes, so browsers cache it."""
    modules = [
        _route(linked_figure_url(name), partial(scripts().__getitem__, name)) for name in scripts()
    ]
    return [_route(plotly_url(), plotly_script), *modules]


def plotly_script() -> bytes:
    """Return plotly.js of the installed plotly package, so that it fits the figures made here."""
    return (files("plotly") / "package_data" / "plotly.min.js").read_bytes()


@cache
def compressed(read: Callable[[], bytes]) -> bytes:
    """Return a script compressed; once, since plotly.js takes a tenth of a second."""
    return gzip.compress(read())


def _route(url: str, read: Callable[[], bytes]) -> Route:
    def send(request: Request) -> Response:
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable",
            "Vary": "Accept-Encoding",
        }
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(read(), media_type="text/javascript", headers=headers)
        headers["Content-Encoding"] = "gzip"
        return Response(compressed(read), media_type="text/javascript", headers=headers)

    return Route(url, send)
