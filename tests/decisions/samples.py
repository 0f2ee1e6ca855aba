"""Products, suggestions and moments made up; and what the log says by itself of where each product stands."""

import itertools
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, delete, text

from decisions.database import reading, writing
from decisions.items import Decision, Item, NewItem
from decisions.rows import item_of, item_rows
from decisions.store import DecisionStore
from decisions.tables import audit, clients, decisions, items, jobs, observed, people, sent
from model.product import Product, RankedCategory

CODES = (10, 40, 50, 60)
START = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
_ROWS = itertools.count(1000)


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def go(self, **passed: float) -> None:
        self.now += timedelta(**passed)


def ranked(*codes: int, first: float = 0.6) -> tuple[RankedCategory, ...]:
    """Suggestions in this order; the first has the probability ``first``."""
    shares = [first, *((1 - first) / 2**place for place in range(1, len(codes)))]
    return tuple(RankedCategory(code, share) for code, share in zip(codes, shares, strict=True))


def new_item(text: str = "Chaise pliante", *codes: int, first: float = 0.6, **more: object) -> NewItem:
    """A product to decide on; ``image`` and ``description`` go to the product, the rest to the item.

    Of a job, it is a row of its own unless one is given.
    """
    if more.get("job") is not None:
        more.setdefault("row", next(_ROWS))
    product = Product(text, more.pop("description", None), more.pop("image", None))
    return NewItem(product, ranked(*(codes or CODES), first=first), "open-1", **more)


def several(count: int, **more: object) -> list[NewItem]:
    """Products, the first of which is the most doubtful."""
    return [new_item(f"Produit {n}", first=0.5 + 0.4 * n / count, **more) for n in range(count)]


def empty(engine: Engine) -> None:
    """Removes all rows."""
    with writing(engine) as connection:
        for table in (decisions, items, people, sent, jobs, clients, observed):
            connection.execute(delete(table))
        if connection.dialect.name == "postgresql":  # which keeps its audit log, unless told twice
            connection.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))
            connection.execute(delete(audit))
            connection.execute(text("ALTER TABLE audit ENABLE TRIGGER USER"))


def everything(store: DecisionStore) -> dict[str, Item]:
    """Each product in the store, by its key."""
    with reading(store.engine) as connection:
        return {row["key"]: item_of(row) for row in connection.execute(item_rows()).mappings()}


def replayed(store: DecisionStore) -> dict[str, int | None]:
    """Id of the decision that counts on each product, by the log alone; AssertionError where the log is no history."""
    standing: dict[str, Decision | None] = {}
    rows: dict[int, Decision] = {}
    undone: set[int] = set()
    for row in store.log():
        before = standing.get(row.key)
        assert row.replaces == (before and before.id), f"{row} replaces another than {before}"
        assert row.id not in rows
        rows[row.id] = row
        if row.decision == "undone":
            assert row.undoes == row.replaces and row.undoes not in undone, row
            undone.add(row.undoes)
            standing[row.key] = rows.get(before.replaces)
        else:
            assert row.undoes is None
            standing[row.key] = row
    return {key: decision and decision.id for key, decision in standing.items()}


def check_agrees(store: DecisionStore) -> None:
    """Each product's state and decision are what the log says: AssertionError."""
    by_log, found = replayed(store), everything(store)
    rows = {row.id: row for row in store.log()}
    # What was purged undecided is in no queue and in no count.
    counted = [item for item in found.values() if item.state in ("decided", "approved") or not item.purged_at]
    assert set(by_log) <= set(found) and len(counted) == len(store.frame())
    for key, item in found.items():
        assert (item.standing and item.standing.id) == by_log.get(key), item
        decision = item.standing and rows[item.standing.id]
        assert item.standing == decision
        usual = {"skipped": "skipped", "approved": "approved"}
        assert item.state == ("pending" if decision is None else usual.get(decision.decision, "decided")), item
