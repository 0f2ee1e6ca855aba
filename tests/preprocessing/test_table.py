import csv
import io
import json
import re
import tracemalloc
from dataclasses import asdict

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from preprocessing.table import (
    DELIMITERS,
    ENCODINGS,
    TableError,
    TableFormat,
    dangerous,
    detect,
    escape,
    open_table,
    unescape,
)
from preprocessing.table_text import UTF8_MARK

CHALLENGE = ",designation,description,productid,imageid\n0,Olivia: carnet 2015,,3804725264,1263597046\n"
MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def file(tmp_path):
    """Writes bytes or UTF-8 text to one file and gives its path."""

    def write(data):
        path = tmp_path / "table"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return write


def rows_of(path, format=None):
    reader = open_table(path, format or detect(path, "table.csv"))
    return [list(reader.columns), *reader]


def written(table, delimiter, end="\r\n", quoting=csv.QUOTE_MINIMAL):
    buffer = io.StringIO(newline="")
    cells = [[escape(cell) for cell in row] for row in table]
    csv.writer(buffer, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(cells)
    return buffer.getvalue()


def is_utf8(data):
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not data.isascii()


# How a file is read


def test_the_challenge_file_is_read_as_it_comes(file):
    path = file(CHALLENGE)
    assert detect(path, "X.csv") == TableFormat("text", "utf-8", ",")
    reader = open_table(path, detect(path, "X.csv"))
    assert reader.columns == ("", "designation", "description", "productid", "imageid")
    assert list(reader) == [["0", "Olivia: carnet 2015", "", "3804725264", "1263597046"]]
    assert reader.notices == []


@pytest.mark.parametrize("encoding", [*ENCODINGS, "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_the_format_is_found(file, encoding, delimiter):
    path = file(written([["nom", "prix, TTC", "note"], ["Crème à café", "1,5", "a;b|c"]], delimiter).encode(encoding))
    assert detect(path, "x") == TableFormat("text", encoding, delimiter)
    assert rows_of(path)[1] == ["Crème à café", "1,5", "a;b|c"]


def test_a_format_survives_json(file):
    format = detect(file(CHALLENGE), "X.csv")
    assert TableFormat(**json.loads(json.dumps(asdict(format)))) == format


def test_the_name_decides_only_what_the_content_leaves_open(file):
    path = file("a;b\tc\n1;2\t3\n")
    assert detect(path, "x.tsv").delimiter == "\t"
    assert detect(file("a;b\n1;2\n"), "x.tsv").delimiter == ";"


def test_one_column_has_no_delimiter(file):
    path = file("designation\nTV, noir; mat\n")
    assert detect(path, "x.csv").delimiter is None
    assert rows_of(path) == [["designation"], ["TV, noir; mat"]]


def test_every_iteration_starts_at_the_top(file):
    reader = open_table(file("a,b\n1,2\n3\n"), TableFormat("text", "utf-8", ","))
    assert next(iter(reader)) == ["1", "2"]
    assert list(reader) == list(reader) == [["1", "2"], ["3", ""]]
    assert [notice.details["count"] for notice in reader.notices] == [1]


def test_a_notice_counts_and_names_the_first_lines(file):
    reader = open_table(file("a,b\n" + "1\n" * 9), TableFormat("text", "utf-8", ","))
    assert len(list(reader)) == 9
    (notice,) = reader.notices
    assert notice.reason == "filled"
    assert notice.details == {"unit": "line", "line": 2, "count": 9, "lines": [2, 3, 4, 5, 6]}
    assert str(notice) == "Rows with too few cells were filled with empty ones: 9, the first on line 2."


def test_rows_before_an_error_are_given(file):
    rows = iter(open_table(file("a,b\n1,2\n3,4,5\n"), TableFormat("text", "utf-8", ",")))
    assert next(rows) == ["1", "2"]
    with pytest.raises(TableError, match=r"^Line 3 has 3 cells where the header has 2: "):
        next(rows)


def test_nothing_of_other_libraries_matters(file):
    csv.field_size_limit(10)
    assert rows_of(file(f"a,b\n{'x' * 200_000},2\n"))[1][1] == "2"


def test_a_missing_file_is_no_table_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        detect(tmp_path / "none", "none.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_memory_does_not_grow_with_the_file(file, encoding):
    line = "1234,Crème à café,description de la crème\n"

    def peak(lines):
        path = file(("id,nom,texte\n" + line * lines).encode(encoding))
        tracemalloc.start()
        try:
            assert sum(1 for _ in open_table(path, TableFormat("text", encoding, ","))) == lines
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(120_000) < 1.2 * peak(60_000)


# Formulas


@pytest.mark.parametrize(
    "cell", ["=1+1", "+A1", "-A1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "－x", "'=1", "-", "+33 6", "-1-2"]
)
def test_formulas_are_dangerous(cell):
    assert dangerous(cell) and escape(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "'", "TV", "'tis", "-12,5", "+3.0", "-.5", "+33612345678", "-1e5", "1=2", " =1"])
def test_text_and_numbers_are_not(cell):
    assert not dangerous(cell) and escape(cell) == cell == unescape(cell)


@given(st.text(st.sampled_from("'=+-@\t\r\n＝1,.ae ")) | st.text())
@example("''=")
@example("'\n")
def test_escaping_can_be_undone(cell):
    assert unescape(escape(cell)) == cell
    assert not re.match(r"[=@\t\r\n＝＋－＠]", escape(cell))


# What is written comes back

tricky = st.text(st.sampled_from("\"',;\t|\r\n =é’0"), max_size=8)


def any_text(codec):
    return st.text(st.characters(codec=codec, exclude_characters="\0"), max_size=12) | tricky


def tables(cells, names, fewest=1):
    """A header of names that differ, and at least one row."""
    width = st.integers(fewest, 4)
    headers = width.flatmap(lambda n: st.lists(names, min_size=n, max_size=n, unique_by=str.strip))
    return headers.flatmap(
        lambda header: st.lists(
            st.lists(cells, min_size=len(header), max_size=len(header)), min_size=1, max_size=5
        ).map(lambda rows: [header, *rows])
    )


ARBITRARY = {codec: tables(any_text(codec), any_text(codec).filter(str.strip)) for codec in ("utf-8", "cp1252")}
NO_MARK = re.compile("\ufeff|ï»¿|sep=", re.IGNORECASE)  # what only a first cell may not start with


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("delimiter", DELIMITERS)
@MANY
@given(data=st.data(), end=st.sampled_from(["\n", "\r\n", "\r"]))
def test_any_table_comes_back(file, encoding, delimiter, data, end):
    table = data.draw(ARBITRARY["cp1252" if encoding == "cp1252" else "utf-8"])
    assume(not NO_MARK.match(table[0][0]))
    text = written(table, delimiter) if end == "\r\n" else written(table, delimiter, end, csv.QUOTE_ALL)
    content = text.encode(encoding)
    assume(encoding != "cp1252" or not is_utf8(content))  # then it is refused: it is UTF-8 as well
    asked = TableFormat("text", encoding, delimiter if len(table[0]) > 1 else None)
    assert rows_of(file(content), asked) == table


plain_text = st.text(st.characters(codec="cp1252", exclude_categories=["Cc"]), max_size=12) | tricky
plain_names = st.text(st.sampled_from("abcdefghié_ "), min_size=1, max_size=8).filter(
    lambda name: name.strip(" ") == name
)


@pytest.mark.parametrize("encoding", [*ENCODINGS, "utf-16-le", "utf-16-be"])
@MANY
@given(table=tables(plain_text, plain_names, 2), delimiter=st.sampled_from(DELIMITERS))
def test_the_format_of_any_plain_table_is_found(file, encoding, table, delimiter):
    """Decidable when no name holds a delimiter and, for cp1252, nothing reads as a letter of UTF-8 ("Ã©")."""
    data = written(table, delimiter).encode(encoding)
    assume(encoding != "cp1252" or not (UTF8_MARK.search(data.decode("utf-8", "ignore")) or is_utf8(data)))
    found = encoding if encoding != "cp1252" or not data.isascii() else "utf-8"
    path = file(data)
    assert detect(path, "table.csv") == TableFormat("text", found, delimiter)
    assert rows_of(path) == table


@MANY
@given(data=st.binary(max_size=300) | st.text(st.sampled_from('a,;"\n\r\t\0é')).map(str.encode))
@example(b"\xff\xfe")
@example(b"\xef\xbb\xbf\xc3")
@example(b"PK\x03\x04")
@example(b"PAR1\x00PAR1")
@example(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
def test_any_bytes_end_in_rows_or_in_an_error_that_says_why(file, data):
    path = file(data)
    try:
        header, *rows = rows_of(path)
    except TableError as error:
        assert str(error).endswith(".")
    else:
        assert rows and {len(row) for row in rows} == {len(header)}
        "".join(map("".join, [header, *rows])).encode("utf-8")  # no half of a surrogate pair
