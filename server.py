"""Pages and REST interface as one ASGI application, and what goes on meanwhile: jobs are kept going, old ones deleted.

``streamlit run server.py`` or ``uvicorn server:app``.
"""

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator
from functools import partial

import streamlit as st
from starlette.middleware import Middleware

from access.door import door
from access.exposure import is_local, uvicorn_address
from api.application import BesidePages, application
from batch.store import JobStore
from settings import ROOT, settings
from ui.sign_in.guard import Guard
from ui.sign_in.provider import providers
from ui.sign_in.routes import routes
from ui.sign_in.start import check_start

_SECONDS = 30

log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def _keeping_jobs(_app: st.App) -> AsyncIterator[None]:
    keeper = asyncio.create_task(_keep_jobs())
    try:
        yield
    finally:
        keeper.cancel()


async def _keep_jobs() -> None:
    store, days = JobStore(settings().home), settings().job_days
    while True:
        for care in (store.revive, partial(store.sweep, days)):
            try:
                await asyncio.to_thread(care)
            except Exception:  # a full disk or a lost share must not end the watch, nor the one care the other
                log.exception("jobs could not be looked after")
        await asyncio.sleep(_SECONDS)


def _local() -> bool:
    """Whether the server listens on this machine alone, and asks nobody to sign in."""
    address = uvicorn_address(sys.argv) or st.get_option("server.address")
    return is_local(address) and not door().closed() and not providers()


check_start()
app = st.App(
    ROOT / "streamlit_app.py",
    lifespan=_keeping_jobs,
    routes=routes(),
    middleware=[Middleware(BesidePages, api=application(_local)), Middleware(Guard)],
)
