"""The log, product by product: what was decided on each, and what counted at a moment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, Select, select

from decisions.database import reading
from decisions.items import Decision, Item
from decisions.reading import StoreReader, from_job
from decisions.rows import decision_of, item_of, item_rows
from decisions.tables import decisions, items, jobs, sent

_CHUNK = 200  # products in memory at a time
_STATES = {"skipped": "skipped", "approved": "approved"}


@dataclass(frozen=True, slots=True)
class ExportFilter:
    """Which products, each with its history; every condition given must hold.

    ``since``, ``until``: aware moments. What was decided from ``until`` on is left out, as if it had not happened yet;
    of the rest, products that were decided on (or undone) at ``since`` or later pass, with all that was decided on
    them before, too: without it, an undo would take back nothing. ``state`` and ``category`` (the code decided on) are
    those at ``until``, or now; ``suggested`` is the first category the queue had for the product.
    """

    since: datetime | None = None
    until: datetime | None = None
    job: str | None = None
    category: int | None = None
    suggested: int | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class History:
    """A product with all its decisions, at least one, in order; their moments never go back.

    ``standing``: the one that counts after them, None when all are undone.
    """

    item: Item
    decisions: tuple[Decision, ...]
    standing: Decision | None

    @property
    def state(self) -> str:
        """One of `decisions.items.STATES`, after these decisions."""
        return "pending" if self.standing is None else _STATES.get(self.standing.decision, "decided")


def histories(store: StoreReader, where: ExportFilter) -> Iterator[History]:
    """The products that pass, in the order in which they were first decided on; some in memory at a time."""
    after = 0
    while True:
        with reading(store.engine) as connection:
            chunk = dict(connection.execute(_first_decisions(where, after)).all())
            if not chunk:
                return
            after, keys = max(chunk.values()), list(chunk)
            rows = connection.execute(item_rows().where(items.c.key.in_(keys))).mappings()
            found = {row["key"]: item_of(row) for row in rows}
            if where.job is not None:
                found |= _as_of_job(connection, found, where.job)
            log: dict[str, list[Decision]] = {key: [] for key in keys}
            query = select(decisions).where(decisions.c.key.in_(keys)).order_by(decisions.c.id)
            for row in connection.execute(query).mappings():
                log[row["key"]].append(decision_of(row))
        for key in keys:
            history = _history(found[key], log[key], where)
            if history is not None:
                yield history


def _as_of_job(connection: Connection, found: dict[str, Item], job: str) -> dict[str, Item]:
    """Items that came from several files, or from several rows, as the first row of one of these files."""
    columns = sent.c.key, sent.c.row, sent.c.reason, jobs.c.name
    query = select(*columns).outerjoin(jobs, jobs.c.job == sent.c.job).where(sent.c.job == job, sent.c.key.in_(found))
    rows = connection.execute(query.order_by(sent.c.row.desc())).all()
    return {
        row.key: replace(found[row.key], job=job, job_name=row.name, row=row.row, reason=row.reason) for row in rows
    }


def standing_after(log: Sequence[Decision]) -> Decision | None:
    """The decision that counts after a product's decisions: undoing takes back the last of those left."""
    standing: list[Decision] = []
    for decision in log:
        if decision.decision == "undone":
            standing.pop()
        else:
            standing.append(decision)
    return standing[-1] if standing else None


def _first_decisions(where: ExportFilter, after: int) -> Select:
    """Key and id of the first decision on each product that may pass, from the id ``after`` on."""
    earlier, later = decisions.alias("earlier"), decisions.alias("later")
    before = select(earlier.c.id).where(earlier.c.key == decisions.c.key, earlier.c.id < decisions.c.id)
    query = select(decisions.c.key, decisions.c.id).where(decisions.c.id > after, ~before.exists())
    if where.job is not None or where.suggested is not None:
        query = query.join(items, items.c.key == decisions.c.key)
    if where.job is not None:
        query = query.where(from_job(where.job))
    if where.suggested is not None:
        query = query.where(items.c.category == where.suggested)
    if where.since is not None:
        within = select(later.c.id).where(later.c.key == decisions.c.key, later.c.decided_at >= where.since)
        query = query.where(within.exists())
    return query.order_by(decisions.c.id).limit(_CHUNK)


def _history(item: Item, log: Sequence[Decision], where: ExportFilter) -> History | None:
    """The product's history until the moment asked for; None when it does not pass."""
    kept = [decision for decision in _in_time(log) if where.until is None or decision.decided_at < where.until]
    if not kept or (where.since is not None and kept[-1].decided_at < where.since):
        return None
    history = History(item, tuple(kept), standing_after(kept))
    if where.state is not None and history.state != where.state:
        return None
    if where.category is not None and (history.standing is None or history.standing.code != where.category):
        return None
    return history


def _in_time(log: Sequence[Decision]) -> Iterator[Decision]:
    """The decisions, none earlier than the one before: clocks of two machines may differ, the log's order does not."""
    moment = log[0].decided_at
    for decision in log:
        moment = max(moment, decision.decided_at)
        yield decision if decision.decided_at == moment else replace(decision, decided_at=moment)
