"""The pages as an ASGI application, and what goes on while nobody looks: jobs are kept going, old ones deleted.

``streamlit run server.py`` or ``uvicorn server:app``.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from functools import partial

import streamlit as st

from batch.store import JobStore
from settings import ROOT, settings

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


app = st.App(ROOT / "streamlit_app.py", lifespan=_keeping_jobs)
