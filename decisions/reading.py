"""Questions to the store: nothing here changes it."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Engine, Interval, Select, and_, exists, func, literal, or_, select

from decisions.database import reading
from decisions.items import Decision, Filter, Item
from decisions.rows import decision_of, item_of, item_rows
from decisions.tables import Moment, decisions, items, jobs, people, sent

_CHUNK = 5_000
_DECIDING = ("accepted", "corrected", "unknown", "approved")
_FRAME = ("key", "job", "row", "reason", "source", "model", "confidence", "margin", "state", "second_look", "added_at")
_SENT = ("job", "row", "key", "reason", "weight", "confidence", "model", "sent_at")
_STANDING = ("decision", "code", "person", "decided_at", "seconds", "note")
# Purged while nobody had decided, or all had skipped it: there is nothing left to decide on.
_ALIVE = or_(items.c.purged_at.is_(None), items.c.state.in_(("decided", "approved")))
_ORDERS = {
    "doubt": (items.c.margin, items.c.key),
    "oldest": (items.c.added_at, items.c.key),
    "newest": (items.c.added_at.desc(), items.c.key.desc()),
}


class StoreReader:
    """The store, as far as it is only looked at. Safe to share between threads.

    ``clock``: None for the database server's, one for all its users; SQLite has none but this machine's.
    """

    def __init__(self, engine: Engine, clock: Callable[[], datetime] | None = None) -> None:
        self.engine = engine
        self._clock = clock if clock or engine.dialect.name == "postgresql" else _this_machine

    def find(self, key: str) -> Item | None:
        """A product by its key."""
        with reading(self.engine) as connection:
            row = connection.execute(item_rows().where(items.c.key == key)).mappings().first()
        return None if row is None else item_of(row)

    def items(self, where: Filter, limit: int = 50, offset: int = 0, person: str = "") -> list[Item]:
        """Some items in the filter's order, whoever holds them; ``person`` as in `count`."""
        query = item_rows().where(self.matching(where, person)).order_by(*_ORDERS[where.order])
        with reading(self.engine) as connection:
            return [item_of(row) for row in connection.execute(query.limit(limit).offset(offset)).mappings()]

    def count(self, where: Filter, person: str = "") -> int:
        """How many items pass; for a second look, those that ``person`` may take: never decided by them."""
        query = select(func.count()).select_from(items).where(self.matching(where, person))
        with reading(self.engine) as connection:
            return connection.execute(query).scalar_one()

    def held(self, where: Filter, holder: str) -> int:
        """How many of the filter's items others have open now."""
        opened = items.alias()  # few, and found first
        theirs = select(opened.c.key).where(opened.c.holder != holder, opened.c.held_until > self.moment())
        query = select(func.count()).select_from(items).where(self.matching(where), items.c.key.in_(theirs))
        with reading(self.engine) as connection:
            return connection.execute(query).scalar_one()

    def history(self, key: str) -> list[Decision]:
        """All that was decided on a product, in order."""
        query = select(decisions).where(decisions.c.key == key).order_by(decisions.c.id)
        with reading(self.engine) as connection:
            return [decision_of(row) for row in connection.execute(query).mappings()]

    def last(self, person: str, limit: int = 10) -> list[Decision]:
        """A person's latest decisions, newest first; those undone, and undoing itself, left out."""
        query = select(decisions).where(decisions.c.person == person, not_undone())
        with reading(self.engine) as connection:
            rows = connection.execute(query.order_by(decisions.c.id.desc()).limit(limit)).mappings()
            return [decision_of(row) for row in rows]

    def log(self) -> Iterator[Decision]:
        """Every row that was ever added, in order; some in memory at a time."""
        after = 0
        while True:
            query = select(decisions).where(decisions.c.id > after).order_by(decisions.c.id).limit(_CHUNK)
            with reading(self.engine) as connection:
                found = [decision_of(row) for row in connection.execute(query).mappings()]
            if not found:
                return
            yield from found
            after = found[-1].id

    def jobs(self) -> dict[str, str]:
        """Name of each job that items came from, newest first."""
        query = select(jobs.c.job, jobs.c.name).where(has_products())
        with reading(self.engine) as connection:
            rows = connection.execute(query.order_by(jobs.c.added_at.desc(), jobs.c.job))
            return {job: name or job for job, name in rows}

    def categories(self, where: Filter, person: str = "") -> dict[int, int]:
        """Items that pass, by the first category suggested."""
        query = select(items.c.category, func.count()).where(self.matching(where, person)).group_by(items.c.category)
        with reading(self.engine) as connection:
            return {int(code): count for code, count in connection.execute(query.order_by(items.c.category))}

    def states(self) -> dict[str, int]:
        """Items by state; states without any are absent."""
        query = select(items.c.state, func.count()).where(_ALIVE).group_by(items.c.state)
        with reading(self.engine) as connection:
            return dict(connection.execute(query).all())

    def version(self) -> tuple[str, ...]:
        """Changes with every decision and every product that comes, goes, or is sent again."""
        numbers = [select(func.count()).select_from(table).scalar_subquery() for table in (items, sent)]
        latest = [select(func.max(column)).scalar_subquery() for column in (decisions.c.id, decisions.c.decided_at)]
        with reading(self.engine) as connection:
            return tuple(str(value) for value in connection.execute(select(*latest, *numbers)).one())

    def people(self) -> list[str]:
        """Everybody who ever decided, by name."""
        with reading(self.engine) as connection:
            return list(connection.execute(select(people.c.name).order_by(people.c.name)).scalars())

    def aliases(self) -> Mapping[str, str]:
        """What each person is called where names are not to be seen."""
        with reading(self.engine) as connection:
            return dict(connection.execute(select(people.c.name, people.c.alias)).all())

    def frame(self) -> pd.DataFrame:
        """A row for each item, with the decision that counts; what is missing is None, NaN or NaT.

        Columns: key, job, row, reason, source, model, confidence, margin, state, second_look, added_at, first (category
        suggested), decision, code, person, decided_at, seconds, note.
        """
        columns = [items.c[name] for name in _FRAME]
        columns += [items.c.category.label("first"), *(decisions.c[name] for name in _STANDING)]
        query = select(*columns).outerjoin(decisions, decisions.c.id == items.c.standing).where(_ALIVE)
        frame = self._frame(query.order_by(items.c.added_at, items.c.key), columns)
        frame["seconds"] = frame["seconds"].astype("float64")
        return frame

    def sent(self) -> pd.DataFrame:
        """A row for each row of a file that was drawn, with what its product has come to.

        Columns: job, row, key, reason ("doubt" or "audit"), weight, confidence, model, sent_at, first (category
        suggested), state (None for a product that was purged before anybody decided), decision, code, decided_at.
        """
        columns = [sent.c[name] for name in _SENT]
        columns += [sent.c.category.label("first"), items.c.state]
        columns += [decisions.c[name] for name in ("decision", "code", "decided_at")]
        joined = sent.outerjoin(items, items.c.key == sent.c.key)
        joined = joined.outerjoin(decisions, decisions.c.id == items.c.standing)
        query = select(*columns).select_from(joined).where(sent.c.reason.in_(("doubt", "audit")))
        return self._frame(query.order_by(sent.c.job, sent.c.row), columns)

    def _frame(self, query: Select, columns: list[ColumnElement]) -> pd.DataFrame:
        with reading(self.engine) as connection:
            rows = connection.execute(query).all()
        frame = pd.DataFrame([tuple(row) for row in rows], columns=[column.name for column in columns])
        frame["code"] = frame["code"].astype("Int64")
        for name in frame.columns.intersection(("added_at", "sent_at", "decided_at")):
            frame[name] = pd.to_datetime(frame[name], utc=True)
        return frame

    def matching(self, where: Filter, person: str = "") -> ColumnElement[bool]:
        """The filter as a condition on items."""
        conditions = [_state(where.state, person)]
        if where.category is not None:
            conditions.append(items.c.category == where.category)
        if where.job is not None:
            conditions.append(from_job(where.job))
        if where.reason is not None:
            drawn = select(sent.c.key).where(sent.c.reason == where.reason)
            conditions.append(or_(items.c.reason == where.reason, items.c.key.in_(drawn)))
        if where.older_than is not None:
            conditions.append(items.c.added_at <= self.moment(where.older_than))
        return and_(*conditions)

    def free(self, holder: str) -> ColumnElement[bool]:
        """Nobody else has the item open."""
        return or_(items.c.holder.is_(None), items.c.holder == holder, items.c.held_until <= self.moment())

    def moment(self, ago: timedelta = timedelta(0)) -> ColumnElement[datetime]:
        """Now, or some time ago, to be compared with moments in the tables."""
        if self._clock is None:
            return func.now() - literal(ago, Interval)
        return literal(self._clock() - ago, Moment)

    def now(self, connection: Connection) -> datetime:
        """This very moment."""
        return connection.scalar(select(func.clock_timestamp())) if self._clock is None else self._clock()


def from_job(job: str) -> ColumnElement[bool]:
    """The item was sent from that job; perhaps from another, too."""
    return items.c.key.in_(select(sent.c.key).where(sent.c.job == job))


def has_products() -> ColumnElement[bool]:
    """Something is in the store that came from the job."""
    return exists().where(sent.c.job == jobs.c.job, sent.c.key == items.c.key, _ALIVE)


def order(where: Filter) -> tuple[ColumnElement, ...]:
    """What the filter sorts by."""
    return _ORDERS[where.order]


def not_undone() -> ColumnElement[bool]:
    """Decisions that were not taken back, nor take one back."""
    undoing = decisions.alias("undoing")
    taken_back = select(undoing.c.id).where(undoing.c.undoes == decisions.c.id).exists()
    return and_(decisions.c.decision != "undone", ~taken_back)


def _state(state: str, person: str) -> ColumnElement[bool]:
    if state in ("pending", "skipped"):  # nobody can decide on what cannot be read any more
        return and_(items.c.state == state, items.c.purged_at.is_(None))
    if state != "second_look":
        return items.c.state == state
    mine = decisions.alias("mine")  # a table of its own, whatever else the query reads
    taken_back = exists().where(decisions.alias("back").c.undoes == mine.c.id)
    own = exists().where(
        mine.c.key == items.c.key, mine.c.person == person, mine.c.decision.in_(_DECIDING), ~taken_back
    )
    return and_(items.c.state == "decided", items.c.second_look, items.c.purged_at.is_(None), ~own)


def _this_machine() -> datetime:
    return datetime.now(UTC)
