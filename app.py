"""The server: `streamlit run app.py` finds the `app` object by itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.concurrency import run_in_threadpool

from explorer.page.assets import plotly_route
from explorer.page.errors import report_script_error
from explorer.page.warmup import warm_up


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Compiles the default experiment before the first reader comes."""
    await run_in_threadpool(warm_up)
    yield


app = st.App(
    "explorer/page/main.py",
    lifespan=lifespan,
    routes=[plotly_route()],
    on_script_error=report_script_error,
)
