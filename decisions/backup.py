"""The store as one file: read at one moment, while it is in use; there whole, or not at all."""

import hashlib
import json
import os
import time
import uuid
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection, Engine, Table, select, text

from decisions.backup_format import (
    ACCOUNTS,
    KINDS,
    LONGEST_PICTURE,
    LONGEST_ROW,
    MANIFEST,
    MOST_PICTURES,
    PICTURES,
    TABLES,
    BackupError,
    Manifest,
    TableEntry,
    kind_of,
)
from decisions.database import reading, snapshot, step_of
from decisions.export import check_apart
from decisions.pictures import PictureStore
from decisions.tables import items, metadata

_AT_ONCE, _CHUNK = 1000, 500
_LEFT_OVER_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class BackedUp:
    """Rows of all tables, pictures, pictures purged meanwhile, bytes of the file, and whether accounts are in it."""

    rows: int
    pictures: int
    missing: int
    bytes: int
    accounts: bool


def backup(
    engine: Engine, pictures: PictureStore, out: Path, accounts: Path | None = None, with_pictures: bool = True
) -> BackedUp:
    """Writes every table, the pictures of products and, where given and there, the file of ``accounts`` to ``out``.

    A file that is there is replaced at the end; nothing is where a picture that a product names cannot be found.
    BackupError, ExportError, DecisionError.
    """
    check_apart(engine, out)
    with _whole(out) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            manifest = _write(archive, engine, pictures if with_pictures else None, accounts)
        size = file.tell()
    rows = sum(one.rows for one in manifest.tables.values())
    return BackedUp(rows, manifest.pictures, manifest.missing, size, manifest.accounts is not None)


def _write(archive: zipfile.ZipFile, engine: Engine, pictures: PictureStore | None, accounts: Path | None) -> Manifest:
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    kept = None if accounts is None else _read(accounts)
    with snapshot(engine) as connection:
        tables = {table.name: _write_table(archive, connection, table) for table in metadata.sorted_tables}
        step = step_of(connection)
        query = select(items.c.picture).where(items.c.picture.is_not(None)).distinct().order_by(items.c.picture)
        references = [] if pictures is None else list(connection.execute(query).scalars())
    if len(references) > MOST_PICTURES:
        raise BackupError("too_many_pictures", {"count": len(references), "limit": MOST_PICTURES})
    missing = 0 if pictures is None else _write_pictures(archive, engine, pictures, references)
    if kept is not None:
        archive.writestr(ACCOUNTS, kept)
    manifest = Manifest(
        step=step,
        made_at=made_at,
        database=engine.dialect.name,
        tables=tables,
        pictures=len(references) - missing,
        missing=missing,
        with_pictures=pictures is not None,
        accounts=None if kept is None else hashlib.sha256(kept).hexdigest(),
        accounts_absent=accounts is not None and kept is None,
    )
    archive.writestr(MANIFEST, manifest.to_json())  # last: a file without it is no backup
    return manifest


def _write_pictures(archive: zipfile.ZipFile, engine: Engine, pictures: PictureStore, references: Sequence[str]) -> int:
    """Writes the pictures; gives how many were purged since the rows were read. BackupError where one is lost."""
    gone = [reference for reference in references if not _write_picture(archive, pictures, reference)]
    lost = again = 0
    for start in range(0, len(gone), _CHUNK):
        query = select(items.c.picture).where(items.c.picture.in_(gone[start : start + _CHUNK])).distinct()
        with reading(engine) as connection:
            named = list(connection.execute(query).scalars())
        found = sum(_write_picture(archive, pictures, reference) for reference in named)  # purged, and sent anew
        again, lost = again + found, lost + len(named) - found
    if lost:
        raise BackupError("pictures_missing", {"count": lost, "place": pictures.place})
    return len(gone) - again


def _write_picture(archive: zipfile.ZipFile, pictures: PictureStore, reference: str) -> bool:
    data = pictures.read(reference)
    if data is None:
        return False
    if len(data) > LONGEST_PICTURE:
        raise BackupError("long_row", {"table": f"pictures/{reference}", "length": len(data)})
    archive.writestr(PICTURES + reference, data, zipfile.ZIP_STORED)
    return True


def _write_table(archive: zipfile.ZipFile, connection: Connection, table: Table) -> TableEntry:
    columns = {column.name: kind_of(column.type) for column in table.columns}
    out = [KINDS[kind].out for kind in columns.values()]
    query = select(table).order_by(*table.primary_key.columns)
    rows, digest = 0, hashlib.sha256()
    with archive.open(f"{TABLES}{table.name}.jsonl", "w", force_zip64=True) as file:
        for row in connection.execute(query, execution_options={"yield_per": _AT_ONCE}):
            values = [None if value is None else to(value) for to, value in zip(out, row, strict=True)]
            line = json.dumps(values, separators=(",", ":")).encode() + b"\n"
            if len(line) > LONGEST_ROW:
                raise BackupError("long_row", {"table": table.name, "length": len(line)})
            file.write(line)
            digest.update(line)
            rows += 1
    return TableEntry(columns, rows, digest.hexdigest(), _last(connection, table))


def _last(connection: Connection, table: Table) -> int | None:
    """The greatest id that the database has given out in this table; None where it gives none."""
    column = table.autoincrement_column
    if column is None:
        return None
    if connection.dialect.name == "sqlite":
        found = text("SELECT seq FROM sqlite_sequence WHERE name = :table")
    else:
        found = text("SELECT pg_sequence_last_value(pg_get_serial_sequence(:table, :column)::regclass)")
        found = found.bindparams(column=column.name)
    return connection.execute(found.bindparams(table=table.name)).scalar() or 0


def _read(accounts: Path) -> bytes | None:
    """None where there is no file, as where a provider signs people in."""
    if not os.path.lexists(accounts):
        return None
    try:
        return accounts.read_bytes()
    except OSError as error:
        raise BackupError("unreadable", {"file": accounts, "error": error.strerror}) from error


@contextmanager
def _whole(out: Path) -> Iterator[BinaryIO]:
    """A file that only its owner reads, which takes the place of ``out`` at the end; BackupError."""
    if not out.parent.is_dir():
        raise BackupError("no_folder", {"folder": out.parent})
    if os.path.lexists(out) and not out.is_file():
        raise BackupError("no_file", {"out": out})
    out = Path(os.path.realpath(out))
    path = out.with_name(f".{out.name}.{uuid.uuid4().hex}.part")
    try:
        _sweep(out)
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(path, out)
        _remember_name(out.parent)
    except OSError as error:
        raise BackupError("unwritable", {"out": out, "error": error.strerror or error}) from error
    finally:
        path.unlink(missing_ok=True)


def _sweep(out: Path) -> None:
    """Removes what earlier backups to this file left when they were killed."""
    for path in out.parent.iterdir():
        left = path.name.startswith(f".{out.name}.") and path.name.endswith(".part")
        with suppress(FileNotFoundError):
            if left and time.time() - path.stat().st_mtime > _LEFT_OVER_SECONDS:
                path.unlink()


def _remember_name(folder: Path) -> None:
    """The name outlasts a power cut, too; where the system opens no folders, it is left to that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
