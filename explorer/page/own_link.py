"""The address of the page with its present settings."""

from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st


def own_link() -> str:
    """Return the address; empty where the browser has named none."""
    if not (url := st.context.url):
        return ""
    parts = urlsplit(url)
    given = [(name, value) for name in st.query_params for value in st.query_params.get_all(name)]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(given), ""))
