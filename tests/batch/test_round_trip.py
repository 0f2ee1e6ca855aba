"""Whatever a table holds comes back as it was, the answers behind it: read, classified, written, read again."""

import csv
import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch.classify import Plan, Worker
from batch.output import OURS, write
from batch.parts import Parts
from model.exported import export_folder
from model.taxonomy import default_taxonomy
from preprocessing.columns import match_columns
from preprocessing.table import TableFormat, detect, open_table
from settings import SHIPPED_BUNDLE

ROLES = ["designation", "description", "image", "id"]
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
dangerous = st.builds(lambda a, b: a + b, st.sampled_from(["=", "+", "-", "@", "\t", "\r", "'=", "''+", "＝"]), text)
cell = st.one_of(text, dangerous, st.sampled_from(["007", "1e5", "-12,5", "a\nb", "a\r\nb", '"', "canapé d'angle", ""]))


@st.composite
def tables(draw) -> tuple[list[str], list[list[str]]]:
    names = draw(st.lists(text.filter(str.strip), max_size=3, unique_by=str.strip))
    # What reads as another role would leave a row's text unread, which is not what is looked at here.
    names = [name for name in names if not any(getattr(match_columns([name]), role) for role in ROLES)]
    header = ["designation", *(name for name in names if name.strip() != "designation" and name not in OURS)]
    row = st.lists(cell, min_size=len(header), max_size=len(header))
    rows = draw(st.lists(row.filter(lambda cells: len(cells) > 1 or cells[0].strip()), min_size=1, max_size=6))
    return header, rows


class Desk:
    """A worker whose table changes; its model stays."""

    def __init__(self, exports: Path, folder: Path) -> None:
        self._folder, self._number = folder, itertools.count()
        export = export_folder(SHIPPED_BUNDLE, exports)
        self._plan = {"bundle": str(SHIPPED_BUNDLE), "export": str(export), "pictures": None}
        columns = match_columns(["designation"])
        plan = Plan(header=("designation",), columns=columns, parts=str(folder / "none"), **self._plan)
        self._predictor = Worker(plan).predictor

    def classify(self, table: Path, format: TableFormat) -> tuple[Parts, tuple[str, ...]]:
        """Every row, two by two."""
        reader = open_table(table, format)
        place = str(self._folder / str(next(self._number)))
        columns = match_columns(reader.columns)
        plan = Plan(header=reader.columns, columns=columns, parts=place, **self._plan)
        Parts(place).create()
        worker = Worker(plan, self._predictor)
        rows = list(reader)
        for number, start in enumerate(range(0, len(rows), 2)):
            worker.run(number, rows[start : start + 2])
        return Parts(place), reader.columns


@pytest.fixture(scope="module")
def desk(exports, tmp_path_factory) -> Desk:
    return Desk(exports, tmp_path_factory.mktemp("desk"))


@pytest.mark.parametrize("out", ["csv", "csv-excel", "xlsx", "parquet"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables(), st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_any_table_comes_back(desk, tmp_path, out, table, delimiter, encoding) -> None:
    header, rows = table
    path, result = tmp_path / "in.csv", tmp_path / "out"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *rows])
    format = TableFormat("text", encoding, delimiter)
    brought = open_table(path, format)
    before = list(brought)
    parts, columns = desk.classify(path, format)
    taxonomy = default_taxonomy()
    assert write(parts.all(), columns, match_columns(columns), taxonomy, "open-1", "fr", out, result) == len(before)
    again = open_table(result, detect(result, "out"))
    assert again.columns == (*brought.columns, *OURS)
    found = list(again)
    assert [row[: len(header)] for row in found] == before
    codes = [row[len(header)] for row in found]
    assert set(map(int, codes)) <= set(taxonomy.codes)
