"""Serves plotly.js from the installed plotly package, so that it fits the figures made here."""

from importlib.resources import files

import plotly
import streamlit as st
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route


def plotly_url() -> str:
    """The script's path on this server, with the base path and plotly's version in it."""
    base = st.get_option("server.baseUrlPath").strip("/")
    return f"/{base}/assets/plotly-{plotly.__version__}.min.js".replace("//", "/")


def plotly_route() -> Route:
    """The route behind `plotly_url`; a version never changes, so browsers keep it."""

    async def send(request: Request) -> FileResponse:
        return FileResponse(
            str(files("plotly") / "package_data" / "plotly.min.js"),
            media_type="text/javascript",
            headers={"Cache-Control": "public, max-age=31536000, immutable"},
        )

    return Route(plotly_url(), send)
