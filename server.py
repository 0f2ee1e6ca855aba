"""Pages and REST interface as one ASGI application, and what goes on meanwhile: jobs are kept going, old ones deleted.

``streamlit run server.py`` or ``uvicorn server:app``.
"""

import asyncio
import contextlib
import itertools
import logging
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from access.door import door
from access.exposure import is_local, uvicorn_address
from access.roles import PAGES
from api.application import PREFIX, BesidePages, application
from api.scraping import scrape
from batch.store import JobStore
from model.leftovers import sweep
from settings import ROOT, settings
from ui.admin.uploads import tell_cut_off
from ui.headers import SecurityHeaders
from ui.limits import Limits
from ui.promptness import answer_at_once
from ui.sign_in.guard import Guard
from ui.sign_in.provider import providers
from ui.sign_in.routes import routes
from ui.sign_in.start import check_start
from watch.logs import set_up
from watch.observations import observations
from watch.requests import Named, Watch

_SECONDS = 30
_SELDOM = 120
"""Turns, of which one looks through what is large."""

log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def _keeping_jobs(_app: st.App) -> AsyncIterator[None]:
    answer_at_once()
    set_up(settings().log)  # again: loggers have come since
    keeper = asyncio.create_task(_keep_jobs())
    try:
        with observations().being_written():
            yield
    finally:
        keeper.cancel()


async def _keep_jobs() -> None:
    store, days = JobStore(settings().home), settings().job_days
    for turn in itertools.count():
        for care in (
            store.revive,
            partial(store.sweep, days),
            tell_cut_off,
            *([_sweep] if turn % _SELDOM == 0 else []),
        ):
            try:
                await asyncio.to_thread(care)
            except Exception:  # a full disk or a lost share must not end the watch, nor the one care the other
                log.exception("jobs could not be looked after")
        await asyncio.sleep(_SECONDS)


def _sweep() -> None:
    """Removes what old exports and trainings left."""
    home = settings().home
    sweep(home, settings().job_days, JobStore(home).models())


def _local() -> bool:
    """Whether the server listens on this machine alone, and asks nobody to sign in."""
    address = uvicorn_address(sys.argv) or st.get_option("server.address")
    return is_local(address) and not door().closed() and not providers()


check_start()
answer_at_once()
set_up(settings().log)
api = application(_local)
app = st.App(
    ROOT / "streamlit_app.py",
    lifespan=_keeping_jobs,
    routes=[*routes(), scrape(api)],
    middleware=[
        Middleware(Watch, pages=["/", *(f"/{Path(page).stem}" for page in PAGES)]),
        Middleware(SecurityHeaders),
        Middleware(BesidePages, api=Named(api, PREFIX)),
        Middleware(Guard),
        Middleware(Limits, windows=settings().windows, upload_bytes=settings().upload_mb * 1_000_000),
    ],
)
