"""One change of the store, from its first statement to its last: what is read in it, nobody else changes meanwhile."""

import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from decisions.errors import DecisionError
from decisions.items import MAX_NOTE, Decision, Item, Verdict
from decisions.rows import decision_of, item_of, item_rows, pairs
from decisions.tables import decisions, items, people

_STATES = {"skipped": "skipped", "approved": "approved"}
_APPROVABLE = ("accepted", "corrected", "unknown")
_KEPT = ("key", "state", "second_look")  # of a product whose content was purged, when it comes again
_DRAWN = ("doubt", "audit")
_FREE = {"holder": None, "held_by": None, "held_until": None}


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
        kept = self._write(
            key=item.key,
            decision=verdict.decision,
            code=_code_of(item, verdict, standing, person),
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

    def undo(self, decision: Decision, action: str) -> None:
        """Adds a row that takes back ``decision``; the one before it counts again. DecisionError."""
        row = self.locked(decision.key)
        if row is None or row.standing != decision.id:
            raise DecisionError("undo_changed")
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
        query = select(items.c.standing, items.c.holder, items.c.held_by, items.c.held_until)
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
        statement = self._dialect.insert(items)
        again = {name: statement.excluded[name] for name in rows[0] if name not in _KEPT} | {"purged_at": None}
        statement = statement.on_conflict_do_update(
            index_elements=["key"], set_=again, where=items.c.purged_at.is_not(None)
        )
        ordered = sorted(rows, key=lambda row: row["key"])
        return set(self.connection.execute(statement.returning(items.c.key), ordered).scalars())

    def weigh_again(self, row: dict) -> None:
        """A product that was drawn again from its job, with a greater chance: it stands for fewer."""
        drawn = items.c.reason.in_(_DRAWN), items.c.job == row["job"], items.c.weight > row["weight"]
        values = {"reason": row["reason"], "weight": row["weight"]}
        self.connection.execute(update(items).where(items.c.key == row["key"], *drawn).values(values))

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
