"""What is wrong with a table, its pictures, a job or a result, in the language of the page; Markdown."""

from collections.abc import Mapping
from pathlib import PurePath

from batch.jobs import Problem
from batch.output import OutputError
from batch.picture_errors import PictureSourceError
from preprocessing.table import Notice, TableError
from ui.batch.names import DELIMITERS, ENCODINGS
from ui.language import N_, _, number
from ui.style import literal

TABLE = {
    "empty": N_("The file is empty (0 bytes): send the table again."),
    "no_content": N_("The file holds nothing but blank lines or cells: send the table again."),
    "no_rows": N_("{unit} {line} is a header, and no row stands below it: send the table again."),
    "no_rows_parquet": N_("The Parquet file has columns and no row: send the table again."),
    "wrong_kind": N_("The file is {format}, not a table: unpack it or save it as CSV, XLSX or Parquet and send that."),
    "encrypted": N_("The {format} file is protected by a password: save it without one and send that."),
    "damaged": N_("The {format} file is damaged or cut short: export it or send it again."),
    "damaged_row": N_("Row {line}: the {format} file is damaged here: export it or send it again."),
    "zip_bomb": N_(
        "The XLSX file unpacks to {megabytes} MB, above {limit_megabytes} MB or above {limit_ratio} times what it"
        " takes packed: save the table as CSV and send that."
    ),
    "nul": N_(
        "Line {line} holds a NUL character, so this is no plain text in the encoding chosen: choose UTF-16 if it "
        "is that, or export the table again."
    ),
    "unknown_encoding": N_(
        "Line {line}: the byte {byte} belongs to neither UTF-8 nor cp1252: choose the encoding, or save the file "
        "as UTF-8."
    ),
    "mixed_encoding": N_(
        "Line {line}: the byte {byte} is not UTF-8, while other parts of the file are: write the whole file in "
        "one encoding, or choose the encoding."
    ),
    "bad_bytes": N_(
        "Line {line}: the byte {byte} cannot be read as {encoding}: choose another encoding, or save the file as UTF-8."
    ),
    "wrong_encoding": N_("The file is {actual}, not {chosen}: choose {actual}."),
    "not_utf16": N_("The file is not {chosen}, or does not say in which byte order it is: choose another encoding."),
    "wrong_delimiter": N_(
        "The table is not divided by {chosen} but by {actual}, on line {line} already: choose {actual}."
    ),
    "quote_open": N_(
        "The quotation mark that opens a cell on line {line} is not closed, or not within {limit} characters: "
        "close it, or double it if it belongs to the text."
    ),
    "text_after_quote": N_(
        "The cell that a quotation mark opens on line {line} is closed on line {end} and yet goes on: double the "
        "quotation marks that belong to the text."
    ),
    "cell_too_long": N_("{unit} {line} has a cell of more than {limit} characters: shorten it."),
    "row_too_long": N_("{unit} {line} is longer than {limit} characters: shorten it, or look for a missing line end."),
    "too_many_cells": N_(
        "Line {line} has {found} cells where the header has {expected}: put quotation marks around the cells that"
        " hold the delimiter, or name the missing columns in the header."
    ),
    "unnamed_cell": N_(
        "{unit} {line} has a value in column {column}, which the header does not name: name the column or clear "
        "the cell."
    ),
    "too_many_columns": N_("The header has {found} columns, above the limit of {limit}: keep those that matter."),
    "duplicate_columns": N_("Columns {first} and {second} of the header have the same name, “{name}”: rename one."),
    "unnamed_columns": N_("Columns {first} and {second} of the header have no name: one at most may do without."),
    "sheet_missing": N_("The workbook has no sheet “{sheet}”, only {sheets}: choose one of these."),
    "formula_without_value": N_(
        "Row {line}: cell {cell} holds a formula whose result is not in the file: open the workbook in a "
        "spreadsheet program, save it and send that."
    ),
    "column_type": N_(
        "Column “{name}” holds values of the type {type}, which are no text: leave the column out or write it as text."
    ),
}
NOTICES = {
    "blank_lines": N_("Blank lines were skipped: {count}, the first is {unit} {line}."),
    "filled": N_("Rows with too few cells were filled with empty ones: {count}, the first on {unit} {line}."),
    "extra_empty_cells": N_("Empty cells beyond the header were dropped in {count} rows, the first on {unit} {line}."),
    "unnamed_columns_dropped": N_("Unnamed empty columns at the end were dropped: {count} ({unit} {line})."),
}
SOURCES = {
    "not_found": N_("There is no folder and no ZIP at “{place}”: check the address."),
    "address": N_("“{place}” is not an address that can be read ({error}): give a folder or a ZIP file."),
    "unreadable": N_("The pictures at “{place}” cannot be read ({error}): check the rights and the connection."),
    "not_a_zip": N_("“{place}” is not a ZIP file: put the pictures in a folder or in a ZIP."),
    "damaged_zip": N_("The ZIP “{place}” is damaged or cut short ({error}): make it or send it again."),
    "no_pictures": N_("“{place}” holds no picture: put JPEG, PNG, WebP, GIF or BMP files in it."),
    "too_many_entries": N_("“{place}” holds more than {limit} files, or names too long to list: split it."),
    "too_large": N_(
        "The files in “{place}” unpack to {gigabytes} GB, over the limit of {limit_gigabytes} GB: split it."
    ),
    "overlapping": N_("Files in the ZIP “{place}” lie over each other, as in a decompression bomb: make it again."),
}
OUTPUT = {
    "unknown_format": N_("There is no format “{format}”: take one of {formats}."),
    "no_id": N_(
        "A submission needs each row's id, and no column holds it: name it `id`, or leave the name of the first "
        "column empty as the challenge does."
    ),
    "too_many_rows": N_("The result has more than {limit} rows, all that an XLSX sheet holds: take CSV or Parquet."),
    "too_many_columns": N_("The result has {columns} columns and an XLSX sheet holds {limit}: take CSV or Parquet."),
    "incomplete": N_("The result has {found} rows and the table {expected}: classify the table again."),
    "cell_too_long": N_(
        "Row {row}, column “{column}”: {length} characters, and an XLSX cell holds {limit}: take CSV or Parquet."
    ),
}
PROBLEMS = {
    "table": N_("The table cannot be read any more."),
    "pictures": N_("The pictures cannot be read any more."),
    "model": N_("The model cannot be used. Tell whoever runs this server:"),
    "changed": N_("The model or the table is not the one the work began with: start over with the same file."),
    "crashed": N_("The program was stopped again and again; memory may be short. Try again, or tell whoever runs it:"),
    "unexpected": N_("Something went wrong that was not foreseen. Try again, or tell whoever runs this server:"),
}
_VALUES = {
    **ENCODINGS,
    **DELIMITERS,
    "Line": N_("Line"),
    "Row": N_("Row"),
    "line": N_("line"),
    "row": N_("row"),
    "HTML or XML": N_("HTML or XML"),
    "ZIP or XLSX": N_("ZIP or XLSX"),
    "an old Office document": N_("an old Office document"),
    "XLS (Excel before 2007)": N_("XLS (Excel before 2007)"),
}
"""Details that are words."""


def table_message(error: TableError) -> str:
    """What is wrong with a table and what to do about it."""
    return _filled(TABLE[error.reason], error.details)


def notice_message(notice: Notice) -> str:
    """What was accepted but should be known."""
    return _filled(NOTICES[notice.reason], notice.details)


def source_message(error: PictureSourceError) -> str:
    """What is wrong with a ZIP or folder; of its place on the server no more than the name is told."""
    place = PurePath(str(error.details["place"])).name
    return _filled(SOURCES[error.reason], {**error.details, "place": place})


def output_message(error: OutputError) -> str:
    """Why a format cannot hold the result."""
    return _filled(OUTPUT[error.reason], error.details)


def problem_message(problem: Problem) -> str:
    """Why a job failed."""
    if problem.kind == "table" and problem.reason:
        return table_message(TableError(problem.reason, dict(problem.details)))
    if problem.kind == "pictures" and problem.reason:
        return source_message(PictureSourceError(problem.reason, dict(problem.details)))
    return _(PROBLEMS[problem.kind])


def _filled(message: str, details: Mapping[str, object]) -> str:
    return _(message).format(**{name: _written(value) for name, value in details.items()})


def _written(value: object) -> str:
    if isinstance(value, float):
        return number(value, 1)
    if isinstance(value, int):
        return number(value)
    text = str(value)
    return literal(_(_VALUES[text]) if text in _VALUES else text)
