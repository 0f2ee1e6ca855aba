"""The audit log: who did what, and when. Rows are only added; the database refuses to change or delete one."""

import getpass
import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, Select, func, insert, select

from decisions.database import keep_order, reading, retrying, writing
from decisions.errors import DecisionError
from decisions.store import open_store
from decisions.tables import UNSTORABLE, audit

ACTIONS = (
    "sign_in", "sign_in_waits", "sign_out",
    "account_added", "account_role", "account_password", "account_removed",
    "token_added", "token_revoked",
    "model_installed", "model_refused", "model_activated", "model_rolled_back", "model_removed",
    "exported", "purged", "job_stopped", "job_deleted", "job_downloaded", "leftovers_swept", "audit_exported",
    "backed_up", "restored",
)  # fmt: skip
"""What is noted. ``sign_in_waits``: so many passwords were wrong that the next one has to wait."""
_LONGEST_PERSON, _LONGEST, _MARK = 120, 300, 16
_AT_ONCE = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row. ``details`` say how, without secrets and without anything of a product."""

    id: int
    at: datetime
    person: str
    action: str
    subject: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which rows: all that are not ruled out. ``since`` and ``until`` (not included) are aware."""

    person: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditLog:
    """The log in one database. Safe to share between threads and processes; `DecisionError` when out of reach."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine, self._clock = engine, clock

    @retrying
    def note(self, person: str, action: str, subject: str = "", **details: object) -> None:
        """Adds a row. What is too long is cut; an action that is not among `ACTIONS` is a ValueError."""
        row = self._row(person, action, subject, details)
        with writing(self._engine) as connection:
            connection.execute(insert(audit).values(row))

    @retrying
    def note_session(self, session: str, person: str, action: str, **details: object) -> bool:
        """Adds a row of a session unless there is one; gives whether it did. Its hash stands among the details."""
        mark = hashlib.sha256(session.encode()).hexdigest()[:_MARK]
        row = self._row(person, action, "", details | {"session": mark})
        same = (audit.c.person == row["person"], audit.c.action == action)
        with writing(self._engine) as connection:
            keep_order(connection)  # who looks at the same time waits
            if any(kept.get("session") == mark for kept in connection.scalars(select(audit.c.details).where(*same))):
                return False
            connection.execute(insert(audit).values(row))
            return True

    def _row(self, person: str, action: str, subject: str, details: Mapping[str, object]) -> dict[str, Any]:
        if action not in ACTIONS:
            raise ValueError(f"{action!r} is no action")
        kept = {
            name: value if isinstance(value, bool | int | float) else _kept(value) for name, value in details.items()
        }
        row = {"at": self._clock(), "person": _kept(person, _LONGEST_PERSON), "action": action}
        return row | {"subject": _kept(subject), "details": kept}

    def page(self, where: AuditFilter = AuditFilter(), first: int = 0, size: int = 50) -> list[Entry]:
        """Rows from the ``first`` (from 0) on, the newest first."""
        with reading(self._engine) as connection:
            query = _chosen(select(audit), where).order_by(audit.c.id.desc()).offset(first).limit(size)
            return [_entry(row) for row in connection.execute(query)]

    def count(self, where: AuditFilter = AuditFilter()) -> int:
        """How many rows there are."""
        with reading(self._engine) as connection:
            return connection.execute(_chosen(select(func.count()).select_from(audit), where)).scalar_one()

    def rows(self, where: AuditFilter = AuditFilter()) -> Iterator[Entry]:
        """All rows there are by now, the newest first, a few at a time."""
        before: int | None = None
        while True:
            query = _chosen(select(audit), where).order_by(audit.c.id.desc()).limit(_AT_ONCE)
            with reading(self._engine) as connection:
                found = [
                    _entry(row)
                    for row in connection.execute(query if before is None else query.where(audit.c.id < before))
                ]
            yield from found
            if len(found) < _AT_ONCE:
                return
            before = found[-1].id

    def people(self) -> list[str]:
        """Everybody of whom there is a row, by name."""
        with reading(self._engine) as connection:
            return sorted(connection.execute(select(audit.c.person).distinct()).scalars(), key=str.casefold)


def note(person: str, action: str, subject: str = "", **details: object) -> None:
    """Adds a row to the log of the settings. A database out of reach is no reason to fail: that is logged instead."""
    try:
        AuditLog(open_store().engine).note(person, action, subject, **details)
    except DecisionError as error:
        log.error("not in the audit log: %s by %s: %s", action, ascii(person), error)


def note_session(session: str, person: str, action: str, **details: object) -> None:
    """The same, unless there is a row of that session already."""
    try:
        AuditLog(open_store().engine).note_session(session, person, action, **details)
    except DecisionError as error:
        log.error("not in the audit log: %s by %s: %s", action, ascii(person), error)


def note_command(action: str, subject: str = "", **details: object) -> None:
    """The same for a command line: by the user that runs it."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a number without a name, as in containers
        user = "?"
    note(f"command {user}", action, subject, **details)


def _kept(value: object, most: int = _LONGEST) -> str:
    text = str(value).translate(UNSTORABLE)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _chosen(query: Select, where: AuditFilter) -> Select:
    rules: list[ColumnElement[bool]] = []
    if where.person is not None:
        rules.append(audit.c.person == where.person)
    if where.action is not None:
        rules.append(audit.c.action == where.action)
    if where.since is not None:
        rules.append(audit.c.at >= where.since)
    if where.until is not None:
        rules.append(audit.c.at < where.until)
    return query.where(*rules)


def _entry(row: Row) -> Entry:
    return Entry(row.id, row.at, row.person, row.action, row.subject, row.details)
