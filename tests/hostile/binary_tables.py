"""XLSX and Parquet files that would be misread, swallowed or fatal if read carelessly."""

import io
import random
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq

from preprocessing.table import MAX_CELL, TableFormat
from tests.hostile.tables import read, refused
from tests.hostile.workbooks import (
    HEADER,
    cell,
    declaring,
    locked,
    overlapping,
    parts,
    row,
    sheet,
    strings,
    text_cell,
    workbook,
    zipped,
)

NAMES = ["name", "price"]
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
STRINGS = "xl/sharedStrings.xml"
NOISE = random.Random(1).randbytes(2_500_000).hex()
LONG = sheet(HEADER, *(row(n, cell(f"A{n}", n)) for n in range(2, 20_000)))
TWO = parts({"Empty": sheet(row(1), row(9)), "Full": sheet(HEADER, row(2, text_cell("A2", "TV")))})


def parquet(names=("name",), columns=(("TV",),), types=None, **options):
    arrays = [pa.array(values, type) for values, type in zip(columns, types or [None] * len(columns), strict=True)]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=list(names)), buffer, **options)
    return buffer.getvalue()


def with_part(name, data, shared=None):
    return zipped(parts({"S": sheet(HEADER)}, shared) | {name: data})


def named(sheet_name):
    return TableFormat("xlsx", sheet=sheet_name)


WORKBOOKS = [
    read("xlsx called csv", workbook(row(2, text_cell("A2", "007"), cell("B2", 12))), NAMES, ["007", "12"]),
    read("csv called xlsx", b"a;b\n1;2\n", list("ab"), list("12"), file="t.xlsx"),
    read(
        "values of all kinds",
        workbook(
            row(2, cell("A2", "1.0"), cell("B2", "0.1")),
            row(3, cell("A3", 1, "b"), cell("B3", "#N/A", "e")),
            row(4, cell("A4", "1E+20"), cell("B4", "x", "str")),
        ),
        NAMES,
        ["1", "0.1"],
        ["TRUE", "#N/A"],
        ["100000000000000000000", "x"],
    ),
    read(
        "dates",
        workbook(
            row(2, '<c r="A2" s="1"><v>45352</v></c>', '<c r="B2" s="1"><v>45352.5</v></c>'),
            row(3, '<c r="A3" s="1"><v>3350000000001</v></c>', cell("B3", "2024-03-01", "d")),
        ),
        NAMES,
        ["2024-03-01", "2024-03-01T12:00:00"],
        ["3350000000001", "2024-03-01"],
    ),
    read(
        "strings kept apart",
        zipped(
            parts(
                {"S": sheet(HEADER, row(2, cell("A2", 0, "s"), cell("B2", 1, "s")))},
                strings(
                    "<si><r><t>T</t></r><r><t>V</t></r><rPh><t>tivi</t></rPh></si>",
                    "<si><t>a_x000D_b_xD83D__x005F_</t></si>",
                ),
            )
        ),
        NAMES,
        ["TV", "a\rb_xD83D__"],
    ),
    read(
        "rows left out",
        workbook(row(4, text_cell("A4", "TV"), cell("B4", 1))),
        NAMES,
        ["TV", "1"],
        told={"blank_lines": 2},
    ),
    read(
        "cells left out", workbook(row(2, cell("B2", 1)), row(3, text_cell("A3", "TV"))), NAMES, ["", "1"], ["TV", ""]
    ),
    read(
        "a dimension that lies",
        zipped(parts({"S": sheet(HEADER, row(2, cell("B2", 5)), dimension='<dimension ref="A1:A1"/>')})),
        NAMES,
        ["", "5"],
    ),
    read("an empty sheet first", zipped(TWO), NAMES, ["TV", ""]),
    read(
        "a hidden sheet first",
        zipped(
            parts(
                {
                    ("Old", "hidden"): sheet(row(1, text_cell("A1", "x"))),
                    "New": sheet(HEADER, row(2, text_cell("A2", "TV"))),
                }
            )
        ),
        NAMES,
        ["TV", ""],
    ),
    refused("a sheet that is not there", zipped(TWO), "sheet_missing", using=named("Foo"), sheets="“Empty”, “Full”"),
    refused("an empty sheet asked for", zipped(TWO), "no_content", using=named("Empty")),
    refused("no sheet with content", zipped(parts({"S": sheet(row(1), row(2))})), "no_content"),
    refused("a header and no row", workbook(), "no_rows", unit="Row", line=1),
    refused(
        "a value beyond the header", workbook(row(2, cell("A2", 1), cell("D2", 5))), "unnamed_cell", line=2, column=4
    ),
    refused(
        "one name twice in a sheet",
        zipped(parts({"S": sheet(row(3, text_cell("A3", "x"), text_cell("C3", "x ")))})),
        "duplicate_columns",
        line=3,
    ),
    refused(
        "a formula without its result",
        workbook(row(2, '<c r="A2"><f>1+1</f></c>')),
        "formula_without_value",
        line=2,
        cell="A2",
    ),
    read(
        "a formula with its result",
        workbook(row(2, '<c r="A2"><f>1+1</f><v>2</v></c>', '<c r="B2" t="str"><f>T("")</f><v></v></c>')),
        NAMES,
        ["2", ""],
    ),
    refused("rows out of order", workbook(row(3, cell("A3", 1)), row(2, cell("A2", 2))), "damaged_row", line=2),
    refused("cells out of order", workbook(row(2, cell("B2", 1), cell("A2", 2))), "damaged_row", line=2),
    refused("one cell twice", workbook(row(2, cell("A2", 1), cell("A2", 2))), "damaged_row", line=2),
    refused("a row beyond the last", workbook(row(999_999_999, cell("A999999999", 1))), "damaged_row"),
    refused("a number that is none", workbook(row(2, cell("A2", "12,5"))), "damaged_row", line=2),
    refused("a string that is not there", workbook(row(2, cell("A2", 7, "s"))), "damaged_row", line=2),
    refused(
        "a cell too long", workbook(row(2, text_cell("A2", "x" * (MAX_CELL + 1)))), "cell_too_long", line=2, unit="Row"
    ),
    refused("a row without end", lambda: workbook(row(2, "<c/>" * 1_100_000)), "row_too_long", line=2),
    refused("a string without end", lambda: with_part(STRINGS, strings(f"<si><t>{NOISE}</t></si>"), "?"), "damaged"),
    refused("a cell without end", lambda: workbook(row(2, text_cell("A2", NOISE))), "row_too_long", line=2),
    refused(
        "entities that multiply",
        zipped(parts({"S": sheet(HEADER, row(2, text_cell("A2", "&b;")), before=LAUGHS)})),
        "damaged",
    ),
    refused(
        "an entity of a file",
        zipped(parts({"S": sheet(HEADER, before='<!DOCTYPE x [<!ENTITY a SYSTEM "file:data">]>')})),
        "damaged",
    ),
    refused(
        "entities in the strings",
        with_part(STRINGS, LAUGHS + strings("<si><t>&b;</t></si>"), strings()),
        "damaged",
    ),
    refused("XML cut short", zipped(parts({"S": sheet(HEADER)[:-30]})), "damaged"),
    refused("XML cut short far on", zipped(parts({"S": LONG[: len(LONG) // 2]})), "damaged_row"),
    refused("a part missing", zipped({k: v for k, v in TWO.items() if "sheet2" not in k}), "damaged"),
    refused(
        "strict Open XML",
        zipped(parts({"S": sheet(HEADER)}, namespace="http://purl.oclc.org/ooxml/spreadsheetml/main")),
        "wrong_kind",
    ),
    refused("a bomb by its ratio", lambda: with_part("x.xml", b" " * (30 << 20)), "zip_bomb", megabytes=31),
    refused(
        "a bomb by its size", lambda: declaring(with_part("x.xml", b"x"), "x.xml", 3 << 30), "zip_bomb", megabytes=3073
    ),
    refused(
        "a bomb that lies about its size",
        lambda: declaring(workbook(row(2, text_cell("A2", " " * (30 << 20)))), "xl/worksheets/sheet1.xml", 400),
        "damaged",
    ),
    refused("a bomb of shared streams", overlapping, "damaged"),
    refused(
        "styles without end",
        lambda: with_part("xl/styles.xml", random.Random(1).randbytes(17 << 20)),
        "zip_bomb",
        limit_megabytes=16,
    ),
    refused("a letter changed", zipped(TWO, zipfile.ZIP_STORED).replace(b"TV", b"TW"), "damaged"),
    refused("parts with a password", locked(zipped(TWO)), "encrypted", format="ZIP or XLSX"),
]

PARQUETS = [
    read("parquet called csv", parquet(), ["name"], ["TV"]),
    read("csv called parquet", b"a;b\n1;2\n", list("ab"), list("12"), file="t.parquet"),
    read("csv that begins like parquet", b"PAR1,b\n1,PAR1", ["PAR1", "b"], ["1", "PAR1"]),
    refused("parquet without rows", parquet(columns=[[]], types=[pa.string()]), "no_rows_parquet"),
    refused("parquet without columns", parquet((), ()), "no_content"),
    refused("parquet with a list", parquet(columns=[[["a"]]]), "column_type", name="name"),
    refused("parquet with a struct", parquet(columns=[[{"a": 1}]]), "column_type", name="name"),
    refused(
        "parquet with a map", parquet(columns=[[[("a", 1)]]], types=[pa.map_(pa.string(), pa.int8())]), "column_type"
    ),
    refused("parquet with pictures", parquet(columns=[[b"\x89PNG"]]), "column_type", type="binary"),
    refused("parquet with one name twice", parquet(["a", "a"], [["x"], ["y"]]), "duplicate_columns", first=1, second=2),
    refused(
        "parquet with too many columns", lambda: parquet(map(str, range(1001)), [["x"]] * 1001), "too_many_columns"
    ),
    refused("parquet cut short", parquet()[:-20], "damaged", format="Parquet"),
    refused("parquet with nothing inside", b"PAR1\x15\x04" + bytes(20) + b"PAR1", "damaged", format="Parquet"),
    refused("parquet encrypted", b"PARE\x15\x04" + bytes(20) + b"PARE", "encrypted", format="Parquet"),
    refused("parquet with a cell too long", parquet(columns=[["a", "x" * (MAX_CELL + 1)]]), "cell_too_long", line=2),
    refused(
        "parquet with bytes that are no text",
        parquet(columns=[["TV écran"]], compression="none", use_dictionary=False).replace(b"\xc3\xa9", b"\xc3("),
        "damaged",
    ),
]

CASES = WORKBOOKS + PARQUETS
