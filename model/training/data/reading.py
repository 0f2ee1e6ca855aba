"""A table file as columns of text by what they say, and where each row stands in the file."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from model.taxonomy import Taxonomy
from model.training.data.errors import Problems, shown
from preprocessing.columns import match_columns
from preprocessing.table import TableError, TableFormat, TableReader, detect
from preprocessing.table_common import Records

_SPELLED = {"id": "the row's id (the first column, which has no name)", "prdtypecode": "the category code"}
_CODE = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Sheet:
    """All rows of a table: the cells of each column that is known, stripped, by its role."""

    file: str
    unit: str  # of `lines`: "line" or "row"
    lines: list[int]
    cells: dict[str, list[str]]

    @property
    def ids(self) -> list[str]:
        """The ids as given; the rows' numbers, from 1, in a table without."""
        return self.cells["id"]

    def cell(self, role: str, position: int) -> str:
        """A cell; "" when the table has no such column."""
        column = self.cells.get(role)
        return column[position] if column else ""


class _Numbered(TableReader):
    """Knows on which line the row stands that it has just given."""

    def _open(self) -> Records:
        for self.line, cells in super()._open():
            yield self.line, cells


Match = Callable[[Sequence[str]], Mapping[str, str]]


def by_role(names: Sequence[str]) -> dict[str, str]:
    """The columns by their role (`preprocessing.columns`), those that are there."""
    return {role: name for role, name in asdict(match_columns(names)).items() if name is not None}


def columns_of(path: Path) -> tuple[str, ...]:
    """The header alone; TableError."""
    return tuple(map(str.strip, TableReader(path, detect(path, path.name)).columns))


def read_sheet(
    path: Path, problems: Problems, needed: Iterable[str], match: Match = by_role, official: bool = False
) -> Sheet | None:
    """The whole table; None when it cannot be read or lacks a column that is needed, and `problems` say why.

    `official`: UTF-8 and comma. A role that may be any of several is written "designation or description".
    """
    try:
        given = {"encoding": "utf-8", "delimiter": ","} if official else {}
        return _read(path, detect(path, path.name, **given), problems, tuple(needed), match)
    except TableError as error:
        problems.file("table", file=path.name, sentence=str(error))
    except OSError as error:
        problems.file("unreadable", file=path.name, error=error.strerror or str(error))
    return None


def _read(path: Path, form: TableFormat, problems: Problems, needed: Sequence[str], match: Match) -> Sheet | None:
    table = _Numbered(path, form)
    names = match(table.columns)
    if missing := [roles for roles in needed if not set(roles.split(" or ")) & set(names)]:
        spelled = ", ".join(_SPELLED.get(role, role) for role in missing)
        problems.file("column_missing", file=path.name, missing=spelled, found=_spelled(table.columns))
        return None
    places = {role: table.columns.index(name) for role, name in names.items()}
    cells: dict[str, list[str]] = {role: [] for role in places}
    appends = [(cells[role].append, place) for role, place in places.items()]
    lines = []
    for row in table:
        lines.append(table.line)
        for append, place in appends:
            append(row[place].strip())
    given = cells.get("id") or [""] * len(lines)
    unnamed = str if "id" not in cells else "row {}".format  # so that it cannot be the id of another
    cells["id"] = [id_ or unnamed(number) for number, id_ in enumerate(given, 1)]
    return Sheet(path.name, "line" if form.kind == "text" else "row", lines, cells)


def _spelled(columns: Sequence[str]) -> str:
    return ", ".join(shown(name) if name else "one without name" for name in columns)


def repeated(ids: Sequence[str]) -> set[str]:
    """Those that stand more than once."""
    seen: set[str] = set()
    return {id_ for id_ in ids if id_ in seen or seen.add(id_)}


def code_of(sheet: Sheet, position: int, label: str, taxonomy: Taxonomy, problems: Problems) -> int | None:
    """The category of a label; None when there is none, and `problems` say why."""
    if not _CODE.fullmatch(label):
        problems.row("label_no_number", sheet, position, label)
        return None
    try:
        return taxonomy[int(label)].code
    except KeyError:
        problems.row("label_unknown", sheet, position, label)
        return None
