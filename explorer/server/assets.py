"""Routes of the scripts in `page/asset_urls.py`: plotly.js and the linked figure's modules."""

import gzip
from collections.abc import Callable
from functools import cache, partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from explorer.linked_figure.plotly_script import plotly_script
from explorer.linked_figure.scripts import scripts
from explorer.page.asset_urls import linked_figure_url, plotly_url

HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
# Tells Chromium to compile all of a script while it arrives, outside the page's thread; it would
# parse most of plotly.js twice, the second time in that thread.
EAGER = b"//# allFunctionsCalledOnLoad\n"


def asset_routes() -> list[Route]:
    """Return one route for each script. A URL's content never changes, so browsers cache it."""
    modules = [
        _route(linked_figure_url(name), partial(scripts().__getitem__, name)) for name in scripts()
    ]
    return [_route(plotly_url(), eager_plotly_script), *modules]


def eager_plotly_script() -> bytes:
    """Return plotly.js with the line that lets Chromium compile it early."""
    return EAGER + plotly_script()


@cache
def compressed(read: Callable[[], bytes]) -> bytes:
    """Return a script compressed; once, since plotly.js takes 60 ms."""
    return gzip.compress(read())


def _route(url: str, read: Callable[[], bytes]) -> Route:
    def send(request: Request) -> Response:
        headers = dict(HEADERS)
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(read(), media_type="text/javascript", headers=headers)
        headers["Content-Encoding"] = "gzip"
        return Response(compressed(read), media_type="text/javascript", headers=headers)

    return Route(url, send)
