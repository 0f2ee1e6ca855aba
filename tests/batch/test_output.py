import csv
import gc
import io
import re
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from batch import output
from batch.outcome import EARLIER_TOP, TOP, part, part_schema
from batch.output import DECIDED, DECISIONS, FORMATS, OURS, OutputError, result_columns, write, xlsx_text
from model.product import Prediction, RankedCategory
from model.taxonomy import Taxonomy, default_taxonomy
from preprocessing.columns import Columns
from preprocessing.image import ImageError
from preprocessing.table import detect, escape, open_table

TAXONOMY = default_taxonomy()
TEXT_FORMATS = ("csv", "csv-excel")
TABLE_FORMATS = (*TEXT_FORMATS, "xlsx", "parquet")


def predicted(*ranked, text=True, image=False, problem=None):
    categories = tuple(RankedCategory(code, probability) for code, probability in ranked)
    return Prediction(categories, text, image, 3, (categories[0].code,), "open-1", problem)


ANSWER = predicted((1280, 0.75), (1281, 0.125), (10, 0.0625), (40, 0.0625))


def parts_of(rows, predictions=None, size=2):
    predictions = predictions or [ANSWER] * len(rows)
    for start in range(0, len(rows), size):
        some = rows[start : start + size]
        yield part(some, predictions[start : start + size], ["used"] * len(some))


@dataclass
class Written:
    path: Path
    rows: int


@pytest.fixture
def put(tmp_path):
    """Writes rows in a format, and checks that nothing else stays in the folder."""

    def write_rows(rows, columns, format, *, predictions=None, roles=None, language="en", model="open-1", parts=None):
        path = tmp_path / f"result.{format}"
        parts = parts_of(rows, predictions) if parts is None else parts
        count = write(parts, columns, roles or Columns(), TAXONOMY, model, language, format, path)
        assert list(tmp_path.iterdir()) == [path]
        return Written(path, count)

    return write_rows


def read_back(path):
    """Columns and rows as Rayon reads them when the result comes back."""
    reader = open_table(path, detect(path, path.name))
    return list(reader.columns), list(reader)


# Parts


def test_a_part_holds_cells_and_answers():
    problem = ImageError("empty")
    predictions = [predicted((10, 0.9), (40, 0.1), image=True), predicted((40, 0.6), (10, 0.4), problem=problem)]
    table = part([["a", ""], ["b", "é\r\n"]], predictions, ["used", "used"])
    assert table.schema == part_schema(2)
    assert table.to_pylist()[1] == {
        **{"c0": "b", "c1": "é\r\n", "code1": 40, "code2": 10, "code3": None, "code4": None, "code5": None},
        **{"probability1": pytest.approx(0.6), "probability2": pytest.approx(0.4), "probability3": None},
        **dict.fromkeys(["probability4", "probability5", *(f"code{i}" for i in range(6, TOP + 1))]),
        **{f"probability{i}": None for i in range(6, TOP + 1)},
        **{"inputs": "text", "picture": "empty", "set_size": 1},
    }
    assert table["inputs"][0].as_py() == "text+image" and table["picture"][0].as_py() == "used"


@pytest.mark.parametrize(
    ("text", "image", "inputs"),
    [(True, True, "text+image"), (True, False, "text"), (False, True, "image"), (False, False, "none")],
)
def test_which_inputs(text, image, inputs):
    table = part([["a"]], [predicted((10, 1.0), (40, 0.0), text=text, image=image)], [""])
    assert table["inputs"].to_pylist() == [inputs]


@pytest.mark.parametrize(("rows", "count"), [([], 0), ([["a"]], 2), ([["a"], ["b", "c"]], 2)])
def test_a_part_that_does_not_fit_together_is_an_error(rows, count):
    with pytest.raises(ValueError):
        part(rows, [ANSWER] * count, ["used"] * count)


def test_a_part_costs_little():
    ranked = predicted(*((code, 1 / 27) for code in TAXONOMY.codes))
    rows = [[f"cellule {i}" * 20, "b", "c", "d", "e"] for i in range(2000)]
    spent = []
    for _ in range(3):
        started = time.process_time()
        table = part(rows, [ranked] * 2000, [""] * 2000)
        spent.append(time.process_time() - started)
    assert min(spent) / 2000 < 0.00005
    assert table[f"code{TOP}"][0].as_py() == TAXONOMY.codes[TOP - 1]


# What a file looks like

ROWS = [["0", "chaise, dorée"], ["007", 'dit "la belle"\nsuite'], ["2", "=1+1"]]
COLUMNS = ["", "désignation"]
LABEL = {"en": TAXONOMY[1280].label("en"), "fr": TAXONOMY[1280].label("fr")}


def test_result_columns():
    assert result_columns(["", "a", "rayon_magasin"]) == ["", "a", "rayon_magasin", *OURS]
    assert result_columns([*OURS, "a"]) == ["a", *OURS]


def decided_parts(rows, decisions):
    """Parts with what people decided; a decision for each row."""
    start = 0
    for table in parts_of(rows):
        for field, values in zip(DECISIONS, zip(*decisions[start : start + len(table)], strict=True), strict=True):
            table = table.append_column(field, pa.array(values, field.type))
        start += len(table)
        yield table


@pytest.mark.parametrize("format", [*TABLE_FORMATS, "submission"])
def test_what_people_decided_stands_behind(tmp_path, format):
    huge = 2**40  # of another taxonomy
    said = [("corrected", 10), (None, None), ("unknown", None), ("approved", 1280), ("corrected", huge)]
    rows = [["0", "=1+1"], ["1", "b"], ["2", "c"], ["3", "d"], ["4", "e"]]
    columns = ["id", "rayon_final_code"]  # of an earlier result
    path = tmp_path / "result"
    known = Columns(id="id")
    assert write(decided_parts(rows, said), columns, known, TAXONOMY, "m", "en", format, path, decided=True) == 5
    final = [10, 1280, 1280, 1280, huge]
    if format == "submission":
        assert path.read_text().splitlines() == [",prdtypecode", *(f"{i},{code}" for i, code in enumerate(final))]
        return
    found, lines = read_back(path)
    assert found == result_columns(columns, decided=True) == ["id", *OURS, *DECIDED]
    labels = {str(code): TAXONOMY[code].label("en") for code in (10, 1280)}
    codes = ["10", "", "", "1280", str(huge)]
    assert [line[-5:] for line in lines] == [
        [decision or "", code, labels.get(code, ""), str(last), labels.get(str(last), "")]
        for (decision, _), code, last in zip(said, codes, final, strict=True)
    ]


def test_without_decisions_a_column_called_like_theirs_stays(put):
    found, lines = read_back(put([["a"]], ["rayon_final_code"], "csv").path)
    assert found == ["rayon_final_code", *OURS] and lines[0][0] == "a"


def test_a_part_of_an_earlier_job_is_written_like_any_other(put):
    several = parts_of(ROWS)
    older = next(several).drop_columns([f"{name}{i}" for name in ("code", "probability") for i in range(6, 10)])
    assert older.schema == part_schema(2, EARLIER_TOP)
    mixed = put(ROWS, COLUMNS, "csv", parts=[older, *several]).path.read_bytes()
    assert mixed == put(ROWS, COLUMNS, "csv").path.read_bytes()


@pytest.mark.parametrize("format", TABLE_FORMATS)
def test_a_column_of_ours_with_blanks_around_it_is_dropped(put, format):
    found, lines = read_back(put([["a", "b"]], [" rayon_code", "x"], format).path)
    assert found == ["x", *OURS] and lines[0][0] == "b"


def test_csv(put):
    written = put(ROWS, COLUMNS, "csv")
    lines = written.path.read_bytes().decode("utf-8").split("\r\n")
    assert lines[0] == ",désignation," + ",".join(OURS)
    assert lines[1].startswith(f'0,"chaise, dorée",1280,{LABEL["en"]},0.7500,1281,')
    assert lines[2].startswith('007,"dit ""la belle""\nsuite",1280,')
    assert lines[3].startswith("2,'=1+1,1280,") and lines[3].endswith(",0.0625,text,used,open-1")
    assert written.rows == 3 and lines[4:] == [""]


@pytest.mark.parametrize(("language", "confidence"), [("fr", "0,7500"), ("en", "0.7500")])
def test_csv_for_excel(put, language, confidence):
    text = put(ROWS, COLUMNS, "csv-excel", language=language).path.read_bytes().decode("utf-8")
    assert text.startswith("\ufeff;désignation;rayon_code;")
    assert f"0;chaise, dorée;1280;{LABEL[language]};{confidence};1281;" in text


def test_xlsx(put):
    rows = [*ROWS, ["#N/A", "@SUM(A1)"], ["=", "+1"], [" x ", "\t"], ["12", "TRUE"]]
    written = put(rows, COLUMNS, "xlsx", language="fr")
    sheet = openpyxl.load_workbook(written.path).active
    header, *found = sheet.iter_rows()
    assert [cell.value or "" for cell in header] == result_columns(COLUMNS)
    assert [[cell.value or "" for cell in row[:2]] for row in found] == rows
    assert {cell.data_type for row in found for cell in row[:2]} == {"s"}
    assert [cell.value for cell in found[0][2:5]] == [1280, LABEL["fr"], 0.75]
    assert [cell.data_type for cell in found[0][2:5]] == ["n", "s", "n"]
    assert written.rows == len(found) == 7
    with zipfile.ZipFile(written.path) as file:
        assert b"<f>" not in file.read("xl/worksheets/sheet1.xml")


def test_parquet(put):
    table = pq.read_table(put(ROWS, COLUMNS, "parquet").path)
    assert table.column_names == result_columns(COLUMNS)
    assert table.select(COLUMNS).to_pylist() == [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]
    types = dict(zip(table.schema.names, table.schema.types, strict=True))
    assert types["rayon_code"] == pa.int32() and types["rayon_third_confidence"] == pa.float32()
    assert types["rayon_second_label"] == pa.string() and table["rayon_confidence"].to_pylist() == [0.75] * 3


@pytest.mark.parametrize(("columns", "id"), [(["", "designation"], ""), (["designation", "id"], "id")])
def test_submission(put, columns, id):
    rows = [["0", "1"], ["00", "2"], ["7", "3"]]
    written = put(rows, columns, "submission", roles=Columns(id=id))
    ids = [row[columns.index(id)] for row in rows]
    assert written.path.read_bytes() == "".join([",prdtypecode\r\n", *(f"{i},1280\r\n" for i in ids)]).encode()
    assert written.rows == 3


@pytest.mark.parametrize("format", FORMATS)
def test_no_rows(put, format):
    assert put([], COLUMNS, format, roles=Columns(id="")).rows == 0


@pytest.mark.parametrize("format", TABLE_FORMATS)
def test_fewer_categories_than_columns(tmp_path, format):
    two = Taxonomy(TAXONOMY.categories[:2])
    path = tmp_path / "result"
    parts = [part([["a"]], [predicted((10, 0.5), (40, 0.5))], [""])]
    assert write(parts, ["a"], Columns(), two, "m", "en", format, path) == 1
    columns, (row,) = read_back(path)
    assert [
        dict(zip(columns, row, strict=True))[f"rayon_third_{field}"] for field in ("code", "label", "confidence")
    ] == [""] * 3


@pytest.mark.parametrize("format", TABLE_FORMATS)
def test_a_result_brought_back_gets_new_answers_only(put, format):
    columns, rows = read_back(put(ROWS, COLUMNS, format).path)
    again = put(rows, columns, format, predictions=[predicted((40, 0.5), (10, 0.25), (50, 0.25))] * 3)
    columns_again, rows_again = read_back(again.path)
    assert columns_again == columns and [row[:2] for row in rows_again] == ROWS
    assert {row[2] for row in rows_again} == {"40"}


# Whatever the cells hold, they come back

NASTY = ["=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(1)", "'=1", "''", "\t=1", "\r", "\n", "\r\n", "a\rb", '"', ";", ","]
NASTY += [
    "|",
    "\t",
    " ",
    "_x0041_",
    "_x005F_",
    "_x0041",
    "#N/A",
    "#REF!",
    "=",
    "-1",
    "1e5",
    "TRUE",
    "１",
    "é",
    "\u2028",
]
NASTY += ["\ufeff", "\x7f", "\x85", "\U0001f4e6", "sep=;", "＝1", "NA", "null", "0012", "12345678901234567890"]
plain = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
cells = plain | st.sampled_from(NASTY) | st.lists(st.sampled_from([*NASTY, "a"]), max_size=4).map("".join)
headers = st.lists(
    cells.filter(lambda name: name.strip() and name not in OURS), min_size=1, max_size=4, unique_by=str.strip
)
codes = st.permutations(TAXONOMY.codes[:6])


@st.composite
def tables(draw):
    columns = draw(headers)
    rows = draw(st.lists(st.lists(cells, min_size=len(columns), max_size=len(columns)), min_size=1, max_size=5))
    shares = [0.4, 0.3, 0.15, 0.1, 0.03, 0.02]
    predictions = [predicted(*zip(draw(codes), shares, strict=True)) for _ in rows]
    return columns, rows, predictions


round_trips = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.mark.parametrize("format", TABLE_FORMATS)
@round_trips
@given(table=tables(), language=st.sampled_from(["en", "fr"]))
@example(table=(["a", "b"], [[cell, cell] for cell in NASTY], [ANSWER] * len(NASTY)), language="fr")
@example(table=(["\ufeffa"], [["b"]], [ANSWER]), language="fr")
@example(table=(["\t0"], [["\t"]], [ANSWER]), language="fr")
@example(table=(["a;b", "c|d", "e,f"], [["1;2", "3|4", "5,6"]], [ANSWER]), language="fr")
def test_round_trip(put, format, table, language):
    columns, rows, predictions = table
    path = put(rows, columns, format, predictions=predictions, language=language).path
    found_columns, found = read_back(path)
    assert found_columns == result_columns(columns)
    assert [row[: len(columns)] for row in found] == rows
    for row, prediction in zip(found, predictions, strict=True):
        ours = dict(zip(OURS, row[len(columns) :], strict=True))
        for rank, category in zip(("", "second_", "third_"), prediction.categories, strict=False):
            assert int(ours[f"rayon_{rank}code"]) == category.code
            assert ours[f"rayon_{rank}label"] == TAXONOMY[category.code].label(language)
            confidence = float(ours[f"rayon_{rank}confidence"].replace(",", "."))
            assert confidence == pytest.approx(category.probability, abs=0.00005)


@pytest.mark.parametrize("format", TEXT_FORMATS)
@round_trips
@given(table=tables())
def test_no_text_cell_starts_a_formula(put, format, table):
    columns, rows, predictions = table
    text = put(rows, columns, format, predictions=predictions).path.read_bytes().decode("utf-8-sig")
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=";" if format == "csv-excel" else ","):
        for cell in row:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")) or re.fullmatch(r"[+-][0-9.,eE+-]+", cell)
            assert escape(cell) == cell or cell.startswith("'")


# XLSX


def excel_reads(text):
    """What a spreadsheet makes of a string in the file (ECMA-376 part 1, 22.9.2.19)."""
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), text)


@given(st.text(st.characters(), max_size=20) | st.text("_x0041F\x01\r\ud800", max_size=20))
@example("_x0041\x01")
@example("_x0041_x0042_")
@example("\x01x0041_")
def test_xlsx_text_is_reversible(text):
    written = xlsx_text(text)
    assert excel_reads(written) == text
    assert not re.search("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]", written)


def test_xlsx_text_leaves_the_rest_alone():
    for text in ("", "a_x_b", "_x004_", "_xGGGG_", "x0041_", "\t\n é 😀", "=1", "_X0041_"):
        assert xlsx_text(text) == text
    assert xlsx_text("_x0041_\x01\r") == "_x005F_x0041__x0001__x000D_"


@pytest.mark.parametrize("text", ["x" * 32_767, "é" * 32_767, "\U0001f4e6" * 16_383, "\x01" * 4_681])
def test_xlsx_cells_as_long_as_they_get(put, text):
    assert read_back(put([[text]], ["a"], "xlsx").path)[1][0][0] == text


@pytest.mark.parametrize("text", ["x" * 32_768, "=" * 32_768, "\U0001f4e6" * 16_384, "\x01" * 4_682, "_x0041_" * 4_000])
def test_a_cell_too_long_for_xlsx(tmp_path, monkeypatch, text):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where openpyxl gathers the sheet
    rows = [["a", "b"]] * 1200 + [["a", text]]
    with pytest.raises(OutputError) as caught:
        write(parts_of(rows, size=999), ["a", "b"], Columns(), TAXONOMY, "m", "en", "xlsx", tmp_path / "result.xlsx")
    assert caught.value.reason == "cell_too_long"
    assert (caught.value.details["row"], caught.value.details["column"]) == (1201, "b")
    assert "CSV or Parquet" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_disk_too_full_for_xlsx(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def save(self, path):
        path.write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(output.Workbook, "save", save)
    with pytest.raises(OSError, match="no space"):
        write(parts_of(ROWS), COLUMNS, Columns(), TAXONOMY, "m", "en", "xlsx", tmp_path / "result.xlsx")
    assert not list(tmp_path.iterdir())


def test_too_many_rows_for_xlsx(put, tmp_path, monkeypatch):
    assert output._XLSX_ROWS - 1 == 1_048_575
    monkeypatch.setattr(output, "_XLSX_ROWS", 4)
    assert put(ROWS, COLUMNS, "xlsx").rows == 3
    before = (tmp_path / "result.xlsx").read_bytes()
    with pytest.raises(OutputError, match="CSV or Parquet") as caught:
        put([*ROWS, ROWS[0]], COLUMNS, "xlsx")
    assert caught.value.reason == "too_many_rows"
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]


def test_too_many_columns_for_xlsx(tmp_path):
    columns = [f"c{i}" for i in range(16_384 - len(OURS) + 1)]
    with pytest.raises(OutputError, match="16385 columns") as caught:
        write(parts_of([]), columns, Columns(), TAXONOMY, "m", "en", "xlsx", tmp_path / "result.xlsx")
    assert caught.value.reason == "too_many_columns" and not list(tmp_path.iterdir())


# Refusals, and how a file comes to be


def test_no_id_for_a_submission(put):
    with pytest.raises(OutputError, match="id") as caught:
        put(ROWS, COLUMNS, "submission", roles=Columns(designation="désignation"))
    assert caught.value.reason == "no_id"


def test_an_unknown_format(put):
    with pytest.raises(OutputError, match="csv-excel") as caught:
        put(ROWS, COLUMNS, "ods")
    assert caught.value.reason == "unknown_format"


@pytest.mark.parametrize("format", FORMATS)
def test_parts_of_another_table(tmp_path, format):
    with pytest.raises(ValueError, match="c1"):
        write(parts_of(ROWS), ["a"], Columns(id="a"), TAXONOMY, "m", "en", format, tmp_path / "result")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("format", FORMATS)
def test_an_old_file_stays_until_the_new_one_is_whole(tmp_path, format):
    path = tmp_path / "result"
    path.write_text("old")

    def broken():
        yield from parts_of(ROWS)
        assert path.read_text() == "old"
        raise RuntimeError("disk pulled out")

    with pytest.raises(RuntimeError, match="pulled"):
        write(broken(), COLUMNS, Columns(id=""), TAXONOMY, "m", "en", format, path)
    assert list(tmp_path.iterdir()) == [path] and path.read_text() == "old"


@pytest.mark.parametrize("format", FORMATS)
def test_memory_stays_flat(tmp_path, format):
    before, most = pa.total_allocated_bytes(), 0

    def many():
        nonlocal most
        for _ in range(30):
            yield part([["1", "é" * 15_000]] * 32, [ANSWER] * 32, ["used"] * 32)
            gc.collect(0)
            most = max(most, pa.total_allocated_bytes() - before)

    write(many(), COLUMNS, Columns(id=""), TAXONOMY, "m", "en", format, tmp_path / "result")
    assert 0 < most < 8_000_000  # of 29 MB
