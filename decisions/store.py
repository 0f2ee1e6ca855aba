"""The store of decisions: products that wait, who has which open, what was decided.

Every change is one transaction. The log only grows: undoing is a row of its own. Which decision counts stands with the
product, in the same transaction as the row, so that the two cannot part.
"""

import unicodedata
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Engine, select

from decisions.database import keep_order, open_database, retrying, writing
from decisions.errors import DecisionError
from decisions.items import (
    MAX_PERSON,
    Added,
    Decision,
    Filter,
    Item,
    Many,
    NewItem,
    Undone,
    Verdict,
    margin,
    product_key,
)
from decisions.pictures import PictureStore
from decisions.reading import StoreReader, order
from decisions.rows import pairs
from decisions.tables import items
from decisions.transaction import LastAction, Transaction
from settings import settings

_CHUNK = 200
QUEUE = Filter()
"""What waits, the most doubtful first."""


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
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        super().__init__(engine, clock)
        self.pictures, self.lease_seconds, self.second_look = pictures, lease_seconds, second_look

    # --- products ---------------------------------------------------------------------------------------------

    def add(self, new: Iterable[NewItem]) -> Added:
        """Puts products into the queue, but for those that are in the store already; DecisionError.

        Some at a time: what was added before an error stays, and adding all of it again completes it. What nobody has
        decided on yet takes the suggestions of another model. Each row of a job is remembered by itself; one that is
        drawn again takes the smaller weight: the larger of two samples holds the other.
        """
        added = Added()
        for chunk in _chunks(new, _CHUNK):
            more = self._add([self._row(item) for item in chunk], chunk)
            added = Added(added.added + more.added, added.waiting + more.waiting, added.decided + more.decided)
        return added

    @retrying
    def _add(self, made: list[dict], chunk: list[NewItem]) -> Added:
        rows = {row["key"]: row for row in reversed(made)}  # of one product, what came first
        with self._transaction() as change:
            present = change.present(rows)
            done = {key for key, row in present.items() if row.state in ("decided", "approved")}
            whole = {key for key, row in present.items() if row.purged_at is None}
            fresh = change.insert([row for key, row in rows.items() if key not in whole]) - done
            for key in whole - done:
                if present[key].model != rows[key]["model"]:
                    change.suggest_again(rows[key])
            _note_jobs(change, zip(chunk, made, strict=True))
        decided = sum(row["key"] in done for row in made)
        # Twice in the table, or put in by somebody else a moment ago: it waits.
        return Added(len(fresh), len(chunk) - len(fresh) - decided, decided)

    @retrying
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

    @retrying
    def hold(self, holder: str, person: str, key: str) -> Item:
        """Opens that very product; DecisionError when another has it open, or when it is gone."""
        with self._transaction() as change:
            change.lock_opened(holder, key)
            change.check_free(change.locked(key), holder)
            change.let_go(holder)
            change.take(key, holder, person)
            return change.item(key)

    @retrying
    def release(self, holder: str) -> None:
        """Others may have what the holder has open."""
        with self._transaction() as change:
            change.let_go(holder)

    # --- decisions --------------------------------------------------------------------------------------------

    @retrying
    def decide(self, item: Item, verdict: Verdict, person: str, holder: str) -> Decision:
        """Records a verdict on a product as it was on screen.

        DecisionError when another has it open, or has decided on it since; nothing is recorded then.
        """
        person = checked_person(person)
        seen = None if item.standing is None else item.standing.id
        with self._transaction(log=True) as change:
            change.register(person)
            return change.decide(item, verdict, person, holder, seen)

    @retrying
    def record(self, new: NewItem, verdict: Verdict, person: str, holder: str, seen: int | None = None) -> Decision:
        """Puts a product into the store, unless it is there, and records a verdict on it, in one; DecisionError.

        ``seen``: the decision that counted on screen, None when there was none.
        """
        person = checked_person(person)
        row = self._row(new)
        with self._transaction(log=True) as change:
            change.register(person)
            change.insert([row])
            _note_jobs(change, [(new, row)])
            item = change.item(row["key"])
            item = replace(item, suggestions=new.suggestions, model=new.model)  # what this person was shown
            return change.decide(item, verdict, person, holder, seen)

    @retrying
    def decide_many(self, several: Sequence[Item], verdict: Verdict, person: str, holder: str) -> Many:
        """One verdict on several products, each accepted with its own first category; DecisionError.

        Those that others have open, or decided on meanwhile, are left as they are and counted.
        """
        person = checked_person(person)
        counts = {"done": 0, "held": 0, "changed": 0}
        with self._transaction(log=True) as change:
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

    @retrying
    def undo(self, person: str, holder: str, only: Collection[int] | None = None) -> Undone:
        """Takes back the person's last action, all of it; DecisionError when there is none, or nothing of it can be.

        Each product is again what it was before. What somebody else has decided on since, or has open, stays. ``only``:
        ids of the decisions that have to be the whole of that action; nothing is taken back when they are not.
        """
        person = checked_person(person)
        with self._transaction(log=True) as change:
            last = change.last_action(person)
            if only is not None and last.ids != set(only):
                raise DecisionError(_why_other(change, last, only))
            action, held, undone = uuid.uuid4().hex, [], []
            for decision in last.counting:
                try:
                    change.undo(decision, holder, action)
                    undone.append(decision.key)
                except DecisionError as error:
                    if error.reason != "held":
                        raise
                    held.append(error)
            if not undone:
                raise held[0] if held else DecisionError("undo_changed" if last.overruled else "nothing_to_undo")
        return Undone(tuple(undone), last.overruled, len(held))

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
            "job": new.job,
            "row": new.row,
            "category": new.suggestions[0].code,
            "confidence": new.suggestions[0].probability,
            "margin": margin(new.suggestions),
            "state": "pending",
            # The key is as good as random: its first digits draw the sample.
            "second_look": int(key[:8], 16) / 16**8 < self.second_look,
        }

    @contextmanager
    def _transaction(self, log: bool = False) -> Iterator[Transaction]:
        """``log``: adds to it."""
        with writing(self.engine) as connection:
            if log:
                keep_order(connection)
            yield Transaction(connection, self.now(connection), self.lease_seconds)


def open_store() -> DecisionStore:
    """The store that the settings name, its tables as this program knows them; DecisionError.

    One for the whole process, as long as the settings stay the same.
    """
    found = settings()
    return _store(found.database_url, found.picture_store, found.lease_seconds, found.second_look)


@lru_cache(maxsize=4)
def _store(url: str, pictures: str, lease_seconds: float, second_look: float) -> DecisionStore:
    return DecisionStore(open_database(url), PictureStore(pictures), lease_seconds, second_look)


def _why_other(change: Transaction, last: LastAction, only: Collection[int]) -> str:
    """Why the decisions shown are not the last action any more."""
    if change.taken_back(only):
        return "undo_done"
    return "undo_other" if max(last.ids, default=0) > max(only, default=0) else "undo_changed"


def checked_person(name: str) -> str:
    """A name as it is recorded: accents composed, blanks in a row made one, the invisible left out; DecisionError."""
    composed = unicodedata.normalize("NFC", name)
    seen = "".join(character for character in composed if character.isprintable() or character.isspace())
    shown = " ".join(seen.split())
    if not 0 < len(shown) <= MAX_PERSON:
        raise DecisionError("no_person", {"limit": MAX_PERSON})
    return shown


def _note_jobs(change: Transaction, made: Iterable[tuple[NewItem, dict]]) -> None:
    """Which rows of which files the items are; ``made``: each with its row of the table."""
    given = [(item, row) for item, row in made if item.job is not None and item.row is not None]
    names = ("key", "job", "row", "category", "confidence", "model", "reason")
    change.note_sent([{name: row[name] for name in names} | {"weight": item.weight} for item, row in given])
    change.name_jobs({item.job: item.job_name for item, _ in given})


def _chunks(new: Iterable[NewItem], size: int) -> Iterator[list[NewItem]]:
    chunk: list[NewItem] = []
    for item in new:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
