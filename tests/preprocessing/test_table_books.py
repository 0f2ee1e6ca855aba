"""XLSX and Parquet as ordinary programs write them."""

import datetime as dt
import io
import tracemalloc
from decimal import Decimal

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.cell import WriteOnlyCell

from preprocessing import table_xlsx
from preprocessing.table import TableError, TableFormat, detect, open_table, sheets
from tests.hostile.workbooks import HEADER, cell, parts, row, sheet, strings, zipped

MANY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NOON, ZONE = dt.datetime(2024, 3, 1, 12, 30), dt.timezone(dt.timedelta(hours=2))


def rows_of(path):
    reader = open_table(path, detect(path, "table.csv"))
    assert reader.notices == []
    return [list(reader.columns), *reader]


def saved(path, *rows, title="Feuil1", **more):
    book = openpyxl.Workbook()
    book.active.title = title
    for each in rows:
        book.active.append(each)
    for name, others in more.items():
        page = book.create_sheet(name)
        for each in others:
            page.append(each)
    book.save(path)
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "table"


def test_values_of_a_sheet_become_text_as_people_write_it(path):
    saved(
        path,
        ["id", 2024, "n", "date", "moment", "time", "duration"],
        ["007", True, 12.0, dt.date(2024, 3, 1), NOON, dt.time(8, 5), dt.timedelta(hours=30)],
        ["1e5", False, 12.5, dt.datetime(2024, 3, 1), None, None, None],
        [3350000000001, "#N/A", -0.1, 10**20, "'=2", "", "é’"],
    )
    assert rows_of(path) == [
        ["id", "2024", "n", "date", "moment", "time", "duration"],
        ["007", "TRUE", "12", "2024-03-01", "2024-03-01T12:30:00", "08:05:00", "30:00:00"],
        ["1e5", "FALSE", "12.5", "2024-03-01", "", "", ""],
        ["3350000000001", "#N/A", "-0.1", "100000000000000000000", "'=2", "", "é’"],
    ]


def test_a_formula_that_openpyxl_wrote_has_no_value_yet(path):
    saved(path, ["a", "b"], [1, "=A2+1"])
    with pytest.raises(TableError, match=r"^Row 2: cell B2 holds a formula"):
        rows_of(path)


def test_the_sheet_can_be_chosen(path):
    saved(path, title="Vide", Produits=[["nom"], ["TV"]], Prix=[["prix"], [5]])
    assert sheets(path) == ["Vide", "Produits", "Prix"]
    assert detect(path, "x.csv") == TableFormat("xlsx", sheet="Produits")
    assert list(open_table(path, TableFormat("xlsx"))) == [["TV"]]
    assert list(open_table(path, TableFormat("xlsx", sheet="Prix"))) == [["5"]]
    with pytest.raises(TableError, match="“Vide”, “Produits”, “Prix”"):
        open_table(path, TableFormat("xlsx", sheet="Stock"))


def test_distinct_strings_have_a_bound_because_they_stay_in_memory(path, monkeypatch):
    text = strings("<si><t>TV</t></si>")
    path.write_bytes(zipped(parts({"S": sheet(HEADER, row(2, cell("A2", 0, "s")))}, text)))
    assert rows_of(path)[1] == ["TV", ""]
    monkeypatch.setattr(table_xlsx, "MAX_STRINGS", len(text) - 1)
    with pytest.raises(TableError) as caught:
        open_table(path, TableFormat("xlsx"))
    assert caught.value.reason == "zip_bomb"


def test_memory_does_not_grow_with_the_rows_of_a_sheet(path):
    def peak(count):
        rows = (row(n, cell(f"A{n}", n), cell(f"B{n}", n)) for n in range(2, count + 2))
        path.write_bytes(zipped(parts({"S": sheet(HEADER, *rows)})))
        tracemalloc.start()
        try:
            assert sum(1 for _ in open_table(path, TableFormat("xlsx", sheet="S"))) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(20_000) < peak(2_000) + 500_000  # a row that was kept would take more than 25 bytes


def test_sheets_of_another_file_are_refused(path):
    path.write_bytes(b"a,b\n1,2\n")
    with pytest.raises(TableError) as caught:
        sheets(path)
    assert caught.value.reason == "damaged"


def test_the_system_of_dates_is_heeded(path):
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.active.append(["date"])
    book.active.append([dt.date(2024, 3, 1)])
    book.save(path)
    assert rows_of(path)[1] == ["2024-03-01"]


def test_columns_of_every_kind_become_text(path):
    values = {
        "text": pa.array(["007", None]),
        "large": pa.array(["é", "x"], pa.large_string()),
        "view": pa.array(["a", "b"], pa.string_view()),
        "kind": pa.array(["a", None]).dictionary_encode(),
        "int": pa.array([2**63, None], pa.uint64()),
        "float": pa.array([123.0, float("nan")]),
        "big": pa.array([1e20, 1.5e-7]),
        "single": pa.array([0.1, 16777216.0], pa.float32()),
        "half": pa.array([1.5, None], pa.float16()),
        "decimal": pa.array([Decimal("12.50"), Decimal("-0.01")], pa.decimal128(10, 2)),
        "bool": pa.array([True, None]),
        "date": pa.array([NOON.date(), None]),
        "moment": pa.array([NOON, dt.datetime(2024, 3, 1)], pa.timestamp("ns")),
        "zoned": pa.array([NOON.replace(tzinfo=ZONE), None], pa.timestamp("us", "Europe/Nowhere")),
        "time": pa.array([dt.time(8, 5, 0, 500_000), None]),
        "length": pa.array([dt.timedelta(milliseconds=90_500), None], pa.duration("ms")),
        "null": pa.nulls(2),
    }
    pq.write_table(pa.table(values), path)
    header, first, second = rows_of(path)
    assert header == list(values)
    assert dict(zip(header, first, strict=True)) == {
        "text": "007",
        "large": "é",
        "view": "a",
        "kind": "a",
        "int": "9223372036854775808",
        "float": "123",
        "big": "100000000000000000000",
        "single": "0.1",
        "half": "1.5",
        "decimal": "12.50",
        "bool": "TRUE",
        "date": "2024-03-01",
        "moment": "2024-03-01T12:30:00",
        "zoned": "2024-03-01T10:30:00Z",
        "time": "08:05:00.5",
        "length": "PT90.5S",
        "null": "",
    }
    assert dict(zip(header, second, strict=True)) == dict.fromkeys(header, "") | {
        "large": "x",
        "view": "b",
        "big": "1.5e-07",
        "single": "16777216",
        "decimal": "-0.01",
        "moment": "2024-03-01",
    }


def test_rows_of_many_batches_keep_their_order(path):
    pq.write_table(pa.table({"n": range(2000)}), path, row_group_size=300)
    assert [row[0] for row in open_table(path, TableFormat("parquet"))] == [str(n) for n in range(2000)]


any_text = st.text(st.characters(codec="utf-8"), max_size=12)
# XML holds no control characters, and makes one line feed of every line end; "_x0041_" is how Excel writes an "A".
sheet_text = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cc"], exclude_characters="_\ufffe\uffff", include_characters="\t\n"
    ),
    max_size=12,
)


def tables(cells):
    header = st.lists(cells.filter(str.strip), min_size=1, max_size=4, unique_by=str.strip)
    return header.flatmap(
        lambda names: st.lists(
            st.lists(cells, min_size=len(names), max_size=len(names)).filter(lambda row: any(map(str.strip, row))),
            min_size=1,
            max_size=5,
        ).map(lambda rows: [names, *rows])
    )


@MANY
@given(tables(sheet_text))
def test_any_sheet_of_text_comes_back(path, table):
    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet()
    for texts in table:
        cells = [WriteOnlyCell(page, value=text) for text in texts]
        for each in cells:
            each.data_type = "s"
        page.append(cells)
    book.save(path)
    assert rows_of(path) == table


@MANY
@given(tables(any_text))
def test_any_parquet_of_text_comes_back(path, table):
    names, *rows = table
    arrays = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=names), buffer)
    path.write_bytes(buffer.getvalue())
    assert rows_of(path) == table
