"""What a table file is, by its content: its kind, its encoding, its delimiter. The file name only hints."""

import codecs
import io
import mmap
import re
import zipfile
from itertools import chain
from pathlib import Path

from preprocessing.table_common import TableError
from preprocessing.table_text import UTF8_MARK, TextFile, blocks, byte_order, byte_order_mark, directive, head_of

DELIMITERS = (",", ";", "\t", "|")
_BY_RARITY = ("\t", ";", "|", ",")  # in prose: of two that divide the table as well, the rarer is the delimiter
_SAMPLE = 100  # records

_ASCII = bytes(range(128))
_NOT_CP1252 = b"\x81\x8d\x8f\x90\x9d"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = re.compile(rb"PK(?:\x03\x04|\x05\x06|\x07\x08)")
_PARQUET = re.compile(rb"PAR[1E][\x00-\x08\x0e-\x1f]")
_FOREIGN = {  # recognised only to be named in the message
    "gzip": rb"\x1f\x8b",
    "bzip2": rb"BZh[1-9]1AY&SY",
    "xz": rb"\xfd7zXZ\0",
    "Zstandard": rb"\x28\xb5\x2f\xfd",
    "7-Zip": rb"7z\xbc\xaf\x27\x1c",
    "RAR": rb"Rar!\x1a\x07",
    "PDF": rb"%PDF-",
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "JPEG": rb"\xff\xd8\xff",
    "GIF": rb"GIF8[79]a",
    "WEBP": rb"RIFF.{4}WEBP",
    "TIFF": rb"II\*\0|MM\0\*",
    "SQLite": rb"SQLite format 3\0",
    "Feather": rb"ARROW1\0\0|FEA1",
    "RTF": rb"\{\\rtf",
    "UTF-32": rb"\xff\xfe\0\0|\0\0\xfe\xff",
    "HTML or XML": rb"(?i)(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|table|meta|\?xml)\b",
    "JSON": rb'(?:\xef\xbb\xbf)?\s*(?:\{\s*"|\[\s*[\[{"])',
}
_OFFICE = {  # what [Content_Types].xml names
    b"spreadsheetml.sheet.main": "XLSX",
    b"spreadsheetml.template.main": "XLSX",
    b"ms-excel.sheet.macroEnabled": "XLSX",
    b"ms-excel.template.macroEnabled": "XLSX",
    b"ms-excel.sheet.binary": "XLSB",
    b"wordprocessingml": "DOCX",
    b"presentationml": "PPTX",
}


def kind_of(path: Path) -> str:
    """Whether the file is "text", "xlsx" or "parquet"; TableError names anything else."""
    head = head_of(path)
    if not head:
        raise TableError("empty")
    if _ZIP.match(head):
        return _kind_of_zip(path)
    if _PARQUET.match(head):
        if head.startswith(b"PARE"):
            raise TableError("encrypted", {"format": "Parquet"})
        return "parquet"
    if head.startswith(_OLE):
        raise _kind_of_ole(path)
    for name, signature in _FOREIGN.items():
        if re.match(signature, head, re.DOTALL):
            raise TableError("wrong_kind", {"format": name})
    return "text"


def _kind_of_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if any(part.flag_bits & 1 for part in archive.infolist()):
                raise TableError("encrypted", {"format": "ZIP or XLSX"})
            if "[Content_Types].xml" in names:
                with archive.open("[Content_Types].xml") as part:
                    types = part.read(1 << 20)
            else:
                types = b""
    except TableError:
        raise
    except Exception as error:  # on bad bytes zipfile raises half a dozen types with no common base
        raise TableError("damaged", {"format": "ZIP or XLSX"}) from error
    kind = next((kind for mark, kind in _OFFICE.items() if mark in types), "ZIP")
    if kind == "XLSX":
        return "xlsx"
    if kind == "ZIP" and {"mimetype", "content.xml"} <= names:
        kind = "OpenDocument (ODS)"
    if kind == "ZIP" and any(name.endswith(".iwa") for name in names):
        kind = "Apple Numbers"
    raise TableError("wrong_kind", {"format": kind})


def _kind_of_ole(path: Path) -> TableError:
    """An Office file from before 2007, or a later one with a password."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data.find("EncryptedPackage".encode("utf-16-le")) >= 0:
            return TableError("encrypted", {"format": "XLSX"})
        old = any(data.find(f"{name}\0".encode("utf-16-le")) >= 0 for name in ("Workbook", "Book"))
    return TableError("wrong_kind", {"format": "XLS (Excel before 2007)" if old else "an old Office document"})


def encoding_of(path: Path) -> str:
    """The encoding of a text file, checked to its last byte; TableError names the line and byte that fit none."""
    head = head_of(path)
    marked = byte_order_mark(head)
    if encoding := byte_order(head) if marked is None else "utf-16" if marked != "utf-8" else None:
        return encoding
    not_utf8, not_cp1252 = _first_misfits(path)
    if not_utf8 is None:
        return "utf-8-sig" if marked else "utf-8"
    if marked or _is_mixed(path):
        raise TableError("mixed_encoding", _place(path, not_utf8))
    if not_cp1252 is not None:
        raise TableError("unknown_encoding", _place(path, not_cp1252))
    return "cp1252"


def _first_misfits(path: Path) -> tuple[int | None, int | None]:
    """The offsets of the first byte that is no UTF-8 and of the first that is no cp1252; TableError at a NUL."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset, not_utf8, not_cp1252 = 0, None, None
    for block in chain(blocks(path), [b""]):
        if 0 in block:
            place = _place(path, offset + block.index(0))
            raise TableError("nul", {"line": place["line"]})
        if not_utf8 is None:
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                not_utf8 = offset + len(block) - len(error.object) + error.start
        if not_cp1252 is None:
            not_cp1252 = min((offset + block.index(byte) for byte in _NOT_CP1252 if byte in block), default=None)
        offset += len(block)
    return not_utf8, not_cp1252


def _is_mixed(path: Path) -> bool:
    """Whether a file that is not UTF-8 is so in part: cp1252 would turn every "é" of that part into "Ã©"."""
    decoder = codecs.getincrementaldecoder("utf-8")("ignore")
    marks = above_ascii = 0
    for block in blocks(path):
        text = decoder.decode(block)
        marks += 0 if text.isascii() else len(UTF8_MARK.findall(text))
        above_ascii += len(block.translate(None, _ASCII))
    return 12 * marks >= above_ascii


def _place(path: Path, offset: int) -> dict[str, object]:
    """The line (from 1) and the byte at an offset of a file whose line ends are single bytes."""
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("latin-1")(), translate=True)
    line = 1
    with path.open("rb") as file:
        while rest := offset - file.tell():
            line += decoder.decode(file.read(min(rest, 1 << 20))).count("\n")
        return {"line": line + decoder.decode(b"", final=True).count("\n"), "byte": file.read(1).hex().upper()}


def delimiter_of(path: Path, codec: str, name: str = "") -> str | None:
    """The delimiter of a text file, None where it has one column; TableError if it has no record at all.

    The header decides: only what divides it can be the delimiter. Between several, the one that divides most of the
    first records like the header, then the one that leaves no name with a blank before it or half its quotation marks,
    then the one that finds most columns.
    """
    first = next(TextFile(path, codec, None).lines(), "")
    if named := directive(first):
        return named
    samples = {delimiter: _Sample(path, codec, delimiter) for delimiter in _BY_RARITY}
    dividing = [delimiter for delimiter, sample in samples.items() if sample.width > 1]
    if dividing:
        hinted = "\t" if name.lower().endswith((".tsv", ".tab")) else None
        return max(dividing, key=lambda delimiter: samples[delimiter].merit(delimiter == hinted))
    if not all(sample.rows or sample.broken for sample in samples.values()):
        raise TableError("no_content")
    # A header with a broken quote, or a title without delimiters above the table: reading on will name the line.
    suspects = [delimiter for delimiter, sample in samples.items() if sample.is_suspect(delimiter, first)]
    return suspects[0] if suspects else None


class _Sample:
    """The first records of a file as one delimiter divides them."""

    def __init__(self, path: Path, codec: str, delimiter: str):
        self.rows: list[list[str]] = []
        self.broken = False
        try:
            for _, cells in TextFile(path, codec, delimiter).records():
                if any(map(str.strip, cells)):
                    self.rows.append(cells)
                if len(self.rows) == _SAMPLE:
                    break
        except TableError:  # whoever reads the table meets it again
            self.broken = True
        self.width = len(self.rows[0]) if self.rows else 0

    def merit(self, hinted: bool) -> tuple[float, bool, int, int]:
        fitting = sum(
            len(row) == self.width or not any(row[self.width :]) for row in self.rows if len(row) >= self.width
        )
        flawed = sum(name[:1].isspace() or name.count('"') % 2 for name in self.rows[0])
        return fitting / (len(self.rows) + self.broken), hinted, -flawed, self.width

    def is_suspect(self, delimiter: str, first_line: str) -> bool:
        if not self.rows:
            return self.broken and delimiter in first_line
        widths = {len(row) for row in self.rows[1:]}
        return delimiter != "," and len(self.rows) > 2 and len(widths) == 1 and widths != {1}
