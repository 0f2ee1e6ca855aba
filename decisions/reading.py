"""Questions to the store: nothing here changes it."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

import pandas as pd
from sqlalchemy import ColumnElement, Engine, and_, func, or_, select

from decisions.database import reading
from decisions.items import Decision, Filter, Item
from decisions.rows import decision_of, item_of, item_rows
from decisions.tables import decisions, items, people

_CHUNK = 5_000
_FRAME = ("key", "job", "job_name", "row", "reason", "weight", "source", "model", "confidence", "margin", "state")
_STANDING = ("decision", "code", "person", "decided_at", "seconds", "note")
# Purged before anybody decided, or after that was undone: there is nothing left to decide on.
_ALIVE = or_(items.c.purged_at.is_(None), items.c.standing.is_not(None))
_ORDERS = {
    "doubt": (items.c.margin, items.c.key),
    "oldest": (items.c.added_at, items.c.key),
    "newest": (items.c.added_at.desc(), items.c.key.desc()),
}


class StoreReader:
    """The store, as far as it is only looked at. Safe to share between threads."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self.engine, self.clock = engine, clock

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
        """How many items pass; for a second look, those that ``person`` may take: not decided by them."""
        query = select(func.count()).select_from(items).where(self.matching(where, person))
        with reading(self.engine) as connection:
            return connection.execute(query).scalar_one()

    def held(self, where: Filter, holder: str) -> int:
        """How many of the filter's items others have open now."""
        query = select(func.count()).select_from(items).where(self.matching(where), ~self.free(holder))
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
        query = select(items.c.job, func.max(items.c.job_name)).where(items.c.job.is_not(None)).group_by(items.c.job)
        with reading(self.engine) as connection:
            rows = connection.execute(query.order_by(func.max(items.c.added_at).desc()))
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

    def version(self) -> tuple[int, int]:
        """Changes with every decision and every product that comes or goes."""
        latest, number = select(func.max(decisions.c.id)), select(func.count()).select_from(items)
        with reading(self.engine) as connection:
            return connection.execute(latest).scalar() or 0, connection.execute(number).scalar_one()

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

        Columns: key, job, job_name, row, reason, weight, source, model, confidence, margin, state, second_look,
        added_at, first (category suggested), decision, code, person, decided_at, seconds, note.
        """
        columns = [items.c[name] for name in (*_FRAME, "second_look", "added_at")]
        columns += [items.c.category.label("first"), *(decisions.c[name] for name in _STANDING)]
        query = select(*columns).outerjoin(decisions, decisions.c.id == items.c.standing).where(_ALIVE)
        with reading(self.engine) as connection:
            rows = connection.execute(query.order_by(items.c.added_at, items.c.key)).all()
        frame = pd.DataFrame([tuple(row) for row in rows], columns=[column.name for column in columns])
        frame["code"] = frame["code"].astype("Int64")
        frame["seconds"] = frame["seconds"].astype("float64")
        for name in ("added_at", "decided_at"):
            frame[name] = pd.to_datetime(frame[name], utc=True)
        return frame

    def matching(self, where: Filter, person: str = "") -> ColumnElement[bool]:
        """The filter as a condition on items."""
        conditions = [_state(where.state, person)]
        if where.category is not None:
            conditions.append(items.c.category == where.category)
        if where.job is not None:
            conditions.append(items.c.job == where.job)
        if where.reason is not None:
            conditions.append(items.c.reason == where.reason)
        if where.older_than is not None:
            conditions.append(items.c.added_at <= self.clock() - where.older_than)
        return and_(*conditions)

    def free(self, holder: str) -> ColumnElement[bool]:
        """Nobody else has the item open."""
        return or_(items.c.holder.is_(None), items.c.holder == holder, items.c.held_until <= self.clock())


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
    standing = decisions.alias("standing")  # a table of its own, whatever else the query reads
    own = select(standing.c.id).where(standing.c.id == items.c.standing, standing.c.person == person).exists()
    return and_(items.c.state == "decided", items.c.second_look, items.c.purged_at.is_(None), ~own)
