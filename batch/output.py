"""Results as the files people take away: the table they brought, then what was found. Parts pass through one by one."""

import csv
import os
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from batch.outcome import EARLIER_TOP, TOP, part_schema
from model.taxonomy import Taxonomy
from preprocessing.columns import Columns
from preprocessing.errors import InputError
from preprocessing.table import escape

FORMATS = ("csv", "csv-excel", "xlsx", "parquet", "submission")
_RANKS = ("", "second_", "third_")
OURS = (
    *(f"rayon_{rank}{field}" for rank in _RANKS for field in ("code", "label", "confidence")),
    *("rayon_inputs", "rayon_picture", "rayon_model"),
)
DECIDED = (
    *("rayon_decision", "rayon_decided_code", "rayon_decided_label"),
    *("rayon_final_code", "rayon_final_label"),
)
"""More columns where people have decided: what and on which category; the final one is that, else the first found."""
DECISIONS = pa.schema([("decision", pa.string()), ("decided_code", pa.int64())])
"""What each part has behind its own columns then; null where nobody has decided, or on no category."""

_BATCH = 4096  # rows turned into Python objects at a time
_XLSX_ROWS, _XLSX_COLUMNS, _XLSX_LENGTH = 1_048_576, 16_384, 32_767
# What XML cannot hold or would change, and an underscore that would read as the start of an escaped character.
_ILLEGAL = "\\x00-\\x08\\x0b-\\x1f\ud800-\udfff\ufffe\uffff"
_TO_ESCAPE = re.compile(f"[{_ILLEGAL}]|_(?=x[0-9A-Fa-f]{{4}}[_{_ILLEGAL}])")
_PLAIN = re.compile(r"[\w .-]*")
_SENTENCES = {
    "unknown_format": "There is no format {format!r}: take one of {formats}.",
    "no_id": "A submission needs each row's id, and no column holds it: name it `id`, or leave the name of the first "
    "column empty as the challenge does.",
    "too_many_rows": "The result has more than {limit} rows, all that an XLSX sheet holds: take CSV or Parquet.",
    "too_many_columns": "The result has {columns} columns and an XLSX sheet holds {limit}: take CSV or Parquet.",
    "incomplete": "The result has {found} rows and the table {expected}: classify the table again.",
    "cell_too_long": "Row {row}, column {column!r}: {length} characters, and an XLSX cell holds {limit}: take CSV or "
    "Parquet.",
}


class OutputError(InputError):
    """A result that a format cannot hold: `reason` names the cause, `details` fills in a translated message."""

    SENTENCES = _SENTENCES


def result_columns(names: Sequence[str], decided: bool = False) -> list[str]:
    """The columns of a result: the table's, less those of an earlier result, then OURS, then DECIDED if wanted."""
    return [*(names[i] for i in _kept(names, decided)), *_added(decided)]


def _added(decided: bool) -> tuple[str, ...]:
    return (*OURS, *DECIDED) if decided else OURS


def _kept(names: Sequence[str], decided: bool) -> list[int]:
    """Places of the columns that are none of ours."""
    return [i for i, name in enumerate(names) if name.strip() not in _added(decided)]


def check(columns: Sequence[str], roles: Columns, rows: int, format: str, decided: bool = False) -> None:
    """Raises OutputError for what can be known before there is a result: that the format cannot hold it."""
    if format not in FORMATS:
        raise OutputError("unknown_format", {"format": format, "formats": ", ".join(FORMATS)})
    if format == "submission" and roles.id is None:
        raise OutputError("no_id")
    if format == "xlsx" and rows >= _XLSX_ROWS:
        raise OutputError("too_many_rows", {"limit": _XLSX_ROWS - 1})
    if format == "xlsx" and (width := len(result_columns(columns, decided))) > _XLSX_COLUMNS:
        raise OutputError("too_many_columns", {"columns": width, "limit": _XLSX_COLUMNS})


def write(
    parts: Iterable[pa.Table],
    columns: Sequence[str],
    roles: Columns,
    taxonomy: Taxonomy,
    model: str,
    language: str,
    format: str,
    path: Path,
    rows: int | None = None,
    decided: bool = False,
) -> int:
    """Writes the parts of a table with these columns, in one of FORMATS; the number of rows.

    `model` names the model's version; labels are in `language`. A file at `path` is replaced once all is written,
    and left as it is by an OutputError, which there is too when they are not as many as `rows`. `decided`: the parts
    have DECISIONS as well, which become DECIDED, and the code of a submission.
    """
    check(columns, roles, 0, format, decided)
    result = _Result(parts, columns, roles, taxonomy, model, language, decided)
    writer = {"xlsx": _write_xlsx, "parquet": _write_parquet, "submission": _write_submission}.get(format)
    unfinished = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        found = writer(result, unfinished) if writer else _write_csv(result, unfinished, format == "csv-excel")
        if rows not in (None, found):
            raise OutputError("incomplete", {"found": found, "expected": rows})
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return found


@dataclass(frozen=True)
class _Result:
    parts: Iterable[pa.Table]
    columns: Sequence[str]
    roles: Columns
    taxonomy: Taxonomy
    model: str
    language: str
    decided: bool

    @cached_property
    def header(self) -> list[str]:
        return result_columns(self.columns, self.decided)

    @property
    def added(self) -> tuple[str, ...]:
        """Names of the columns behind the table's own."""
        return _added(self.decided)

    @cached_property
    def _labels(self) -> dict[int | None, str | None]:
        return {None: None, **{category.code: category.label(self.language) for category in self.taxonomy.categories}}

    def tables(self) -> Iterator[pa.Table]:
        """The parts, each found to belong to these columns."""
        more = DECISIONS.names if self.decided else []
        known = [part_schema(len(self.columns), top).names + more for top in (TOP, EARLIER_TOP)]
        for table in self.parts:
            if table.column_names not in known:
                raise ValueError(f"a part has the columns {table.column_names}, not {known[0]}")
            yield table

    def batches(self) -> Iterator[list[list]]:
        """Rows as Python objects, some at a time and column by column."""
        for table in self.tables():
            for start in range(0, len(table), _BATCH):
                batch = table.slice(start, _BATCH)
                yield [column.to_pylist() for column in self.originals(batch)] + self.ours(batch)

    def originals(self, table: pa.Table) -> list[pa.ChunkedArray]:
        """The table's own columns, less those of an earlier result."""
        return [table[f"c{i}"] for i in _kept(self.columns, self.decided)]

    def final(self, table: pa.Table) -> list[int]:
        """The category of each row: the one decided on, else the first found."""
        if not self.decided:
            return table["code1"].to_pylist()
        pairs = zip(table["decided_code"].to_pylist(), table["code1"].to_pylist(), strict=True)
        return [found if decided is None else decided for decided, found in pairs]

    def ours(self, table: pa.Table) -> list[list]:
        """Values of what is added, by column: codes int, labels text, confidences float; None where there is none."""
        found: list[list] = []
        for rank in range(1, len(_RANKS) + 1):
            codes = table[f"code{rank}"].to_pylist()
            found += [codes, [self._labels[code] for code in codes], table[f"probability{rank}"].to_pylist()]
        found += [table["inputs"].to_pylist(), table["picture"].to_pylist(), [self.model] * len(table)]
        if self.decided:
            found.append(table["decision"].to_pylist())
            for codes in (table["decided_code"].to_pylist(), self.final(table)):
                found += [codes, [self._labels.get(code) for code in codes]]  # perhaps decided by another taxonomy
        return found


# --- text ---------------------------------------------------------------------------------------------------


def _write_csv(result: _Result, path: Path, excel: bool) -> int:
    point = "," if excel and result.language == "fr" else "."  # where French Excel takes 0.9 for text

    def text(value: str | int | float | None) -> str:
        if isinstance(value, float):
            return f"{value:.4f}".replace(".", point)
        return "" if value is None else escape(str(value))

    def rows() -> Iterator[Iterable[str]]:
        yield map(escape, result.header)
        for batch in result.batches():
            yield from zip(*[[text(value) for value in column] for column in batch], strict=True)

    return _write_rows(path, rows(), "utf-8-sig" if excel else "utf-8", ";" if excel else ",")


def _write_submission(result: _Result, path: Path) -> int:
    """The challenge's file: each row's id and its code."""
    column = f"c{list(result.columns).index(result.roles.id)}"

    def rows() -> Iterator[Iterable[str | int]]:
        yield "", "prdtypecode"
        for table in result.tables():
            yield from zip(map(escape, table[column].to_pylist()), result.final(table), strict=True)

    return _write_rows(path, rows(), "utf-8", ",")


def _write_rows(path: Path, rows: Iterator[Iterable], encoding: str, delimiter: str) -> int:
    """Writes the rows, the first of which is the header; how many follow it."""
    with path.open("w", encoding=encoding, newline="") as file:
        # "\r\n" also makes the writer quote a lone "\r", which readers take for the end of a line.
        writer = partial(csv.writer, file, delimiter=delimiter, lineterminator="\r\n")
        header = list(next(rows))
        # Quoted whole, a header is not taken for one with another delimiter, nor with a byte order mark.
        plain = all(map(_PLAIN.fullmatch, header))
        writer(quoting=csv.QUOTE_MINIMAL if plain else csv.QUOTE_ALL).writerow(header)
        write_row, count = writer().writerow, 0
        for row in rows:
            write_row(row)
            count += 1
    return count


# --- XLSX and Parquet ---------------------------------------------------------------------------------------


def _write_xlsx(result: _Result, path: Path) -> int:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Rayon")
    sheet.freeze_panes = "A2"
    rows = (zip(*batch, strict=True) for batch in result.batches())
    count = -1
    try:
        for count, row in enumerate(chain([result.header], chain.from_iterable(rows))):
            if count == _XLSX_ROWS:
                raise OutputError("too_many_rows", {"limit": _XLSX_ROWS - 1})
            cells = []
            for value, name in zip(row, result.header, strict=True):
                cells.append(_cell(sheet, value, count, name) if isinstance(value, str) else value)
            sheet.append(cells)
        book.save(path)
    except BaseException:  # openpyxl would keep its temporary file until the process ends
        with suppress(Exception):
            sheet.close()
        with suppress(Exception):
            sheet._writer.cleanup()
        raise
    return count


def _cell(sheet: WriteOnlyWorksheet, text: str, row: int, column: str) -> Cell | str | None:
    """Text as text, also where openpyxl would take it for a formula ("=1+1") or an error ("#N/A")."""
    escaped = xlsx_text(text)
    length = len(escaped) if len(escaped) < _XLSX_LENGTH // 2 else len(escaped.encode("utf-16-le")) // 2
    if length > _XLSX_LENGTH:
        raise OutputError("cell_too_long", {"row": row, "column": column[:80], "length": length, "limit": _XLSX_LENGTH})
    if not escaped.startswith(("=", "#")):
        return escaped or None
    cell = WriteOnlyCell(sheet, escaped)
    cell.data_type = "s"
    return cell


def xlsx_text(text: str) -> str:
    """The text as XLSX files write it: "_x0001_" for a character they cannot hold, "_x005F_x0001_" for that text."""
    return _TO_ESCAPE.sub(lambda match: f"_x{ord(match[0]):04X}_", text)


def _write_parquet(result: _Result, path: Path) -> int:
    numbers = {"code": pa.int32(), "confidence": pa.float32()}
    decided = dict.fromkeys(("rayon_decided_code", "rayon_final_code"), pa.int64())
    own = len(result.header) - len(result.added)
    types = [pa.string()] * own
    types += [decided.get(name) or numbers.get(name.rsplit("_", 1)[1], pa.string()) for name in result.added]
    schema = pa.schema(zip(result.header, types, strict=True))
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in result.tables():
            ours = map(pa.array, result.ours(table), types[own:])
            writer.write_table(pa.Table.from_arrays([*result.originals(table), *ours], schema=schema))
            count += len(table)
    return count
