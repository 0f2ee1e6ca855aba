"""A backup put into a store without rows, SQLite or PostgreSQL, whichever it was made of: all of it, or nothing."""

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection, Engine, TableClause, column, func, insert, inspect, literal, select, table, text
from sqlalchemy.exc import DBAPIError

from decisions.backup_file import Backup, opened
from decisions.backup_format import KINDS, BackupError, Manifest, TableEntry
from decisions.database import open_database, step_of, take_steps, writing
from decisions.pictures import PictureStore

_AT_ONCE = 500
_VERSION = "alembic_version"


@dataclass(frozen=True, slots=True)
class Restored:
    """Rows and pictures; pictures that the backup lacked; whether it has accounts, and whether they were put back."""

    rows: int
    pictures: int
    missing: int
    accounts: bool
    accounts_restored: bool


def verify(file: Path) -> Manifest:
    """Reads all of a backup and says what is in it; BackupError."""
    with opened(file) as found:
        found.check()
        return found.manifest


def restore(file: Path, url: str, pictures: PictureStore, accounts: Path | None = None) -> Restored:
    """Fills the database at ``url``, which has no rows yet, and the store of pictures.

    The whole file is read and checked first. ``accounts``: the file to put its accounts in, which must not be there
    yet. BackupError, DecisionError.
    """
    with opened(file) as found:
        if accounts is not None:
            _check_accounts(found, accounts)
        found.check()
        engine = open_database(url, found.manifest.step)
        try:
            _check_space(found, engine)
            with writing(engine) as connection:
                _check_empty(found, connection)
                # Before the rows that name them; should those be refused, nobody names them and they are swept.
                for reference in found.references:
                    pictures.keep(found.picture(reference))
                rows = sum(_fill(found, connection, name) for name in found.manifest.tables)
                take_steps(connection)
                if accounts is not None:
                    _write_accounts(found.accounts(), accounts)
        finally:
            engine.dispose()
        manifest = found.manifest
        there = manifest.accounts is not None
        return Restored(rows, manifest.pictures, manifest.missing, there, accounts is not None)


def _check_empty(found: Backup, connection: Connection) -> None:
    """BackupError unless the tables are of the backup's step, and hold nothing; nobody else may write from here on."""
    manifest, names = found.manifest, sorted(set(inspect(connection).get_table_names()) - {_VERSION})
    if connection.dialect.name == "postgresql":
        quoted = ", ".join(map(connection.dialect.identifier_preparer.quote, names))
        connection.execute(text(f"LOCK TABLE {quoted} IN SHARE ROW EXCLUSIVE MODE"))
    filled = [
        name for name in names if connection.execute(select(literal(1)).select_from(table(name)).limit(1)).scalar()
    ]
    if filled:
        raise BackupError("not_empty", {"tables": ", ".join(filled)})
    present = step_of(connection)
    if present != manifest.step:
        raise BackupError("older", {"file": found.file, "step": manifest.step, "present": present})
    if other := sorted(set(names) ^ set(manifest.tables)):
        raise BackupError("hostile", {"file": found.file, "what": f"{other[0]}: no table of step {present}"})


def _fill(found: Backup, connection: Connection, name: str) -> int:
    entry, rows = found.manifest.tables[name], 0
    target = _target(found, connection, name, entry)
    try:
        for batch in _batches(found.rows(name)):
            connection.execute(insert(target), batch)
            rows += len(batch)
        if entry.last is not None:
            _go_on_after(connection, name, entry.last)
    except DBAPIError as error:
        raise BackupError("rows", {"table": name, "error": str(error.orig).strip().splitlines()[0]}) from error
    return rows


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


def _check_accounts(found: Backup, accounts: Path) -> None:
    if found.manifest.accounts is None:
        raise BackupError("accounts_missing", {"file": found.file})
    if os.path.lexists(accounts):
        raise BackupError("accounts_there", {"accounts": accounts})


def _write_accounts(data: bytes, accounts: Path) -> None:
    made = accounts.with_name(f".{accounts.name}.{secrets.token_hex(4)}")
    try:
        accounts.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(made, accounts)  # unlike a rename, it replaces nothing
    except FileExistsError as error:
        raise BackupError("accounts_there", {"accounts": accounts}) from error
    except OSError as error:
        raise BackupError("unwritable", {"out": accounts, "error": error.strerror or error}) from error
    finally:
        made.unlink(missing_ok=True)
