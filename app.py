"""The server: `streamlit run app.py` finds the `app` object by itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware

from explorer.memory import reuse_freed_memory
from explorer.page.assets import plotly_route
from explorer.page.errors import report_script_error
from explorer.page.headers import SecurityHeaders
from explorer.page.quota import UploadQuota
from explorer.page.sessions import SessionCap
from explorer.page.warmup import warm_up
from explorer.programs import keep_programs


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Compiles the default experiment before the first reader comes."""
    reuse_freed_memory()
    keep_programs()
    await run_in_threadpool(warm_up)
    yield


app = st.App(
    "explorer/page/main.py",
    lifespan=lifespan,
    routes=[plotly_route()],
    middleware=[Middleware(SecurityHeaders), Middleware(SessionCap), Middleware(UploadQuota)],
    on_script_error=report_script_error,
)
