"""What a backup is: a ZIP of a manifest, each table as JSON lines, and the pictures under the sha256 of their bytes.

``manifest.json``: format, step of the migrations, and for each table its columns (name to kind), rows, sha256 and the
last id given out. ``tables/NAME.jsonl``: a row a line, its values in the order of the columns. ``pictures/SHA256``.
``accounts.json``, if it was asked for: the file of local accounts.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Date, Float, Integer, String, types

from decisions.backup_values import being, day, finite, moment, plain, whole
from decisions.tables import Moment, Words
from preprocessing.errors import InputError

FORMAT = 1
MANIFEST, ACCOUNTS, TABLES, PICTURES = "manifest.json", "accounts.json", "tables/", "pictures/"
LONGEST_ROW = 32 * 2**20
"""Bytes of a row as a line."""
LONGEST_PICTURE = 64 * 2**20
MOST_PICTURES = 1_000_000
"""In one backup: the list of a ZIP's members is held in memory when it is read."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SENTENCES = {
    "no_folder": "There is no folder {folder} to write to: make it, or name another.",
    "no_file": "{out} is there already and is no file that could be replaced: name another.",
    "unwritable": "{out} cannot be written: {error}",
    "too_many_pictures": "The store has {count} pictures, and a backup holds {limit}: copy RAYON_PICTURES by other "
    "means, and make the backup with --without-pictures.",
    "long_row": "A row or a picture of {table} is too long for a backup ({length} bytes).",
    "unreadable": "{file} cannot be read: {error}",
    "not_a_backup": "{file} is no backup of Rayon: name a file that `python -m decisions backup` made.",
    "damaged": "The backup {file} is damaged ({what}): take another copy of it. Nothing was restored.",
    "hostile": "The backup {file} holds what no backup of Rayon holds ({what}). Nothing was restored.",
    "newer": "The backup {file} was made by a newer version of Rayon ({what}): update this one. Nothing was restored.",
    "older": "The backup {file} is of step {step}, and the tables of this store are of step {present} already: name "
    "a database without tables in RAYON_DATABASE_URL, which is brought up to date once the rows are in it.",
    "not_empty": "The store is not empty: there are rows in {tables} already. Restore into a new one: name a database "
    "without rows in RAYON_DATABASE_URL, or put the SQLite file aside. Nothing was restored.",
    "rows": "The rows of {table} are not taken by the database: {error}. Nothing was restored.",
    "no_space": "The rows need about {needed_megabytes} MB, and {free_megabytes} MB are left beside the database.",
    "pictures_missing": "{count} pictures that products name are not in {place}: look whether RAYON_PICTURES names the "
    "right place and is in reach, or leave pictures out by --without-pictures. Nothing was written.",
    "accounts_there": "There is a file of other accounts already, {accounts}: leave --accounts out to keep it, or add "
    "--replace-accounts, which puts it aside. Nothing was restored.",
    "accounts_missing": "There are no accounts in the backup {file}: leave --accounts out.",
}


class BackupError(InputError):
    """Nothing was written, or nothing restored: `reason` names the cause, `details` fills in the message."""

    SENTENCES = _SENTENCES


@dataclass(frozen=True, slots=True)
class Kind:
    """How values of one kind of column travel; ``out`` and ``back`` are not asked about None."""

    type: types.TypeEngine
    out: Callable[[Any], Any]
    back: Callable[[Any], Any]


def _same(value: Any) -> Any:
    return value


KINDS: Mapping[str, Kind] = {
    "moment": Kind(Moment(), datetime.isoformat, moment),
    "date": Kind(Date(), date.isoformat, day),
    "json": Kind(JSON(none_as_null=True), _same, plain),
    "boolean": Kind(Boolean(), bool, being(bool)),
    "integer": Kind(BigInteger(), int, whole),
    "float": Kind(Float(), float, finite),
    "text": Kind(Words(), str, being(str)),
}
_BY_TYPE = {
    Moment: "moment", Date: "date", JSON: "json", Boolean: "boolean", Integer: "integer", Float: "float",
    Words: "text", String: "text",
}  # fmt: skip


def kind_of(column_type: types.TypeEngine) -> str:
    """The kind of a column; TypeError for a type that a backup cannot hold yet."""
    for known, kind in _BY_TYPE.items():
        if isinstance(column_type, known):
            return kind
    raise TypeError(f"say in {__name__} how {column_type!r} is kept in a backup")


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A table in the manifest. ``last``: the greatest id given out so far, which may be another's than a row's."""

    columns: Mapping[str, str]
    rows: int
    sha256: str
    last: int | None


@dataclass(frozen=True, slots=True)
class Manifest:
    """``tables`` in the order in which they can be filled. ``missing``: pictures that were purged meanwhile."""

    step: str
    made_at: str
    database: str
    tables: Mapping[str, TableEntry]
    pictures: int
    missing: int
    with_pictures: bool
    accounts: str | None
    """sha256 of ``accounts.json``."""
    accounts_absent: bool = False
    """They were asked for, and there was no file of them: people sign in with a provider."""

    def to_json(self) -> str:
        tables = {
            name: {"columns": entry.columns, "rows": entry.rows, "sha256": entry.sha256, "last": entry.last}
            for name, entry in self.tables.items()
        }
        own = {name: getattr(self, name) for name in self.__slots__} | {"tables": tables}
        return json.dumps({"rayon_backup": FORMAT, **own}, indent=1)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Manifest":
        """The inverse; ValueError or one of its like (KeyError, TypeError, …) for what is none."""
        tables = {name: _entry(name, entry) for name, entry in being(dict)(found["tables"]).items()}
        accounts = found["accounts"]
        return cls(
            step=being(str)(found["step"]),
            made_at=moment(found["made_at"]).isoformat(),
            database=_database(found["database"]),
            tables=tables,
            pictures=_count(found["pictures"]),
            missing=_count(found["missing"]),
            with_pictures=being(bool)(found["with_pictures"]),
            accounts=None if accounts is None else _hash(accounts),
            accounts_absent=being(bool)(found.get("accounts_absent", False)),
        )


def _entry(name: str, found: Mapping[str, Any]) -> TableEntry:
    columns = being(dict)(found["columns"])
    last = found["last"]
    if not _NAME.fullmatch(name) or not columns or not all(map(_NAME.fullmatch, columns)):
        raise ValueError("a name of a table or a column that is none")
    if unknown := set(columns.values()) - set(KINDS):
        raise ValueError(f"a kind of column that is not known: {sorted(unknown)[0]!r}")
    return TableEntry(columns, _count(found["rows"]), _hash(found["sha256"]), None if last is None else _count(last))


def _database(value: Any) -> str:
    if value not in ("sqlite", "postgresql"):
        raise ValueError("a database that is not known")
    return value


def _count(value: Any) -> int:
    if whole(value) < 0:
        raise ValueError("fewer than none")
    return value


def _hash(value: Any) -> str:
    if not _SHA256.fullmatch(being(str)(value)):
        raise ValueError("no sha256")
    return value
