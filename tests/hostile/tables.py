"""Tables of text that would be misread, swallowed or fatal if read carelessly, each with what must come of it."""

import gzip
import io
from collections.abc import Callable
from dataclasses import dataclass, field

from PIL import Image

from preprocessing.table import MAX_CELL, TableFormat
from tests.hostile.workbooks import zipped


@dataclass(frozen=True)
class Case:
    """A file and either the reason and details it is refused with, or the rows (header first) that it holds."""

    id: str
    data: bytes | Callable[[], bytes]  # what is large is made when it is needed
    reason: str | None = None
    details: dict[str, object] = field(default_factory=dict)
    rows: list[list[str]] | None = None
    told: dict[str, int] = field(default_factory=dict)  # reason of a notice: its first line
    file: str = "table.csv"
    using: TableFormat | None = None  # what the user insists on, in place of what is detected


def refused(id, data, reason, *, file="table.csv", using=None, **details):
    return Case(id, data, reason, details, file=file, using=using)


def read(id, data, *rows, told=(), file="table.csv", using=None):
    return Case(id, data, rows=[list(row) for row in rows], told=dict(told), file=file, using=using)


def as_text(encoding="utf-8", delimiter=","):
    return TableFormat("text", encoding, delimiter)


def picture(image_format):
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, image_format)
    return buffer.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
CP1252 = "nom;prix\r\nCafetière;12,5 €\r\n".encode("cp1252")
COFFEE = ["nom", "prix"], ["Cafetière", "12,5 €"]
TEXTS = "nom,texte\n" + "cuillère,à café\n" * 20

NO_TABLE = [
    refused("empty", b"", "empty"),
    refused("blank lines only", b"\n\r\n  \n\n", "no_content"),
    refused("empty cells only", b";;;\n;;;\n", "no_content"),
    refused("a byte order mark only", b"\xef\xbb\xbf", "no_content"),
    refused("header only", b"id,nom\n", "no_rows", unit="Line", line=1),
    refused("blank lines round a header", b"\nid,nom\n\n\n", "no_rows", unit="Line", line=2),
    refused("gzip", gzip.compress(b"id,nom\n1,TV\n"), "wrong_kind", format="gzip"),
    refused("zip", zipped({"table.csv": "id,nom\n1,TV\n"}), "wrong_kind", format="ZIP"),
    refused("empty zip", zipped({}), "wrong_kind", format="ZIP"),
    refused("zip cut short", zipped({"table.csv": "id,nom\n1,TV\n"})[:60], "damaged", format="ZIP or XLSX"),
    refused("pdf", b"%PDF-1.7\n1 0 obj", "wrong_kind", format="PDF"),
    refused("png", picture("PNG"), "wrong_kind", format="PNG"),
    refused("jpeg", picture("JPEG"), "wrong_kind", format="JPEG"),
    refused("docx", zipped({"[Content_Types].xml": "wordprocessingml"}), "wrong_kind", format="DOCX"),
    refused("xlsb", zipped({"[Content_Types].xml": "ms-excel.sheet.binary"}), "wrong_kind", format="XLSB"),
    refused("ods", zipped({"mimetype": "", "content.xml": ""}), "wrong_kind", format="OpenDocument (ODS)"),
    refused("xls", OLE + "Workbook\0".encode("utf-16-le"), "wrong_kind", format="XLS (Excel before 2007)"),
    refused("doc", OLE + "WordDocument\0".encode("utf-16-le"), "wrong_kind", format="an old Office document"),
    refused("workbook with a password", OLE + "EncryptedPackage".encode("utf-16-le"), "encrypted", format="XLSX"),
    refused("html called xls", b"\n<html><table><tr><td>id", "wrong_kind", file="t.xls", format="HTML or XML"),
    refused("json", b'[{"id": 1}, {"id": 2}]', "wrong_kind", format="JSON"),
    refused("utf-32", "id,nom\n1,TV\n".encode("utf-32"), "wrong_kind", format="UTF-32"),
    refused("zeros", bytes(5000), "nul", line=1),
    refused("zeros behind text", b"a,b\n1,2\n" + bytes(60) + b"\n\0", "nul", line=3),
]

ENCODINGS = [
    read("cp1252 from French Excel", CP1252, *COFFEE),
    read("utf-8 with mark", "\ufeffnom;prix\nCafetière;12,5 €\n".encode(), *COFFEE),
    read("two marks", "\ufeff\ufeffnom;prix\nCafetière;12,5 €\n".encode(), *COFFEE),
    read("a quoted name behind the mark", '\ufeff"nom";prix\nCafetière;12,5 €\n'.encode(), *COFFEE),
    read("utf-16 little", b"\xff\xfe" + "nom;prix\nCafetière;12,5 €\n".encode("utf-16-le"), *COFFEE),
    read("utf-16 big", b"\xfe\xff" + "nom;prix\nCafetière;12,5 €\n".encode("utf-16-be"), *COFFEE),
    read("utf-16 little without mark", "nom;prix\nCafetière;12,5 €\n".encode("utf-16-le"), *COFFEE),
    read("utf-16 big without mark", "nom;prix\nCafetière;12,5 €\n".encode("utf-16-be"), *COFFEE),
    refused("utf-16 cut inside a character", "nom;prix\na;€\n".encode("utf-16")[:-1], "bad_bytes", line=2, byte="0A"),
    refused("half a pair in utf-16", "nom;prix\na;\ud83d\n".encode("utf-16", "surrogatepass"), "bad_bytes", line=2),
    refused(
        "half a pair in utf-8", b"nom,x\n" + "é,\ud83d\n".encode("utf-8", "surrogatepass") * 9, "mixed_encoding", line=2
    ),
    read(
        "the only accent is the last byte",
        b"nom,prix\n" + b"a,1\n" * 700_000 + b"\xe9,2",
        ["nom", "prix"],
        *[["a", "1"]] * 700_000,
        ["é", "2"],
    ),
    refused("a byte of no encoding", b"nom,prix\nCafeti\xe8re,1\nTV\x8d,2\n", "unknown_encoding", line=3, byte="8D"),
    refused(
        "one line of another encoding",
        TEXTS.encode() + "thé,noir\n".encode("cp1252"),
        "mixed_encoding",
        line=22,
        byte="E9",
    ),
    refused("cut inside a character", (TEXTS + "é").encode()[:-1], "mixed_encoding", line=22, byte="C3"),
    read("an accent that might be utf-8", "nom,x\nNESTLÉ® é,à\n".encode("cp1252"), ["nom", "x"], ["NESTLÉ® é", "à"]),
    refused("a NUL", b"nom,prix\na,1\nb\0,2\n", "nul", line=3),
    refused("a NUL among line ends of all kinds", b"nom,prix\r\na,1\rb,2\nc\0,2\n", "nul", line=4),
    refused("a NUL in a short file", b"a\0b,c\n", "nul", line=1),
    refused("a NUL in utf-16", "a,b\n1,\0\n".encode("utf-16"), "nul", line=2),
    refused(
        "cp1252 read as utf-8", CP1252, "bad_bytes", using=as_text("utf-8", ";"), line=2, byte="E8", encoding="utf-8"
    ),
    refused("utf-8 read as cp1252", TEXTS.encode(), "wrong_encoding", using=as_text("cp1252"), actual="utf-8"),
    refused("utf-8 read as utf-16", TEXTS.encode(), "not_utf16", using=as_text("utf-16")),
    refused("utf-8 read as utf-16-le", TEXTS.encode(), "not_utf16", using=as_text("utf-16-le")),
    refused("utf-16 read as utf-8", TEXTS.encode("utf-16"), "wrong_encoding", using=as_text(), actual="utf-16"),
    refused("utf-16 read as cp1252", TEXTS.encode("utf-16-le"), "nul", using=as_text("cp1252"), line=1),
    refused(
        "the wrong end first",
        TEXTS.encode("utf-16-be"),
        "wrong_encoding",
        using=as_text("utf-16-le"),
        actual="utf-16-be",
    ),
    read("ASCII read as cp1252", b"nom,prix\nTV,1\n", ["nom", "prix"], ["TV", "1"], using=as_text("cp1252")),
]

DELIMITERS = [
    read(
        "decimal commas",
        b"nom;prix;poids\nTV;1,5;2,5\nLit;3,5;4,5\n",
        ["nom", "prix", "poids"],
        ["TV", "1,5", "2,5"],
        ["Lit", "3,5", "4,5"],
    ),
    read("a comma in a name and in each row", b"nom;prix, TTC\nTV;1,5\n", ["nom", "prix, TTC"], ["TV", "1,5"]),
    read(
        "more commas than semicolons",
        b"nom;taille L, l, h\nLit;2, 1, 1\n",
        ["nom", "taille L, l, h"],
        ["Lit", "2, 1, 1"],
    ),
    read("semicolons in quotes", b'nom,"a;b;c",x\nTV,"1;2;3",y\n', ["nom", "a;b;c", "x"], ["TV", "1;2;3", "y"]),
    read(
        "commas in a file of tabs",
        b'nom\ttexte\nTV, LED\tnoir, mat, 15"\n',
        ["nom", "texte"],
        ["TV, LED", 'noir, mat, 15"'],
    ),
    read("as many commas as semicolons", b"nom;prix,euros\nTV;1,5\n", ["nom", "prix,euros"], ["TV", "1,5"]),
    read("bars", b"nom|prix\nTV;a,b|1\n", ["nom", "prix"], ["TV;a,b", "1"]),
    read(
        "one column full of commas",
        b"designation\nTV, noir\nLit, bois, 2 places\n",
        ["designation"],
        ["TV, noir"],
        ["Lit, bois, 2 places"],
    ),
    read("tabs called csv", b"nom\tprix\nTV\t1\n", ["nom", "prix"], ["TV", "1"]),
    read("commas called tsv", b"nom,prix\nTV,1\n", ["nom", "prix"], ["TV", "1"], file="table.tsv"),
    read("cells that end in tabs", b"designation\n0\t\n0\t\n", ["designation"], ["0\t"], ["0\t"], using=as_text()),
    read("Excel's directive", b"sep=|\nnom|a;b\nTV|1;2\n", ["nom", "a;b"], ["TV", "1;2"]),
    read(
        "the challenge's layout",
        b",designation,description,productid,imageid\n0,TV,,07,1e5\n",
        ["", "designation", "description", "productid", "imageid"],
        ["0", "TV", "", "07", "1e5"],
    ),
    refused(
        "semicolons read as commas",
        CP1252,
        "wrong_delimiter",
        using=as_text("cp1252", ","),
        chosen=",",
        actual=";",
        line=1,
    ),
    refused("tabs read as commas", b"\nnom\tprix\nTV\t1\n", "wrong_delimiter", using=as_text(), actual="tab", line=2),
    refused("commas read as semicolons", TEXTS.encode(), "wrong_delimiter", using=as_text(delimiter=";"), actual=","),
    refused(
        "a delimiter of names only",
        b"nom;prix, TTC\nTV;1,5,2\n",
        "too_many_cells",
        using=as_text(),
        line=2,
        found=3,
        expected=2,
    ),
    refused(
        "a title above the header", b"Export du 12\nnom;prix\nTV;1\n", "too_many_cells", line=2, found=2, expected=1
    ),
]

QUOTES = [
    read(
        "line ends of all kinds in cells",
        b'a,b\r\n"1\n2","3\r\n4"\r\n"5\r6",7\r\n',
        ["a", "b"],
        ["1\n2", "3\r\n4"],
        ["5\r6", "7"],
    ),
    read("old Mac", b'a,b\r1,"x\ry"\r3,4', ["a", "b"], ["1", "x\ry"], ["3", "4"]),
    read("inches", b'nom,x\nTV 15",1\n15" TV,""""\n', ["nom", "x"], ['TV 15"', "1"], ['15" TV', '"']),
    read("a quote behind a blank", b'nom,x\na, "b"\n', ["nom", "x"], ["a", ' "b"']),
    refused("a quote left open swallows the file", b'a,b\n1,"TV\n' + b"2,Lit\n" * 400_000, "quote_open", line=2),
    refused("a quote left open at the end", b'a,b\n1,2\n3,"', "quote_open", line=3),
    refused("a quote left open in the header", b'nom;"prix\nTV;1\n', "quote_open", line=1),
    refused("a quote left open on a later line of its record", b'a,b\n"1\n2\n3","4\n5,6\n', "quote_open", line=4),
    refused("a quote left open behind old Mac line ends", b'a,b\r1,2\r3,"4\r5,6\r', "quote_open", line=3),
    refused("a quote closed by the next one", b'a,b\n1,"TV\n2,"Lit"\n3,x\n', "text_after_quote", line=2, end=3),
    refused("text behind a quote", b'a,b\n1,2\n"15" TV",2\n', "text_after_quote", line=3, end=3),
    refused("a quote amiss behind many cells", b"a,b\n" + b"1," * 200_000 + b'"x"y\n', "text_after_quote", line=2),
    refused(
        "an open quote after many rows",
        lambda: b"a,b\n" + b"1,2\n" * 300_000 + b'3,"4\n',
        "quote_open",
        line=300_002,
    ),
    refused("a cell of 50 MB", lambda: b"a,b\n1,2\n" + b"x" * 50_000_000 + b",2\n", "cell_too_long", line=3),
    refused("a quoted cell of 50 MB", lambda: b'a,b\n"' + b"x" * 50_000_000 + b'",2\n', "cell_too_long", line=2),
    refused("a cell one character too long", b'a,b\n"' + b'""' * (MAX_CELL + 1) + b'",2\n', "cell_too_long", line=2),
    read("a cell of a million characters", b'a,b\n"' + b'""' * MAX_CELL + b'",2\n', ["a", "b"], ['"' * MAX_CELL, "2"]),
    refused("a line without end", lambda: b"a,b\n" + b"1," * 9_000_000, "row_too_long", line=2),
    refused("a record without end", lambda: b"a,b\n" + b'"\n",' * 5_000_000, "row_too_long", line=2),
]

SHAPES = [
    read(
        "a short row",
        b"a,b,c\n1,2,3\n4,5\n6\n",
        list("abc"),
        list("123"),
        ["4", "5", ""],
        ["6", "", ""],
        told={"filled": 3},
    ),
    refused("a long row", b"a,b\n1,2\n\n3,4,5\n", "too_many_cells", line=4, found=3, expected=2),
    refused("a long row behind a cell of lines", b'a,b\n"1\n\n2",2\n3,4,5\n', "too_many_cells", line=5),
    read(
        "empty cells beyond the header",
        b"a;b\n1;2;;;\n3;4\n",
        list("ab"),
        list("12"),
        list("34"),
        told={"extra_empty_cells": 2},
    ),
    read(
        "unnamed empty columns at the end",
        b"a;b;;\n1;2;;\n",
        list("ab"),
        list("12"),
        told={"unnamed_columns_dropped": 1},
    ),
    read("the index and unnamed columns", b";a;;\n0;1;;\n", ["", "a"], list("01"), told={"unnamed_columns_dropped": 1}),
    refused("a value without a name", b"a;b;;\n1;2;;\n3;4;;5\n", "unnamed_cell", line=3, column=4),
    read("a last column without a name", b"a,b,\n1,2,3\n", ["a", "b", ""], list("123")),
    read("one column without a name", b"a,,c\n1,2,3\n", ["a", "", "c"], list("123")),
    refused("two columns without a name", b",a,,c\n1,2,3,4\n", "unnamed_columns", first=1, second=3, line=1),
    refused("one name twice", b"a,b,a\n1,2,3\n", "duplicate_columns", first=1, second=3, name="a"),
    refused("one name twice but for blanks", b"\na,b, a \n1,2,3\n", "duplicate_columns", first=1, second=3, line=2),
    read("names that differ", b"a,A,\xc3\xa0 \n1,2,3\n", ["a", "A", "à "], list("123")),
    refused(
        "a hundred thousand columns",
        lambda: ",".join(map(str, range(100_000))).encode() + b"\n1\n",
        "too_many_columns",
        found=100_000,
    ),
    read(
        "blank lines",
        b"\n\na,b\n\n1,2\r\n   \n\r\n3,4\n\n",
        list("ab"),
        list("12"),
        list("34"),
        told={"blank_lines": 1},
    ),
    read("empty rows above the header", b";;\na;b\n1;2\n", list("ab"), list("12"), told={"blank_lines": 1}),
    read("a row of empty cells", b"a,b\n,\n1,2\n", list("ab"), ["", ""], list("12")),
    read("carriage returns doubled", b"a,b\r\r\n1,2\r\r\n", list("ab"), list("12"), told={"blank_lines": 2}),
    read("a line end across two blocks of 7 bytes", b"abc,de\r\n1,2\r\n", ["abc", "de"], list("12")),
    read("no line end at the end", b"a,b\n1,2", list("ab"), list("12")),
    read("ids and numbers as they stand", b"a,b\n007,1e5\n-0.50,+3\n", list("ab"), ["007", "1e5"], ["-0.50", "+3"]),
    read("escaped formulas", b"a,'=b\n'=1+1,''@x\n'tis,'-5\n", ["a", "=b"], ["=1+1", "'@x"], ["'tis", "'-5"]),
    read(
        "separators that are no line ends",
        "a,b\n1\x0b\x0c\x1c\x85\u2028,2\n".encode(),
        list("ab"),
        ["1\x0b\x0c\x1c\x85\u2028", "2"],
    ),
]

CASES = NO_TABLE + ENCODINGS + DELIMITERS + QUOTES + SHAPES
