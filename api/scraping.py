"""``GET /metrics``, for Prometheus: not below the interface's own address, and with tokens of its own scope."""

import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Mapping
from hashlib import sha256

from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.access import Guard
from api.health import Readiness
from api.problems import Problem, answer
from batch.store import JobStore
from decisions.errors import DecisionError
from decisions.store import open_store
from settings import settings
from watch.metrics import metrics
from watch.requests import note
from watch.store_metrics import StoreMetrics

PATH, SCOPE = "/metrics", "metrics"
_WAIT_SECONDS = 1
_TRUSTED_SECONDS = 3600
"""How long a token that was good is taken while the database, which knows what became of it, is out of reach."""
_MOST_TRUSTED = 100

log = logging.getLogger(__name__)


class Scraping:
    """The answer to who asks. ``guard`` and ``readiness`` are the interface's."""

    def __init__(self, guard: Guard, readiness: Readiness) -> None:
        self._guard, self._readiness = guard, readiness
        self.store = CollectorRegistry()
        self.store.register(StoreMetrics(lambda: open_store().engine, jobs_by_state))
        self._trusted: OrderedDict[bytes, float] = OrderedDict()

    async def scraped(self, request: Request) -> Response:
        """All metrics, or a problem."""
        try:
            await run_in_threadpool(self._admit, request)
        except Problem as problem:
            return answer(problem)
        except DecisionError as error:
            log.warning("a token cannot be looked up: %s", error)
            detail = "The database is out of reach, and this token is not known from before: try again later."
            return answer(Problem(503, "database", detail, {"Retry-After": "10"}))
        problem = await self._readiness.problem(_WAIT_SECONDS)
        metrics().ready.set(0 if problem else 1)
        body = await run_in_threadpool(lambda: generate_latest(metrics().registry) + generate_latest(self.store))
        return Response(body, 200, {"Cache-Control": "no-store", "Content-Type": CONTENT_TYPE_LATEST})

    def _admit(self, request: Request) -> None:
        """Problem 401, 403 or 429; DecisionError."""
        note(request.scope, role="program")
        given = request.headers.get("authorization")
        kind, _, token = (given or "").partition(" ")
        if given is None and self._guard.serves_own(request):
            return
        token = token.strip() if kind.lower() == "bearer" else ""
        digest = sha256(token.encode()).digest()
        try:
            self._guard.admit_token(request, None if given is None else token, [SCOPE])
        except DecisionError:
            if time.monotonic() - self._trusted.get(digest, float("-inf")) < _TRUSTED_SECONDS:
                return
            raise
        except Problem:
            self._trusted.pop(digest, None)
            raise
        self._trusted[digest] = time.monotonic()
        while len(self._trusted) > _MOST_TRUSTED:
            self._trusted.popitem(last=False)


def scrape(api: FastAPI) -> Route:
    """The route, to be served beside the pages."""
    return Route(PATH, Scraping(api.state.guard, api.state.readiness).scraped, methods=["GET"])


def jobs_by_state() -> Mapping[str, int]:
    """How many batch jobs there are of each state."""
    return Counter(job.state().state for job in JobStore(settings().home).all())
