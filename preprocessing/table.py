"""A table file, read as text row by row: what is in it is neither guessed at nor lost, and memory stays flat.

`detect` says how a file is to be read, `open_table` reads it. Delimited text and Parquet are streamed; of an XLSX file
the sheet is streamed and only its distinct strings are held.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from preprocessing.table_common import MAX_CELL, MAX_COLUMNS, Notice, Records, TableError
from preprocessing.table_detection import DELIMITERS, delimiter_of, encoding_of, kind_of
from preprocessing.table_parquet import parquet_records
from preprocessing.table_text import TextFile, codec_of, dangerous, escape, unescape
from preprocessing.table_xlsx import first_sheet, sheets, xlsx_records

__all__ = [
    "DELIMITERS",
    "ENCODINGS",
    "MAX_CELL",
    "MAX_COLUMNS",
    "Notice",
    "TableError",
    "TableFormat",
    "TableReader",
    "dangerous",
    "detect",
    "escape",
    "open_table",
    "sheets",
    "unescape",
]

ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "utf-16")  # and "utf-16-le" or "-be" for text without a byte order mark
_LINES_KEPT = 5  # of the lines that a notice is about


@dataclass(frozen=True, slots=True)
class TableFormat:
    """How a table file is read."""

    kind: str  # "text" (delimited: CSV, TSV), "xlsx", "parquet"
    encoding: str | None = None  # text only
    delimiter: str | None = None  # text only; None: one column
    sheet: str | None = None  # xlsx only; None: the first that holds anything


def detect(
    path: Path,
    name: str,
    kind: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
) -> TableFormat:
    """How to read the file: as given, and by its content for the rest; its name only hints. TableError if no table."""
    kind = kind or kind_of(path)
    if kind == "xlsx":
        return TableFormat(kind, sheet=sheet or first_sheet(path))
    if kind == "parquet":
        return TableFormat(kind)
    encoding = encoding or encoding_of(path)
    return TableFormat(kind, encoding, delimiter or delimiter_of(path, codec_of(path, encoding), name))


def open_table(path: Path, format: TableFormat) -> "TableReader":
    """A reader at the first row below the header; TableError if the header cannot be used."""
    return TableReader(path, format)


class TableReader:
    """The rows of a table file, each as many cells as `columns`, all text. Every iteration reads from the top."""

    columns: tuple[str, ...]  # spelled as in the file; "" for the one that has no name

    def __init__(self, path: Path, format: TableFormat):
        self._path, self._format = path, format
        self._text = format.kind == "text"
        self._unit = "Line" if self._text else "Row"
        self._records: Records | None = self._start()

    @property
    def notices(self) -> list[Notice]:
        """What was accepted but should be known; complete once iteration has ended."""
        return [Notice(reason, dict(details)) for reason, details in self._told.items()]

    def __iter__(self) -> Iterator[list[str]]:
        records, self._records = self._records or self._start(), None
        width, empty = len(self.columns), True
        for line, cells in records:
            row = cells if len(cells) == width else self._fitted(line, cells)
            if row is not None:
                empty = False
                yield row
        if empty:
            if self._format.kind == "parquet":
                raise TableError("no_rows_parquet")
            raise TableError("no_rows", {"unit": self._unit, "line": self._header})

    def _start(self) -> Records:
        """The records below the header, which is read."""
        self._told: dict[str, dict[str, object]] = {}
        records = self._open()
        for line, cells in records:
            if any(map(str.strip, cells)):
                self._read_header(line, cells)
                return records
            self._tell("blank_lines", line)
        raise TableError("no_content")

    def _open(self) -> Records:
        if self._format.kind == "xlsx":
            return xlsx_records(self._path, self._format.sheet)
        if self._format.kind == "parquet":
            return parquet_records(self._path)
        self._codec = codec_of(self._path, self._format.encoding or encoding_of(self._path))
        return TextFile(self._path, self._codec, self._format.delimiter).records()

    def _read_header(self, line: int, cells: list[str]) -> None:
        self._header = line
        names = [name if name.strip() else "" for name in cells]
        self._named = len(names)  # columns of the header, those without a name included
        if names.count("") > 1:
            while not names[-1]:
                names.pop()
        if dropped := self._named - len(names):
            self._tell("unnamed_columns_dropped", line, dropped)
        if len(names) > MAX_COLUMNS:
            raise TableError("too_many_columns", {"line": line, "found": len(names), "limit": MAX_COLUMNS})
        self._check_delimiter(line, names)
        positions: dict[str, int] = {}
        for position, name in enumerate(names, 1):
            first = positions.setdefault(name.strip(), position)
            if first != position:
                reason = "duplicate_columns" if name else "unnamed_columns"
                raise TableError(reason, {"line": line, "first": first, "second": position, "name": name.strip()[:80]})
        self.columns = tuple(names)

    def _check_delimiter(self, line: int, names: list[str]) -> None:
        """TableError if the delimiter asked for leaves the header whole and another divides it."""
        chosen = self._format.delimiter
        if self._text and chosen and len(names) == 1:
            actual = delimiter_of(self._path, self._codec)
            if actual not in (chosen, None) and actual in names[0]:  # not one that the rows below alone hold
                shown = {"\t": "tab"}
                details = {"chosen": shown.get(chosen, chosen), "actual": shown.get(actual, actual)}
                raise TableError("wrong_delimiter", {"line": line, **details})

    def _fitted(self, line: int, cells: list[str]) -> list[str] | None:
        """The record as wide as the header, None if it is blank; TableError if that would lose a value."""
        width = len(self.columns)
        if not cells or (len(cells) == 1 and not cells[0].strip()):
            self._tell("blank_lines", line)
            return None
        for column, cell in enumerate(cells[width:], width + 1):
            if cell and self._text and column > self._named:
                raise TableError("too_many_cells", {"line": line, "found": len(cells), "expected": width})
            if cell:
                raise TableError("unnamed_cell", {"unit": self._unit, "line": line, "column": column})
        if self._text and len(cells) > self._named:
            self._tell("extra_empty_cells", line)
        if self._text and len(cells) < width:
            self._tell("filled", line)
        return cells[:width] + [""] * (width - len(cells))

    def _tell(self, reason: str, line: int, count: int = 1) -> None:
        details = self._told.setdefault(reason, {"unit": self._unit.lower(), "line": line, "count": 0, "lines": []})
        details["count"] += count
        if len(details["lines"]) < _LINES_KEPT:
            details["lines"].append(line)
