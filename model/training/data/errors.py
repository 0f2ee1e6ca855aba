"""What is wrong with the data given: all of it at once, each kind with its count and its first rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, Protocol

from preprocessing.errors import InputError

SHOWN = 5  # rows named of each kind of problem
_VALUES = 10  # distinct values named of each kind
_LENGTH = 40  # characters of a value

_FILES = {
    "not_found": "There is no file or folder “{place}”: check the path.",
    "not_official": "The folder holds neither {files} (it holds {held}). Name the folder that holds both, as the "
    "challenge delivers them, or name one table (CSV, TSV, XLSX or Parquet) with the texts and their category codes.",
    "file_missing": "{file} is missing beside the rest (the folder holds {held}): put it there under this name.",
    "unreadable": "{file} cannot be read ({error}): check its permissions.",
    "table": "{file}: {sentence}",
    "column_missing": "{file} has no column for {missing}; it has {found}: add what is missing, or correct the header.",
    "images_missing": "There is no folder “{folder}” to look for pictures in: check the path.",
    "nothing_left": "No row is left that has a category and something to read: nothing can be done with this.",
}
_ROWS = {
    "duplicate_id": "{file}: rows that share their id with another: {count}, at {first}. Give each row its own id.",
    "no_label": "{file}: rows whose id has no label in {other}: {count}, at {first}. Add the labels or delete the "
    "rows.",
    "no_row": "{file}: labels whose id has no row in {other}: {count}, at {first}. Add the rows or delete the labels.",
    "label_no_number": "{file}: labels that are no number: {count}, at {first}; found {values}. Write the category's "
    "code.",
    "label_unknown": "{file}: labels outside the taxonomy: {count}, at {first}; found {values}. Correct them, or train "
    "with a taxonomy that has them.",
    "picture_id": "{file}: rows whose imageid or productid is no number: {count}, at {first}; found {values}. Correct "
    "them: the picture's name is made of both.",
    "picture_outside": "{file}: pictures that lie outside {folder}: {count}, at {first}; found {values}. Move them "
    "below it and name them by their path from there.",
    "no_product": "{file}: decisions that name no product: {count}, at {first}. Write the product's content hash.",
    "unknown_decision": "{file}: decisions other than {known}: {count}, at {first}; found {values}. Correct them.",
    "no_time": "{file}: decisions without the time they were taken at: {count}, at {first}; found {values}. Write it "
    "as in 2026-01-31T09:30:00Z.",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of problem. That of rows has `count` and `rows`, the first of them as (line or row, id)."""

    reason: str
    details: dict[str, object]

    def __str__(self) -> str:
        return (_FILES | _ROWS)[self.reason].format(**self.details)


class DataError(InputError):
    """Data that cannot be used; `problems` holds everything that is wrong with it."""

    SENTENCES: Mapping[str, str] = {
        "files": "{place} cannot be used:\n{problems}",
        "rows": "{place} has rows that cannot be used:\n{problems}\n"
        "Correct them, or add --leave-out-bad-rows: it trains without them.",
        "files_and_rows": "{place} cannot be used:\n{problems}\n"
        "Once the files are right, --leave-out-bad-rows trains without the rows named here.",
        "rows_needed": "{place} has rows that cannot be used:\n{problems}\nCorrect them: every row is due an answer.",
    }

    @property
    def problems(self) -> tuple[Problem, ...]:
        """In the order they were met."""
        return self.details["problems"]

    def __str__(self) -> str:
        told = "\n".join(f"- {problem}" for problem in self.problems)
        return self.SENTENCES[self.reason].format(place=self.details["place"], problems=told)


class SplitError(InputError):
    """A split on disk that cannot be used with these rows."""

    SENTENCES: Mapping[str, str] = {
        "missing": "{folder} holds no {file}: train again, which writes the split, or name the folder that holds it.",
        "damaged": "{folder}: {file} cannot be read ({error}): train again, which writes the split anew.",
        "changed": "{folder}: split.csv is not the file that split.json describes: restore both, or train again.",
        "other_data": "The split in {folder} was made for other rows than these (their fingerprint begins "
        "{expected}, not {found}): name the data it was made for, or train again.",
    }


class Rows(Protocol):
    """What a table tells about where its rows stand."""

    file: str
    unit: str  # "line" or "row"
    lines: list[int]
    ids: list[str]


@dataclass(slots=True)
class _Found:
    reason: str
    unit: str
    details: dict[str, object]
    count: int = 0
    rows: list[tuple[int, str]] = field(default_factory=list)
    values: dict[str, None] = field(default_factory=dict)

    def problem(self) -> Problem:
        first = [f"{self.unit} {line}" + (f" (id {shown(id_)})" if id_ else "") for line, id_ in self.rows]
        more = ["…"] if self.count > len(self.rows) else []
        values = [f"“{shown(value)}”" if value.strip() else "empty" for value in self.values]
        values += ["…"] if len(values) == _VALUES else []
        details = {"count": self.count, "rows": tuple(self.rows), "first": ", ".join(first + more)}
        return Problem(self.reason, {**self.details, **details, "values": ", ".join(values)})


class Problems:
    """Collects what is wrong with the data at `place`."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._files: list[Problem] = []
        self._rows: dict[tuple[str, str], _Found] = {}

    def file(self, reason: str, **details: object) -> None:
        """A problem of a file as a whole."""
        self._files.append(Problem(reason, details))

    def row(self, reason: str, rows: Rows, position: int, value: str | None = None, **details: object) -> None:
        """A problem of the row at a position; `value` is the cell that is off."""
        key = rows.file, reason
        found = self._rows.setdefault(key, _Found(reason, rows.unit, {"file": rows.file, **details}))
        found.count += 1
        if len(found.rows) < SHOWN:
            found.rows.append((rows.lines[position], rows.ids[position]))
        if value is not None and len(found.values) < _VALUES:
            found.values[value] = None

    def check(self, leave_out: bool = False, rows_needed: bool = False) -> None:
        """DataError for problems of files; for those of rows too, unless they are to be left out."""
        rows = [] if leave_out and not self._files else [found.problem() for found in self._rows.values()]
        if not self._files and not rows:
            return
        reason = "files_and_rows" if self._files and rows else "files" if self._files else "rows"
        if rows_needed and rows:
            reason = "rows_needed"
        raise DataError(reason, {"place": str(self._place), "problems": (*self._files, *rows)})

    def nothing_left(self) -> NoReturn:
        """DataError: with what is wrong left out, there is nothing."""
        rows = (found.problem() for found in self._rows.values())
        raise DataError("files", {"place": str(self._place), "problems": (Problem("nothing_left", {}), *rows)})


def shown(text: str) -> str:
    """A value as it may stand in a message: short, on one line, nothing that moves a terminal's cursor."""
    short = text if len(text) <= _LENGTH else f"{text[: _LENGTH - 1]}…"
    return short if short.isprintable() else ascii(short)[1:-1]
