"""A backup that is read: hostile until proven otherwise. No name in it becomes a path of the disk."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from decisions.backup_format import (
    ACCOUNTS,
    FORMAT,
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
)
from decisions.backup_values import rule
from decisions.database import known_steps
from preprocessing.zips import DAMAGE, METHODS, ZipRefused, is_encrypted, is_ordinary, open_zip, overlapping

_MOST_MEMBERS = MOST_PICTURES + 1000
_SMALL_BYTES = 4 * 2**20  # a manifest, a file of accounts
_CHUNK = 2**20
_NOT_JSON = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
_PICTURE = re.compile(rf"{PICTURES}([0-9a-f]{{64}})")


class Backup:
    """An open backup, whose manifest and names are in order; `check` looks at all the rest."""

    def __init__(self, archive: zipfile.ZipFile, file: Path) -> None:
        self.file, self._archive = file, archive
        self._members = self._ordinary()
        self.manifest = self._manifest()
        self._check_names()

    @property
    def references(self) -> list[str]:
        """Of the pictures in it."""
        return [match[1] for name in self._members if (match := _PICTURE.fullmatch(name))]

    @property
    def table_bytes(self) -> int:
        """Of the rows, as they lie in the file when unpacked."""
        return sum(info.file_size for name, info in self._members.items() if name.startswith(TABLES))

    def check(self) -> set[str]:
        """Reads everything once: sums, values, pictures. Gives the pictures that products name; BackupError."""
        named: set[str] = set()
        for name, entry in self.manifest.tables.items():
            rows = 0
            for row in self.rows(name):
                rows += 1
                if name == "items" and row.get("picture") is not None:
                    named.add(row["picture"])
            if rows != entry.rows:
                raise self._damaged(f"{name}: {rows} rows for {entry.rows}")
        for reference in self.references:
            self.picture(reference)
        self.accounts()
        return named

    def rows(self, name: str) -> Iterator[dict[str, Any]]:
        """The rows of a table, as the database takes them; BackupError at the end when the sum is wrong."""
        entry = self.manifest.tables[name]
        back = [KINDS[kind].back for kind in entry.columns.values()]
        rules = [rule(name, column) for column in entry.columns]
        for number, line in enumerate(self._lines(name, entry), 1):
            try:
                values = json.loads(line)
                if not isinstance(values, list):
                    raise ValueError("no list of values")
                taken = [
                    None if value is None else own(to(value))
                    for own, to, value in zip(rules, back, values, strict=True)
                ]
            except _NOT_JSON as error:
                raise self._damaged(f"{name}, row {number}: {error}") from error
            yield dict(zip(entry.columns, taken, strict=True))

    def picture(self, reference: str) -> bytes:
        """A picture, which is what its name says."""
        return self._small(PICTURES + reference, LONGEST_PICTURE, reference)

    def accounts(self) -> bytes | None:
        """The file of accounts; None where it is left out."""
        expected = self.manifest.accounts
        return None if expected is None else self._small(ACCOUNTS, _SMALL_BYTES, expected)

    def _lines(self, name: str, entry: TableEntry) -> Iterator[bytes]:
        digest = hashlib.sha256()
        with self._reading(name), self._archive.open(self._members[f"{TABLES}{name}.jsonl"]) as member:
            lines = io.BufferedReader(member, _CHUNK)
            while line := lines.readline(LONGEST_ROW + 1):
                if len(line) > LONGEST_ROW:
                    raise self._hostile(f"{name}: a row without end")
                digest.update(line)
                yield line
        if digest.hexdigest() != entry.sha256:
            raise self._damaged(f"{name}: another content than when it was written")

    def _small(self, name: str, most: int, sha256: str | None) -> bytes:
        info = self._members.get(name)
        if info is None:
            raise self._damaged(f"{name} is missing")
        if info.file_size > most:
            raise self._hostile(f"{name}: {info.file_size} bytes")
        with self._reading(name), self._archive.open(info) as member:
            data = member.read(most + 1)
        if len(data) != info.file_size or (sha256 and hashlib.sha256(data).hexdigest() != sha256):
            raise self._damaged(f"{name}: another content than when it was written")
        return data

    def _manifest(self) -> Manifest:
        if MANIFEST not in self._members:
            raise BackupError("not_a_backup", {"file": self.file})
        text = self._small(MANIFEST, _SMALL_BYTES, None)
        try:
            found = json.loads(text)
            version = found["rayon_backup"]
            if type(version) is int and version > FORMAT:
                raise BackupError("newer", {"file": self.file, "what": f"format {version}"})
            if version != FORMAT:
                raise BackupError("not_a_backup", {"file": self.file})
            manifest = Manifest.from_json(found)
        except BackupError:
            raise
        except _NOT_JSON as error:
            raise self._damaged(f"{MANIFEST}: {error!r}") from error
        if manifest.step not in known_steps():
            raise BackupError("newer", {"file": self.file, "what": f"step {manifest.step}"})
        return manifest

    def _ordinary(self) -> dict[str, zipfile.ZipInfo]:
        if overlapping(self._archive):
            raise self._hostile("files that lie over each other, as in a decompression bomb")
        members: dict[str, zipfile.ZipInfo] = {}
        for info in self._archive.infolist():
            name = info.orig_filename
            if name in members:
                raise self._hostile(f"{name!r} twice")
            if is_encrypted(info) or not is_ordinary(info) or info.compress_type not in METHODS:
                raise self._hostile(f"{name!r}: a link, a password or another compression")
            members[name] = info
        return members

    def _check_names(self) -> None:
        tables = {f"{TABLES}{name}.jsonl" for name in self.manifest.tables}
        own = tables | {MANIFEST} | ({ACCOUNTS} if self.manifest.accounts else set())
        for name in self._members:
            if name not in own and not _PICTURE.fullmatch(name):
                raise self._hostile(repr(name))
        if missing := sorted(own - set(self._members)):
            raise self._damaged(f"{missing[0]} is missing")
        if len(self.references) != self.manifest.pictures:
            raise self._damaged(f"{len(self.references)} pictures for {self.manifest.pictures}")

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        try:
            yield
        except BackupError:
            raise
        except OSError as error:
            raise BackupError("unreadable", {"file": self.file, "error": error.strerror or error}) from error
        except DAMAGE as error:
            raise self._damaged(f"{name}: {error}") from error

    def _damaged(self, what: str) -> BackupError:
        return BackupError("damaged", {"file": self.file, "what": what})

    def _hostile(self, what: str) -> BackupError:
        return BackupError("hostile", {"file": self.file, "what": what})


@contextmanager
def opened(file: Path) -> Iterator[Backup]:
    """The backup in a file, for as long as it is open; BackupError."""
    try:
        stream = file.open("rb")
    except OSError as error:
        raise BackupError("unreadable", {"file": file, "error": error.strerror or error}) from error
    with stream, _archive(stream, file) as archive:
        yield Backup(archive, file)


def _archive(stream: BinaryIO, file: Path) -> zipfile.ZipFile:
    try:
        return open_zip(stream, _MOST_MEMBERS, 256 * _MOST_MEMBERS, plain_bytes=LONGEST_PICTURE + 1)
    except ZipRefused as error:
        if error.reason == "not_a_zip":
            raise BackupError("not_a_backup", {"file": file}) from error
        if error.reason == "too_many":
            raise BackupError("hostile", {"file": file, "what": "too many files"}) from error
        raise BackupError("damaged", {"file": file, "what": error}) from error
    except OSError as error:
        raise BackupError("unreadable", {"file": file, "error": error.strerror or error}) from error
