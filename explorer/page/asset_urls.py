"""URLs of the files that the server sends besides Streamlit's own."""

import plotly
import streamlit as st


def plotly_url() -> str:
    """Return the path of plotly.js on this server, with the base path and plotly's version."""
    base = st.get_option("server.baseUrlPath").strip("/")
    return f"/{base}/assets/plotly-{plotly.__version__}.min.js".replace("//", "/")
