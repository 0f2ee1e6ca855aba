"""Whether the server lives, and whether it answers right."""

import asyncio
import logging
import time
from collections.abc import Callable

from fastapi import APIRouter, Request
from sqlalchemy import text

from api.answers import Health
from api.problems import Problem, documented
from decisions.database import reading
from decisions.errors import DecisionError
from decisions.store import open_store
from model.active import active_classifier
from model.bundle_files import BundleError
from model.product import Product
from model.smoke import check

router = APIRouter(prefix="/health", tags=["health"])
_KEPT_SECONDS, _WAIT_SECONDS, _RETRY_SECONDS = 10, 5, 5
log = logging.getLogger(__name__)


class Readiness:
    """What the last look found; one look at a time, whoever asks meanwhile waits for that one.

    ``look`` gives "" when all is well, else what is not.
    """

    def __init__(self, look: Callable[[], str], kept_seconds: float = _KEPT_SECONDS) -> None:
        self._look, self._kept = look, kept_seconds
        self._task: asyncio.Task[str] | None = None
        self._ended = 0.0

    async def problem(self, wait_seconds: float = _WAIT_SECONDS) -> str:
        """ "" when all is well; "starting" when the look, a thread's, takes longer than ``wait_seconds``."""
        old = self._task is not None and self._task.done() and time.monotonic() - self._ended > self._kept
        if self._task is None or old or self._task.get_loop() is not asyncio.get_running_loop():
            self._task = asyncio.create_task(self._looked())
        try:
            return await asyncio.wait_for(asyncio.shield(self._task), wait_seconds)
        except TimeoutError:
            return "starting"

    async def _looked(self) -> str:
        try:
            return await asyncio.to_thread(self._look)
        finally:
            self._ended = time.monotonic()


def look() -> str:
    """Asks the model for what it is known to answer, and the database for anything at all."""
    try:
        classifier = active_classifier()
        # The bundle's own samples, picture included; one that brings none has to answer at all.
        if not check(classifier):
            [answer] = classifier.predict([Product(designation="table")])
            if not 0.99 < sum(one.probability for one in answer.categories) < 1.01:
                return "model"
        with reading(open_store().engine) as connection:
            connection.execute(text("SELECT 1"))
    except BundleError as error:
        log.error("not ready: %s", error)
        return "model"
    except DecisionError as error:
        log.error("not ready: %s", error)
        return "database"
    except Exception:
        log.exception("not ready")
        return "model"
    return ""


@router.get("/live", summary="Whether the server answers", response_model=Health, responses=documented(500))
async def live() -> Health:
    """Always "ok": there is nothing to say otherwise."""
    return Health(status="ok")


@router.get("/ready", summary="Whether it answers right", response_model=Health, responses=documented(500, 503))
async def ready(request: Request) -> Health:
    """The model has just answered samples as it did where it was made; looked at again after some seconds."""
    if problem := await request.app.state.readiness.problem():
        sentences = {"starting": "The model is being loaded.", "model": "The model does not answer as it should."}
        detail = sentences.get(problem, "The database is out of reach.")
        raise Problem(503, f"not_ready_{problem}", detail, {"Retry-After": str(_RETRY_SECONDS)})
    return Health(status="ok")
