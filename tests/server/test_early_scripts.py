"""The element that loads the figure's scripts early, in Streamlit's page and nowhere else."""

import re

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp
from streamlit.file_util import get_static_dir
from streamlit.web.server.starlette.starlette_static_routes import create_streamlit_static_handler

from explorer.page.asset_urls import plotly_url
from explorer.server.assets import asset_routes
from explorer.server.early_scripts import EarlyScripts
from tests.server.asgi import get

ELEMENT = re.compile(r'<script type="module" async src="([^"?]+)\?plotly=([^"]+)"></script></head>')
STREAMLIT = create_streamlit_static_handler(get_static_dir(), None)
PAGE = {"accept": "text/html,*/*"}


def answering(response: Response) -> ASGIApp:
    async def answer(request: Request) -> Response:
        return response

    return Starlette(routes=[Route("/", answer)])


def test_streamlits_page_loads_the_module_with_plotlys_url() -> None:
    status, headers, body = get(EarlyScripts(STREAMLIT), "/", **PAGE)
    usual = get(STREAMLIT, "/", **PAGE)[2].decode()
    found = re.search(
        r'<script type="module" async src="([^"?]+)\?plotly=([^"]+)"></script></head>',
        body.decode(),
    )
    assert found
    assert body.decode().replace(found[0], "</head>") == usual
    assert (status, headers["content-length"]) == (200, str(len(body)))
    assert "etag" not in headers  # it would stand for the page without the element
    assert found[2].replace("%2F", "/") == plotly_url()
    assert b"loadPlotly" in get(Starlette(routes=asset_routes()), found[1])[2]


@pytest.mark.parametrize(
    "response",
    [
        PlainTextResponse("<head></head>"),
        HTMLResponse("<head></head>", status_code=404),
        HTMLResponse("<head></head>", headers={"content-encoding": "gzip"}),
    ],
)
def test_other_answers_stay_as_they_are(response: Response) -> None:
    app = answering(response)
    assert get(EarlyScripts(app), "/", **PAGE) == get(app, "/", **PAGE)


def test_a_page_without_a_head_stays_as_it_is() -> None:
    assert get(EarlyScripts(answering(HTMLResponse("text"))), "/", **PAGE)[2] == b"text"
