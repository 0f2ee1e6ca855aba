"""What is classified, counted by day, source and model; kept in the database, where several processes add up.

Nothing about a single product is kept: only how many fell into which class of each measure (`model.observed`).
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import lru_cache

import pandas as pd
from sqlalchemy import Engine, func, select
from sqlalchemy.dialects import postgresql, sqlite

from decisions.database import reading, retrying, writing
from decisions.errors import DecisionError
from decisions.store import open_store
from decisions.tables import observed as table
from model.observed import Observed, observed
from model.product import Prediction
from settings import settings

SOURCES = ("page", "api", "batch")
WRITE_SECONDS = 5
_AT_ONCE = 500
"""Rows of one statement: SQLite takes so many parameters and no more."""
_MOST_KEPT = 100_000
"""Counts kept while the database is out of reach: of some hundred classes, years of days."""

Key = tuple[date, str, str, str, str]
"""Day (UTC), source, model, measure, class."""
log = logging.getLogger(__name__)


class Observations:
    """Counts of one process on their way to the database. Safe to share between threads.

    ``engine`` opens the database, and is asked again when that failed.
    """

    def __init__(self, engine: Callable[[], Engine], clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine, self._clock = engine, clock
        self._counts: Counter[Key] = Counter()
        self._lock, self._writing = threading.Lock(), threading.Lock()

    def note(self, source: str, prediction: Prediction) -> None:
        """One classification; cheap."""
        self.add(source, prediction.model_version, Counter(observed(prediction)))

    def add(self, source: str, model: str, counts: Mapping[Observed, int]) -> None:
        """Several classifications by one model."""
        if source not in SOURCES:
            raise ValueError(f"there is no source {source!r}")
        day = self._clock().astimezone(UTC).date()
        with self._lock:
            for (measure, name), number in counts.items():
                self._counts[day, source, model, measure, name] += number

    def write(self) -> bool:
        """Adds what was counted since the last time; a write that failed is logged, and tried again the next time."""
        with self._writing:
            with self._lock:
                taken, self._counts = self._counts, Counter()
            if not taken:
                return True
            try:
                _add(self._engine(), taken)
            except DecisionError as error:
                self._put_back(taken, error)
                return False
            except BaseException:
                self._put_back(taken, "unexpected")
                raise
        return True

    def _put_back(self, taken: Counter[Key], why: object) -> None:
        with self._lock:
            self._counts.update(taken)
            lost = sum(n for key, n in self._counts.items() if key[3] == "inputs") if self._full() else 0
            if lost:
                self._counts.clear()
        if lost:
            log.error("%d classifications are lost to the counts of the drift view: %s", lost, why)
        else:
            log.warning("the counts of the drift view are not written yet: %s", why)

    def _full(self) -> bool:
        return len(self._counts) > _MOST_KEPT

    @contextmanager
    def being_written(self, seconds: float = WRITE_SECONDS) -> Iterator[None]:
        """Writes again and again, in a thread of its own, and once more at the end."""
        stop = threading.Event()

        def work() -> None:
            while not stop.wait(seconds):
                try:
                    self.write()
                except Exception:  # the next try may do
                    log.exception("the counts of the drift view are not written yet")

        thread = threading.Thread(target=work, name="observations", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(seconds)
            self.write()


def observations() -> Observations:
    """Those of this process."""
    return _observations(settings().database_url)


@lru_cache(maxsize=2)
def _observations(_url: str) -> Observations:
    return Observations(lambda: open_store().engine)


@retrying
def _add(engine: Engine, counts: Mapping[Key, int]) -> None:
    """Adds to what is there, all or nothing; DecisionError."""
    names = ("day", "source", "model", "measure", "class", "number")
    # In one order, so that two processes do not wait for each other.
    rows = [dict(zip(names, (*key, number), strict=True)) for key, number in sorted(counts.items())]
    insert = (postgresql if engine.dialect.name == "postgresql" else sqlite).insert
    with writing(engine) as connection:
        for start in range(0, len(rows), _AT_ONCE):
            new = insert(table).values(rows[start : start + _AT_ONCE])
            added = {"number": table.c.number + new.excluded.number}
            connection.execute(new.on_conflict_do_update(index_elements=list(table.primary_key), set_=added))


def counted(
    engine: Engine,
    since: date | None = None,
    until: date | None = None,
    model: str | None = None,
    measure: str | None = None,
) -> pd.DataFrame:
    """What was counted: day, source, model, measure, class, number. ``until`` is included. DecisionError."""
    query = select(table).order_by(table.c.day, table.c.source, table.c.model)
    if since is not None:
        query = query.where(table.c.day >= since)
    if until is not None:
        query = query.where(table.c.day <= until)
    wanted = {"model": model, "measure": measure}
    query = query.filter_by(**{name: value for name, value in wanted.items() if value is not None})
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    return pd.DataFrame([tuple(row) for row in rows], columns=[column.name for column in table.columns])


def totals(engine: Engine) -> dict[tuple[str, str], int]:
    """All that was ever classified, by source and category. DecisionError."""
    query = (
        select(table.c.source, table.c["class"], func.sum(table.c.number))
        .where(table.c.measure == "category")
        .group_by(table.c.source, table.c["class"])
    )
    with reading(engine) as connection:
        return {(source, name): int(number) for source, name, number in connection.execute(query)}
