"""One change of the store, from its first statement to its last: what is read in it, nobody else changes meanwhile."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, exists, func, insert, or_, select, true, update
from sqlalchemy.dialects import postgresql, sqlite

from decisions.errors import DecisionError
from decisions.items import MAX_NOTE, Decision, Item, Verdict
from decisions.reading import not_undone
from decisions.rows import decision_of, item_of, item_rows, pairs
from decisions.tables import decisions, items, jobs, people, sent

_STATES = {"skipped": "skipped", "approved": "approved"}
_APPROVABLE = ("accepted", "corrected", "unknown")
_KEPT = ("key", "state", "second_look")  # of a product whose content was purged, when it comes again
_OPEN = ("pending", "skipped")
_SUGGESTED = ("suggestions", "model", "category", "confidence", "margin")
_FREE = {"holder": None, "held_by": None, "held_until": None}


@dataclass(frozen=True, slots=True)
class LastAction:
    """What a person did last, as far as any of it still counts: ids of all of it, and the decisions that count, by key.

    ``overruled``: products of that action, and of later ones, that somebody else has decided on since.
    """

    ids: frozenset[int] = frozenset()
    counting: tuple[Decision, ...] = ()
    overruled: int = 0


class Transaction:
    """``now``: the moment of all that is written. ``lease_seconds``: how long a product is its holder's own."""

    def __init__(self, connection: Connection, now: datetime, lease_seconds: float) -> None:
        self.connection, self.now, self._lease = connection, now, timedelta(seconds=lease_seconds)
        self._dialect = postgresql if connection.dialect.name == "postgresql" else sqlite

    def decide(self, item: Item, verdict: Verdict, person: str, holder: str, seen: int | None) -> Decision:
        """Adds a row to the log, which counts from now on; ``seen``: the one that counted on screen. DecisionError."""
        row = self.locked(item.key)
        again = select(decisions).where(decisions.c.action == verdict.action, decisions.c.key == item.key)
        if (recorded := self.connection.execute(again).mappings().first()) is not None:
            return decision_of(recorded)
        self.check_free(row, holder)
        standing = self.decision(row.standing)
        if row.standing != seen:
            raise _changed(standing)
        code = _code_of(item, verdict, standing, person)
        kept = self._write(
            key=item.key,
            decision="approved" if self._agrees(item.key, verdict, code, standing, person) else verdict.decision,
            code=code,
            note=_note_of(verdict),
            person=person,
            seconds=verdict.seconds,
            model=item.model,
            suggestions=pairs(item.suggestions),
            replaces=row.standing,
            action=verdict.action,
        )
        self.settle(item.key, kept)
        return kept

    def _agrees(self, key: str, verdict: Verdict, code: int | None, standing: Decision | None, person: str) -> bool:
        """Two people disagreed, and a further one, or the first who thinks again, comes to what another had said."""
        if verdict.decision not in _APPROVABLE or standing is None or standing.decision not in _APPROVABLE:
            return False
        said = select(decisions.c.person, decisions.c.code).where(
            decisions.c.key == key, decisions.c.decision != "skipped", not_undone()
        )
        latest = dict(self.connection.execute(said.order_by(decisions.c.id)).all())
        return code in [other for name, other in latest.items() if name != person]

    def undo(self, decision: Decision, holder: str, action: str) -> None:
        """Adds a row that takes back ``decision``, which counts; the one before it counts again. DecisionError."""
        row = self.locked(decision.key)
        self.check_free(row, holder)
        if row.purged_at is not None:
            raise DecisionError("undo_purged")
        self._write(
            key=decision.key,
            decision="undone",
            person=decision.person,
            model=decision.model,
            suggestions=pairs(decision.suggestions),
            replaces=decision.id,
            undoes=decision.id,
            action=action,
        )
        self.settle(decision.key, self.decision(decision.replaces))

    def last_action(self, person: str) -> LastAction:
        """The last action of a person that can be taken back, or at least a part of it."""
        counts = exists().where(items.c.key == decisions.c.key, items.c.standing == decisions.c.id)
        mine = and_(decisions.c.person == person, not_undone())
        newest = select(decisions.c.id, decisions.c.action).where(mine, counts).order_by(decisions.c.id.desc())
        last = self.connection.execute(newest.limit(1)).first()
        passed = true() if last is None else or_(decisions.c.id > last.id, decisions.c.action == last.action)
        overruled = select(func.count(decisions.c.key.distinct())).where(mine, ~counts, passed)
        number = self.connection.execute(overruled).scalar_one()
        if last is None:
            return LastAction(overruled=number)
        whole = mine, decisions.c.action == last.action
        ids = self.connection.execute(select(decisions.c.id).where(*whole)).scalars()
        rows = self.connection.execute(select(decisions).where(*whole, counts).order_by(decisions.c.key)).mappings()
        return LastAction(frozenset(ids), tuple(map(decision_of, rows)), number)

    def taken_back(self, ids: Collection[int]) -> bool:
        """Whether all of some decisions were undone."""
        undone = select(func.count()).select_from(decisions).where(decisions.c.undoes.in_(ids))
        return self.connection.execute(undone).scalar_one() == len(set(ids))

    def _write(self, **values: Any) -> Decision:
        statement = insert(decisions).values(**values, decided_at=self.now)
        return self.decision(self.connection.execute(statement).inserted_primary_key[0])

    def settle(self, key: str, standing: Decision | None) -> None:
        """The decision that counts from now on; nobody has the product open any more."""
        state = "pending" if standing is None else _STATES.get(standing.decision, "decided")
        values = {"standing": standing and standing.id, "state": state}
        self.connection.execute(update(items).where(items.c.key == key).values(values | _FREE))

    def locked(self, key: str) -> Row | None:
        """The item's row, which nobody else changes until this transaction ends."""
        query = select(items.c.standing, items.c.holder, items.c.held_by, items.c.held_until, items.c.purged_at)
        return self.connection.execute(query.where(items.c.key == key).with_for_update()).first()

    def lock_opened(self, holder: str, and_key: str | None = None) -> list[str]:
        """Keys of what the holder has open, locked with ``and_key``: in order, as all who lock several at once do."""
        open_ = self.connection.execute(select(items.c.key).where(items.c.holder == holder)).scalars().all()
        wanted = {*open_, *([and_key] if and_key else [])}
        query = select(items.c.key, items.c.holder).where(items.c.key.in_(wanted)).order_by(items.c.key)
        return [row.key for row in self.connection.execute(query.with_for_update()) if row.holder == holder]

    def check_free(self, row: Row | None, holder: str) -> None:
        """DecisionError unless the product is there, and open to nobody else."""
        if row is None:
            raise DecisionError("gone")
        if row.holder not in (None, holder) and row.held_until > self.now:
            raise DecisionError("held", {"person": row.held_by})

    def take(self, key: str, holder: str, person: str) -> None:
        """Opens a product for a holder."""
        values = {"holder": holder, "held_by": person, "held_until": self.now + self._lease}
        self.connection.execute(update(items).where(items.c.key == key).values(values))

    def let_go(self, holder: str) -> None:
        """Closes whatever the holder has open."""
        self.connection.execute(update(items).where(items.c.holder == holder).values(_FREE))

    def insert(self, rows: list[dict]) -> set[str]:
        """Adds items, but for those that are there; what was purged has its content again. Keys of both."""
        if not rows:
            return set()
        rows = [row | {"added_at": self.now} for row in rows]
        statement = self._dialect.insert(items)
        again = {name: statement.excluded[name] for name in rows[0] if name not in _KEPT} | {"purged_at": None}
        statement = statement.on_conflict_do_update(
            index_elements=["key"], set_=again, where=items.c.purged_at.is_not(None)
        )
        ordered = sorted(rows, key=lambda row: row["key"])
        return set(self.connection.execute(statement.returning(items.c.key), ordered).scalars())

    def present(self, keys: Collection[str]) -> dict[str, Row]:
        """Those of some products that are there, locked in order: key, state, model and when it was purged."""
        query = select(items.c.key, items.c.state, items.c.model, items.c.purged_at).where(items.c.key.in_(keys))
        return {row.key: row for row in self.connection.execute(query.order_by(items.c.key).with_for_update())}

    def suggest_again(self, row: dict) -> None:
        """What another model suggests for a product that nobody has decided on."""
        values = {name: row[name] for name in _SUGGESTED}
        self.connection.execute(update(items).where(items.c.key == row["key"], items.c.state.in_(_OPEN)).values(values))

    def note_sent(self, rows: list[dict]) -> None:
        """Rows of files; one drawn again, with a greater chance, stands for fewer."""
        if rows:
            statement = self._dialect.insert(sent)
            again = {name: statement.excluded[name] for name in ("reason", "weight")}
            drawn = or_(sent.c.reason == "sent", sent.c.weight > statement.excluded.weight)
            statement = statement.on_conflict_do_update(
                index_elements=["job", "row"], set_=again, where=and_(drawn, statement.excluded.reason != "sent")
            )
            ordered = sorted(rows, key=lambda row: (row["job"], row["row"]))
            self.connection.execute(statement, [row | {"sent_at": self.now} for row in ordered])

    def name_jobs(self, names: dict[str, str | None]) -> None:
        """Keeps what jobs are called, unless it is known."""
        if names:
            statement = self._dialect.insert(jobs).on_conflict_do_nothing(index_elements=["job"])
            rows = [{"job": job, "name": names[job], "added_at": self.now} for job in sorted(names)]
            self.connection.execute(statement, rows)

    def register(self, person: str) -> None:
        """Gives a person who is new another name, to be used where names are not to be seen."""
        values = {"name": person, "alias": f"p-{secrets.token_hex(5)}"}
        statement = self._dialect.insert(people).values(values)
        self.connection.execute(statement.on_conflict_do_nothing(index_elements=["name"]))

    def item(self, key: str) -> Item:
        """A product that is there."""
        return item_of(self.connection.execute(item_rows().where(items.c.key == key)).mappings().one())

    def decision(self, identity: int | None) -> Decision | None:
        """A row of the log; None for none."""
        if identity is None:
            return None
        query = select(decisions).where(decisions.c.id == identity)
        return decision_of(self.connection.execute(query).mappings().one())


def _code_of(item: Item, verdict: Verdict, standing: Decision | None, person: str) -> int | None:
    """The category that a verdict comes to; DecisionError when it lacks one, or approves what cannot be approved."""
    if verdict.decision == "approved":
        if standing is None or standing.decision not in _APPROVABLE:
            raise _changed(standing)
        if standing.person == person:
            raise DecisionError("own")
        return standing.code
    if verdict.decision == "accepted":
        return item.code if verdict.code is None else verdict.code
    if verdict.decision not in ("corrected", "unknown", "skipped"):
        raise ValueError(f"no decision that a person takes: {verdict.decision!r}")
    if verdict.decision == "skipped" and standing is not None and standing.decision != "skipped":
        raise DecisionError("skip_decided")
    if verdict.decision == "corrected" and verdict.code is None:
        raise DecisionError("code_missing")
    return verdict.code if verdict.decision == "corrected" else None


def _note_of(verdict: Verdict) -> str | None:
    note = (verdict.note or "").strip() or None
    if note and len(note) > MAX_NOTE:
        raise DecisionError("note_too_long", {"length": len(note), "limit": MAX_NOTE})
    return note


def _changed(standing: Decision | None) -> DecisionError:
    """``details``: who decided, None when a decision was taken back; and the decision that counts."""
    return DecisionError("changed", {"person": standing.person if standing else "?", "standing": standing})
