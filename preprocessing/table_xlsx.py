"""XLSX → records of text, a row at a time. The archive is hostile until proven otherwise, and so is its XML."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from defusedxml.ElementTree import fromstring
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import from_excel
from openpyxl.worksheet._reader import DATA_TAG, FORMULA_TAG, ROW_TAG, VALUE_TAG, WorkSheetParser
from openpyxl.xml.constants import ARC_STYLE, SHARED_STRINGS, SHEET_MAIN_NS

from preprocessing.packed_xml import MAX_ELEMENT, ElementTooLong, PackedXml
from preprocessing.table_common import Records, TableError, check_cells, number_text

MAX_STRINGS = 512 << 20  # bytes of the part that holds the distinct strings: they stay in memory
_LAST_ROW, _LAST_COLUMN = 1_048_576, 16_384  # of a sheet, by the format

_MAIN = f"{{{SHEET_MAIN_NS}}}"
_STRINGS_TAG, _STRING_TAG, _TEXT_TAG, _RUN_TAG = (f"{_MAIN}{name}" for name in ("sst", "si", "t", "r"))
_STRICT = b"http://purl.oclc.org/ooxml"  # the namespace of a variant that openpyxl does not read
# How the format writes characters that XML cannot hold. Halves of surrogate pairs and NUL are no text.
_ESCAPED = re.compile(r"_x(?!D[89A-F]|0000)([0-9A-F]{4})_", re.IGNORECASE)


def sheets(path: Path) -> list[str]:
    """The names of the workbook's sheets, hidden ones too, in its order; TableError if it is none."""
    with _opened(path) as workbook:
        return [name for name, _, _ in workbook.tables]


def first_sheet(path: Path) -> str:
    """The first sheet that holds anything, hidden ones last; TableError if none does."""
    with _opened(path) as workbook:
        for name, _, part in sorted(workbook.tables, key=lambda table: table[1] != "visible"):
            if any(any(cells) for _, cells in workbook.rows(part, _AnyString())):
                return name
    raise TableError("no_content")


def xlsx_records(path: Path, sheet: str | None) -> Records:
    """Each row of the sheet by its number, without empty cells at its end; a row left out is one without cells."""
    sheet = first_sheet(path) if sheet is None else sheet
    with _opened(path) as workbook:
        parts = {name: part for name, _, part in workbook.tables}
        if sheet not in parts:
            known = ", ".join(f"“{name}”" for name in [*parts][:20])
            raise TableError("sheet_missing", {"sheet": sheet, "sheets": known})
        last = 0
        for line, cells in workbook.rows(parts[sheet], workbook.strings()):
            yield from ((missing, []) for missing in range(last + 1, line))
            check_cells(cells, line)
            yield line, cells
            last = line


@contextmanager
def _opened(path: Path) -> Iterator["_Workbook"]:
    with path.open("rb") as file, _damage(), PackedXml(file) as archive:
        yield _Workbook(archive)


@contextmanager
def _damage(line: Callable[[], int] | None = None) -> Iterator[None]:
    """Whatever goes wrong becomes a TableError, behind the row that `line` gives if there is one."""
    try:
        yield
    except (TableError, MemoryError):
        raise
    except Exception as error:  # on bad bytes zipfile, expat and openpyxl raise a dozen types with no common base
        at = line() if line else 0
        if line and isinstance(error, ElementTooLong):
            raise TableError("row_too_long", {"unit": "Row", "line": at + 1, "limit": MAX_ELEMENT}) from error
        where = {"line": at} if at else {}
        raise TableError("damaged_row" if at else "damaged", {"format": "XLSX", **where}) from error


class _Workbook(ExcelReader):
    """What a table needs of a workbook: its sheets, their rows, the strings. Charts, themes, links are left alone."""

    def __init__(self, archive: PackedXml):
        self.archive = archive
        self.valid_files = archive.namelist()
        self.read_only = self.data_only = True
        self.keep_vba = self.keep_links = self.rich_text = False
        self.read_manifest()
        self.read_workbook()
        if _STRICT in archive.read(self.parser.workbook_part_name):
            raise TableError("wrong_kind", {"format": "XLSX of the kind “Strict Open XML”"})
        self.dates, self.durations = _moment_styles(archive)
        self.tables = [
            (sheet.name, sheet.state, relation.target)
            for sheet, relation in self.parser.find_sheets()
            if relation.Type.endswith("/worksheet")
        ]
        if not self.tables:
            raise TableError("no_content")

    def strings(self) -> list[str]:
        """The strings that cells refer to, without the pronunciation that may go with them."""
        part = self.package.find(SHARED_STRINGS)
        if part is None:
            return []
        name = part.PartName[1:]
        self.archive.check_size(name, MAX_STRINGS)
        return [_string(element) for element in self.archive.elements(name, _STRINGS_TAG, _STRING_TAG)]

    def rows(self, part: str, strings) -> Iterator[tuple[int, list[str]]]:
        """The rows that the sheet's XML holds, with their numbers."""
        parser = _CellParser(None, strings, data_only=True)
        with _damage(lambda: parser.row_counter):
            last = 0
            for element in self.archive.elements(part, DATA_TAG, ROW_TAG):
                line, found = parser.parse_row(element)
                parser.row_dimensions.clear()
                if not last < line <= _LAST_ROW:
                    raise ValueError(f"row {line} after row {last}")
                last = line
                cells = [""] * found[-1]["column"] if found else []
                for cell in found:
                    cells[cell["column"] - 1] = self._text(cell)
                while cells and not cells[-1]:
                    cells.pop()
                yield line, cells

    def _text(self, cell: dict) -> str:
        value, style = cell["value"], cell["style_id"]
        if cell["data_type"] == "n" and style in self.dates and value is not None:
            value = self._moment(value, style in self.durations)
        if isinstance(value, str):
            return value if cell["data_type"] == "e" else _ESCAPED.sub(lambda match: chr(int(match[1], 16)), value)
        return _written(value)

    def _moment(self, value: float, is_duration: bool) -> object:
        try:
            return from_excel(value, self.wb.epoch, timedelta=is_duration)
        except (OverflowError, ValueError):  # a number shown as a date that it is too large for
            return value


class _CellParser(WorkSheetParser):
    """openpyxl's reader of cells, strict where it would lose one."""

    def parse_row(self, row):
        self.last_column = 0
        return super().parse_row(row)

    def parse_cell(self, element):
        cell = super().parse_cell(element)
        if not self.last_column < cell["column"] <= _LAST_COLUMN:
            raise ValueError(f"column {cell['column']} after column {self.last_column}")
        self.last_column = cell["column"]
        cached = element.findtext(VALUE_TAG) or (element.get("t") == "str" and element.find(VALUE_TAG) is not None)
        if not cached and element.find(FORMULA_TAG) is not None:
            details = {"line": self.row_counter, "cell": element.get("r", f"{self.last_column}")}
            raise TableError("formula_without_value", details)
        return cell


class _AnyString:
    """Stands for the strings of a workbook where it only matters that there is one."""

    def __getitem__(self, index: int) -> str:
        return "…"


def _moment_styles(archive: PackedXml) -> tuple[set[int], set[int]]:
    """Which cell styles show a number as a date or time, and which of these as a duration."""
    if ARC_STYLE not in archive.namelist():
        return set(), set()
    styles = fromstring(archive.read(ARC_STYLE), forbid_dtd=True)
    formats = styles.iterfind(f"{_MAIN}numFmts/{_MAIN}numFmt")
    codes = BUILTIN_FORMATS | {int(each.get("numFmtId")): each.get("formatCode") for each in formats}
    used = [codes.get(int(each.get("numFmtId", 0))) for each in styles.iterfind(f"{_MAIN}cellXfs/{_MAIN}xf")]
    dates = {style for style, code in enumerate(used) if is_date_format(code)}
    return dates, {style for style in dates if is_timedelta_format(used[style])}


def _string(element) -> str:
    runs = element.iterfind(f"{_RUN_TAG}/{_TEXT_TAG}")
    return "".join(text.text or "" for text in (*element.iterfind(_TEXT_TAG), *runs))


def _written(value: object) -> str:
    """A value that is no string, as people write it: dates as ISO 8601 does."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).upper()
        case float():
            return number_text(value)
        case dt.datetime():
            return value.isoformat().removesuffix("T00:00:00")
        case dt.timedelta():
            seconds = abs(value) // dt.timedelta(seconds=1)
            sign = "-" if value < dt.timedelta(0) else ""
            return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        case dt.date() | dt.time():
            return value.isoformat()
    return str(value)
