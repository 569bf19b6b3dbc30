"""The ASGI app of the page, for `streamlit run app.py`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files

import streamlit as st
from starlette.concurrency import run_in_threadpool

from explorer.engine.compilation_cache import enable_compilation_cache
from explorer.page.errors import report_script_error
from explorer.server.assets import asset_routes
from explorer.server.garbage import collect_garbage
from explorer.server.log_filter import filter_logs
from explorer.server.memory import reuse_freed_memory
from explorer.server.metrics_port import serve_metrics
from explorer.server.middleware import middleware
from explorer.server.shutdown import limit_shutdown
from explorer.server.warm_up import warm_up


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Set up log, shutdown, memory and compilation cache, and warm up, before the first request;
    collect garbage from then on."""
    filter_logs()
    limit_shutdown()
    reuse_freed_memory()
    enable_compilation_cache()
    await run_in_threadpool(warm_up)
    collection = asyncio.create_task(collect_garbage())
    yield
    collection.cancel()


serve_metrics()
app = st.App(
    str(files("explorer.page") / "main.py"),
    lifespan=lifespan,
    routes=asset_routes(),
    middleware=middleware(),
    on_script_error=report_script_error,
)
