"""A backup put into a store that nobody has worked with, SQLite or PostgreSQL: all of it, or nothing."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from filelock import FileLock
from sqlalchemy import Connection, Engine, TableClause, column, func, insert, inspect, literal, select, table, text
from sqlalchemy.exc import StatementError

from decisions.backup_file import Backup, opened
from decisions.backup_format import KINDS, BackupError, Manifest, TableEntry
from decisions.database import open_database, step_of, take_steps, writing
from decisions.pictures import PictureStore
from decisions.restore_beside import KEPT, put_beside, take_out
from decisions.restore_checks import check_agree

_AT_ONCE = 500
_VERSION = "alembic_version"
_LOCK_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Restored:
    """Rows and pictures; pictures that the backup lacked; whether it has accounts, and whether they were put back.

    ``beside``: rows that were there before. ``aside``: where the accounts are that were there before.
    """

    rows: int
    pictures: int
    missing: int
    accounts: bool
    accounts_restored: bool
    beside: int = 0
    aside: Path | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What a backup says of itself; how many pictures its products name, and how many of these are in it."""

    manifest: Manifest
    named: int
    there: int


def verify(file: Path) -> Verified:
    """Reads all of a backup and says what is in it; BackupError."""
    with opened(file) as found:
        named = found.check()
        return Verified(found.manifest, len(named), len(named.intersection(found.references)))


def restore(
    file: Path, url: str, pictures: PictureStore, accounts: Path | None = None, replace_accounts: bool = False
) -> Restored:
    """Fills the database at ``url`` and the store of pictures.

    No table has rows yet, but for the audit log and what was observed: these stay beside the restored ones. The whole
    file is read and checked first. ``accounts``: the file to put its accounts in; others that are there are put aside
    with ``replace_accounts``, and a BackupError without. BackupError, DecisionError.
    """
    with opened(file) as found:
        if accounts is not None:
            _check_accounts(found, accounts, replace_accounts)
        found.check()
        engine = open_database(url, found.manifest.step)
        try:
            _check_space(found, engine)
            with writing(engine) as connection:
                kept = take_out(connection, _check_empty(found, connection))
                # Before the rows that name them; should those be refused, nobody names them and they are swept.
                for reference in found.references:
                    pictures.keep(found.picture(reference))
                rows = sum(_fill(found, connection, name, pictures) for name in found.manifest.tables)
                check_agree(found, connection)
                beside = put_beside(connection, kept)
                take_steps(connection)
                data, aside = found.accounts(), None
                if accounts is not None and data is not None:
                    aside = _write_accounts(data, accounts, replace_accounts)
        finally:
            engine.dispose()
        manifest, there = found.manifest, data is not None
        return Restored(rows, manifest.pictures, manifest.missing, there, there and accounts is not None, beside, aside)


def _check_empty(found: Backup, connection: Connection) -> list[str]:
    """BackupError unless the tables are of the backup's step, and nobody has worked with them; gives their names.

    Nobody else may write from here on.
    """
    manifest, names = found.manifest, sorted(set(inspect(connection).get_table_names()) - {_VERSION})
    if connection.dialect.name == "postgresql":
        quoted = ", ".join(map(connection.dialect.identifier_preparer.quote, names))
        connection.execute(text(f"LOCK TABLE {quoted} IN SHARE ROW EXCLUSIVE MODE"))
    filled = [
        name
        for name in names
        if name not in KEPT and connection.execute(select(literal(1)).select_from(table(name)).limit(1)).scalar()
    ]
    if filled:
        raise BackupError("not_empty", {"tables": ", ".join(filled)})
    present = step_of(connection)
    if present != manifest.step:
        raise BackupError("older", {"file": found.file, "step": manifest.step, "present": present})
    if other := sorted(set(names) ^ set(manifest.tables)):
        raise BackupError("hostile", {"file": found.file, "what": f"{other[0]}: no table of step {present}"})
    return names


def _fill(found: Backup, connection: Connection, name: str, pictures: PictureStore) -> int:
    entry, rows = found.manifest.tables[name], 0
    target = _target(found, connection, name, entry)
    try:
        taken = _without_purged(found, pictures) if name == "items" else found.rows(name)
        for batch in _batches(taken):
            connection.execute(insert(target), batch)
            rows += len(batch)
        if entry.last is not None:
            _go_on_after(connection, name, entry.last)
    except StatementError as error:
        raise BackupError("rows", {"table": name, "error": str(error.orig).strip().splitlines()[0]}) from error
    return rows


def _without_purged(found: Backup, pictures: PictureStore) -> Iterator[Mapping[str, object]]:
    """Products, of which none names a picture that was purged while the backup was made."""
    there = set(found.references)
    row: MutableMapping[str, Any]
    for row in found.rows("items"):
        named = row.get("picture")
        if found.manifest.with_pictures and named and named not in there and pictures.size(named) is None:
            row["picture"] = None
        yield row


def _target(found: Backup, connection: Connection, name: str, entry: TableEntry) -> TableClause:
    """The table as it was at that step, which is not the one of `decisions.tables` any more, perhaps."""
    present = {one["name"]: one["nullable"] for one in inspect(connection).get_columns(name)}
    if other := sorted(set(present) ^ set(entry.columns)):
        raise BackupError("hostile", {"file": found.file, "what": f"{name}.{other[0]}: no column of this step"})
    return table(name, *(column(one, KINDS[kind].type) for one, kind in entry.columns.items()))


def _batches(rows: Iterator[Mapping[str, object]]) -> Iterator[list[Mapping[str, object]]]:
    while batch := list(islice(rows, _AT_ONCE)):
        yield batch


def _go_on_after(connection: Connection, name: str, last: int) -> None:
    """The ids to come are greater than any that was given out, be its row there or not."""
    key = inspect(connection).get_pk_constraint(name)["constrained_columns"][0]
    greatest = connection.execute(select(func.max(column(key))).select_from(table(name)))
    last = max(last, greatest.scalar() or 0)
    if not last:
        return
    if connection.dialect.name == "sqlite":
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :table"), {"table": name})
        statement = text("INSERT INTO sqlite_sequence (name, seq) VALUES (:table, :last)")
        connection.execute(statement, {"table": name, "last": last})
    else:
        statement = text("SELECT setval(pg_get_serial_sequence(:table, :key), :last)")
        connection.execute(statement, {"table": name, "key": key, "last": last})


def _check_space(found: Backup, engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        free = shutil.disk_usage(Path(engine.url.database).parent).free
        if found.table_bytes > free:
            sizes = {"needed_megabytes": -(-found.table_bytes // 2**20), "free_megabytes": free // 2**20}
            raise BackupError("no_space", sizes)


def _check_accounts(found: Backup, accounts: Path, replaced: bool) -> None:
    data = found.accounts()
    if data is None and not found.manifest.accounts_absent:
        raise BackupError("accounts_missing", {"file": found.file})
    if data is not None and not replaced and os.path.lexists(accounts) and not _same(accounts, data):
        raise BackupError("accounts_there", {"accounts": accounts})


def _same(accounts: Path, data: bytes) -> bool:
    with suppress(OSError):
        return accounts.read_bytes() == data
    return False


def _write_accounts(data: bytes, accounts: Path, replaced: bool) -> Path | None:
    """Gives where those are that were there before, if there were others."""
    if _same(accounts, data):
        return None
    aside = None
    try:
        accounts.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{accounts}.lock", timeout=_LOCK_SECONDS):
            if replaced and os.path.lexists(accounts):
                aside = accounts.with_name(f"{accounts.name}.{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
                os.link(accounts, aside, follow_symlinks=False)
            _put(data, accounts, os.link if aside is None else os.replace)  # unlike a rename, a link replaces nothing
    except FileExistsError as error:
        raise BackupError("accounts_there", {"accounts": accounts}) from error
    except OSError as error:
        raise BackupError("unwritable", {"out": accounts, "error": error.strerror or error}) from error
    return aside


def _put(data: bytes, accounts: Path, put: Callable[[Path, Path], None]) -> None:
    made = accounts.with_name(f".{accounts.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        put(made, accounts)
    finally:
        made.unlink(missing_ok=True)
