"""What is in a table, before anything is classified: one reading of the whole of it."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from batch.classify import RowReader
from batch.picture_errors import PictureProblem
from batch.pictures import Pictures
from preprocessing.columns import Columns
from preprocessing.table import Notice, TableFormat, open_table

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Survey:
    """Counts over all rows. A picture counts when a file of its name is there; whether it can be read shows later."""

    header: tuple[str, ...]
    rows: int
    first: tuple[tuple[str, ...], ...]
    notices: tuple[Notice, ...]
    both: int
    text_only: int
    picture_only: int
    neither: int
    missing: int
    """Rows that name a picture which is not there, or for which several are."""
    labelled: int
    """Rows with a given category."""


def survey(path: Path, format: TableFormat, columns: Columns, pictures: Pictures | None = None) -> Survey:
    """Reads the whole table; `preprocessing.table.TableError` for what is wrong with it, wherever it stands."""
    table = open_table(path, format)
    reader = RowReader(table.columns, columns)
    counts = {(text, picture): 0 for text in (False, True) for picture in (False, True)}
    missing = labelled = 0
    rows = iter(table)
    first = [tuple(row) for row in islice(rows, SHOWN)]

    def note(row: list[str] | tuple[str, ...]) -> None:
        nonlocal missing, labelled
        name = None if pictures is None else reader.picture(row)
        found = name is not None and _is_there(pictures, name)
        missing += name is not None and not found
        labelled += bool(reader.label(row))
        counts[any(reader.texts(row)), found] += 1

    for row in first:
        note(row)
    for row in rows:
        note(row)
    return Survey(
        header=tuple(table.columns),
        rows=sum(counts.values()),
        first=tuple(first),
        notices=tuple(table.notices),
        both=counts[True, True],
        text_only=counts[True, False],
        picture_only=counts[False, True],
        neither=counts[False, False],
        missing=missing,
        labelled=labelled,
    )


def _is_there(pictures: Pictures, name: str) -> bool:
    try:
        pictures.find(name)
    except PictureProblem:
        return False
    return True
