"""The store of decisions: products that wait, who has which open, what was decided.

Every change is one transaction. The log only grows: undoing is a row of its own. Which decision counts stands with the
product, in the same transaction as the row, so that the two cannot part.
"""

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

from sqlalchemy import Engine, select

from decisions.database import open_database, writing
from decisions.errors import DecisionError
from decisions.items import MAX_PERSON, Added, Decision, Filter, Item, Many, NewItem, Verdict, margin, product_key
from decisions.pictures import PictureStore
from decisions.reading import StoreReader, not_undone, order
from decisions.rows import decision_of, pairs
from decisions.tables import decisions, items
from decisions.transaction import Transaction
from settings import settings

_CHUNK = 200
QUEUE = Filter()
"""What waits, the most doubtful first."""


def _now() -> datetime:
    return datetime.now(UTC)


class DecisionStore(StoreReader):
    """Safe to share between threads, and between processes and machines that use one database.

    ``lease_seconds``: how long a product is its holder's own. ``second_look``: share of products drawn for another
    person's look, by their key, so that all machines draw the same.
    """

    def __init__(
        self,
        engine: Engine,
        pictures: PictureStore,
        lease_seconds: float = 300,
        second_look: float = 0.05,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        super().__init__(engine, clock)
        self.pictures, self.lease_seconds, self.second_look = pictures, lease_seconds, second_look

    # --- products ---------------------------------------------------------------------------------------------

    def add(self, new: Iterable[NewItem]) -> Added:
        """Puts products into the queue, but for those that are in the store already; DecisionError.

        Some at a time: what was added before an error stays, and adding all of it again completes it. A product drawn
        again from the same job takes the smaller weight: the larger of two samples holds the other.
        """
        added = Added()
        for chunk in _chunks(new, _CHUNK):
            made = [self._row(item) for item in chunk]
            rows = {row["key"]: row for row in made}
            with self._transaction() as change:
                known = (items.c.key, items.c.state, items.c.purged_at, items.c.job, items.c.weight)
                query = select(*known).where(items.c.key.in_(rows))
                present = {row.key: row for row in change.connection.execute(query)}
                done = {key for key, row in present.items() if row.state in ("decided", "approved")}
                whole = {key for key, row in present.items() if row.purged_at is None}
                fresh = change.insert([row for key, row in rows.items() if key not in whole]) - done
                for key, row in present.items():
                    if row.job is not None and row.job == rows[key]["job"] and rows[key]["weight"] < row.weight:
                        change.weigh_again(rows[key])
            decided = sum(row["key"] in done for row in made)
            # Twice in the table, or put in by somebody else a moment ago: it waits.
            waiting = len(chunk) - len(fresh) - decided
            added = Added(added.added + len(fresh), added.waiting + waiting, added.decided + decided)
        return added

    def claim(self, holder: str, person: str, where: Filter = QUEUE, passed: Collection[str] = ()) -> Item | None:
        """Opens the next product that nobody else has open, for `lease_seconds`; None when there is none.

        The one that the holder has open comes again, unless it is among ``passed`` or the filter leaves it out.
        """
        wanted = [self.matching(where, person), items.c.key.not_in(passed)]
        with self._transaction() as change:
            key = None
            if opened := change.lock_opened(holder):
                query = select(items.c.key).where(items.c.key.in_(opened), *wanted).order_by(*order(where))
                key = change.connection.execute(query.limit(1)).scalar()
            if key is None:
                query = select(items.c.key).where(self.free(holder), *wanted).order_by(*order(where)).limit(1)
                # PostgreSQL: what another is taking at this moment is passed over, not waited for.
                key = change.connection.execute(query.with_for_update(skip_locked=True)).scalar()
            change.let_go(holder)
            if key is None:
                return None
            change.take(key, holder, person)
            return change.item(key)

    def hold(self, holder: str, person: str, key: str) -> Item:
        """Opens that very product; DecisionError when another has it open, or when it is gone."""
        with self._transaction() as change:
            change.lock_opened(holder, key)
            change.check_free(change.locked(key), holder)
            change.let_go(holder)
            change.take(key, holder, person)
            return change.item(key)

    def release(self, holder: str) -> None:
        """Others may have what the holder has open."""
        with self._transaction() as change:
            change.let_go(holder)

    # --- decisions --------------------------------------------------------------------------------------------

    def decide(self, item: Item, verdict: Verdict, person: str, holder: str) -> Decision:
        """Records a verdict on a product as it was on screen.

        DecisionError when another has it open, or has decided on it since; nothing is recorded then.
        """
        person = checked_person(person)
        seen = None if item.standing is None else item.standing.id
        with self._transaction() as change:
            change.register(person)
            return change.decide(item, verdict, person, holder, seen)

    def record(self, new: NewItem, verdict: Verdict, person: str, holder: str, seen: int | None = None) -> Decision:
        """Puts a product into the store, unless it is there, and records a verdict on it, in one; DecisionError.

        ``seen``: the decision that counted on screen, None when there was none.
        """
        person = checked_person(person)
        row = self._row(new)
        with self._transaction() as change:
            change.register(person)
            change.insert([row])
            item = change.item(row["key"])
            item = replace(item, suggestions=new.suggestions, model=new.model)  # what this person was shown
            return change.decide(item, verdict, person, holder, seen)

    def decide_many(self, several: Sequence[Item], verdict: Verdict, person: str, holder: str) -> Many:
        """One verdict on several products, each accepted with its own first category; DecisionError.

        Those that others have open, or decided on meanwhile, are left as they are and counted.
        """
        person = checked_person(person)
        counts = {"done": 0, "held": 0, "changed": 0}
        with self._transaction() as change:
            change.register(person)
            # Always in the same order: two of these at once must not wait for each other.
            for item in sorted(several, key=lambda item: item.key):
                seen = None if item.standing is None else item.standing.id
                try:
                    change.decide(item, verdict, person, holder, seen)
                    counts["done"] += 1
                except DecisionError as error:
                    if error.reason not in ("held", "changed", "gone"):
                        raise
                    counts["held" if error.reason == "held" else "changed"] += 1
        return Many(**counts)

    def undo(self, person: str, only: int | None = None) -> tuple[str, ...]:
        """Takes back the person's last action, all of it; gives the products' keys. DecisionError.

        Each product is again what it was before. Nothing is taken back where somebody has decided since, nor, with
        ``only``, where that decision is not the whole of the last action.
        """
        person, action = checked_person(person), uuid.uuid4().hex
        with self._transaction() as change:
            mine = select(decisions).where(decisions.c.person == person, not_undone()).order_by(decisions.c.id.desc())
            last = change.connection.execute(mine.limit(1)).mappings().first()
            if last is None:
                raise DecisionError("nothing_to_undo")
            whole = change.connection.execute(
                mine.where(decisions.c.action == last["action"]).order_by(None)
            ).mappings()
            taken_back = sorted(map(decision_of, whole), key=lambda decision: decision.key)
            if only is not None and [decision.id for decision in taken_back] != [only]:
                raise DecisionError("undo_changed")
            for decision in taken_back:
                change.undo(decision, action)
        return tuple(decision.key for decision in taken_back)

    def _row(self, new: NewItem) -> dict:
        product, key = new.product, product_key(new.product)
        return {
            "key": key,
            "designation": product.designation,
            "description": product.description,
            "picture": None if product.image is None else self.pictures.keep(product.image),
            "suggestions": pairs(new.suggestions),
            "model": new.model,
            "source": new.source,
            "reason": new.reason,
            "weight": new.weight,
            "job": new.job,
            "job_name": new.job_name,
            "row": new.row,
            "category": new.suggestions[0].code,
            "confidence": new.suggestions[0].probability,
            "margin": margin(new.suggestions),
            "added_at": self.clock(),
            "state": "pending",
            # The key is as good as random: its first digits draw the sample.
            "second_look": int(key[:8], 16) / 16**8 < self.second_look,
        }

    @contextmanager
    def _transaction(self) -> Iterator[Transaction]:
        with writing(self.engine) as connection:
            yield Transaction(connection, self.clock(), self.lease_seconds)


def open_store() -> DecisionStore:
    """The store that the settings name, its tables as this program knows them; DecisionError.

    One for the whole process, as long as the settings stay the same.
    """
    found = settings()
    return _store(found.database_url, found.picture_store, found.lease_seconds, found.second_look)


@lru_cache(maxsize=4)
def _store(url: str, pictures: str, lease_seconds: float, second_look: float) -> DecisionStore:
    return DecisionStore(open_database(url), PictureStore(pictures), lease_seconds, second_look)


def checked_person(name: str) -> str:
    """A name as it is recorded: blanks in a row made one, what cannot be seen left out; DecisionError."""
    shown = "".join(character for character in " ".join(name.split()) if character.isprintable())
    if not 0 < len(shown) <= MAX_PERSON:
        raise DecisionError("no_person", {"limit": MAX_PERSON})
    return shown


def _chunks(new: Iterable[NewItem], size: int) -> Iterator[list[NewItem]]:
    chunk: list[NewItem] = []
    for item in new:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
