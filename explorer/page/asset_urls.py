"""URLs of the scripts that the server sends besides Streamlit's own, each with a version."""

import streamlit as st

from explorer.linked_figure.plotly_script import plotly_version
from explorer.linked_figure.scripts import ENTRY, scripts_digest


def plotly_url() -> str:
    """Return the path of plotly.js on this server."""
    return f"{_assets()}/plotly-cartesian-{plotly_version()}.min.js"


def linked_figure_url(name: str = ENTRY) -> str:
    """Return the path of a module of the linked figure on this server."""
    return f"{_assets()}/linked-figure-{scripts_digest()}/{name}"


def _assets() -> str:
    base = st.get_option("server.baseUrlPath").strip("/")
    return f"/{base}/assets" if base else "/assets"
