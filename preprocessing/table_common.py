"""What every kind of table file shares: its bounds, what is told about it, and why it is refused."""

from collections.abc import Iterator
from dataclasses import dataclass

from preprocessing.errors import InputError

MAX_CELL = 1_000_000  # characters
MAX_COLUMNS = 1_000
MAX_ROW = 4_000_000  # characters of one record of text, all its lines together

# Records as they stand in the file, header first: (line of the text or row of the sheet where it starts, cells).
Records = Iterator[tuple[int, list[str]]]

_SENTENCES = {
    "empty": "The file is empty (0 bytes): send the table again.",
    "no_content": "The file holds nothing but blank lines or cells: send the table again.",
    "no_rows": "{unit} {line} is a header, and no row stands below it: send the table again.",
    "no_rows_parquet": "The Parquet file has columns and no row: send the table again.",
    "wrong_kind": "The file is {format}, not a table: unpack it or save it as CSV, XLSX or Parquet and send that.",
    "encrypted": "The {format} file is protected by a password: save it without one and send that.",
    "damaged": "The {format} file is damaged or cut short: export it or send it again.",
    "damaged_row": "Row {line}: the {format} file is damaged here: export it or send it again.",
    "zip_bomb": "The XLSX file unpacks to {megabytes} MB, above {limit_megabytes} MB or above {limit_ratio} times what "
    "it takes packed: save the table as CSV and send that.",
    "nul": "Line {line} holds a NUL character, so this is no plain text in the encoding chosen: choose UTF-16 if it "
    "is that, or export the table again.",
    "unknown_encoding": "Line {line}: the byte {byte} belongs to neither UTF-8 nor cp1252: choose the encoding, or "
    "save the file as UTF-8.",
    "mixed_encoding": "Line {line}: the byte {byte} is not UTF-8, while other parts of the file are: write the whole "
    "file in one encoding, or choose the encoding.",
    "bad_bytes": "Line {line}: the byte {byte} cannot be read as {encoding}: choose another encoding, or save the "
    "file as UTF-8.",
    "wrong_encoding": "The file is {actual}, not {chosen}: choose {actual}.",
    "not_utf16": "The file is not {chosen}, or does not say in which byte order it is: choose another encoding.",
    "wrong_delimiter": "The table is not divided by {chosen} but by {actual}, on line {line} already: choose {actual}.",
    "quote_open": "The quotation mark that opens a cell on line {line} is not closed, or not within {limit} "
    "characters: close it, or double it if it belongs to the text.",
    "text_after_quote": "The cell that a quotation mark opens on line {line} is closed on line {end} and yet goes on: "
    "double the quotation marks that belong to the text.",
    "cell_too_long": "{unit} {line} has a cell of more than {limit} characters: shorten it.",
    "row_too_long": "{unit} {line} is longer than {limit} characters: shorten it, or look for a missing line end.",
    "too_many_cells": "Line {line} has {found} cells where the header has {expected}: put quotation marks around the "
    "cells that hold the delimiter, or name the missing columns in the header.",
    "unnamed_cell": "{unit} {line} has a value in column {column}, which the header does not name: name the column "
    "or clear the cell.",
    "too_many_columns": "The header has {found} columns, above the limit of {limit}: keep those that matter.",
    "duplicate_columns": "Columns {first} and {second} of the header have the same name, “{name}”: rename one.",
    "unnamed_columns": "Columns {first} and {second} of the header have no name: one at most may do without.",
    "sheet_missing": "The workbook has no sheet “{sheet}”, only {sheets}: choose one of these.",
    "formula_without_value": "Row {line}: cell {cell} holds a formula whose result is not in the file: open the "
    "workbook in a spreadsheet program, save it and send that.",
    "column_type": "Column “{name}” holds values of the type {type}, which are no text: leave the column out or write "
    "it as text.",
}
_TOLD = {
    "blank_lines": "Blank lines were skipped: {count}, the first is {unit} {line}.",
    "filled": "Rows with too few cells were filled with empty ones: {count}, the first on {unit} {line}.",
    "extra_empty_cells": "Empty cells beyond the header were dropped in {count} rows, the first on {unit} {line}.",
    "unnamed_columns_dropped": "Unnamed empty columns at the end were dropped: {count} ({unit} {line}).",
}


class TableError(InputError):
    """A table that cannot be read: `reason` names the cause, `details` fills in a translated message.

    `details["line"]` is the line of the text (from 1), or the row of the sheet or Parquet file, wherever there is one.
    """

    SENTENCES = _SENTENCES


@dataclass(frozen=True, slots=True)
class Notice:
    """Something accepted that the user should know: `details` hold `count`, the first `line` and the first `lines`."""

    reason: str
    details: dict[str, object]

    def __str__(self) -> str:
        return _TOLD[self.reason].format(**self.details)


def number_text(value: float) -> str:
    """A float as people write it: a whole one without decimals, any other exactly, not-a-number as nothing."""
    if value != value:
        return ""
    return str(int(value)) if value.is_integer() else repr(value)


def check_cells(cells: list[str], line: int) -> None:
    """TableError if a cell of a sheet or Parquet row is too long."""
    if cells and len(max(cells, key=len)) > MAX_CELL:
        raise TableError("cell_too_long", {"unit": "Row", "line": line, "limit": MAX_CELL})
