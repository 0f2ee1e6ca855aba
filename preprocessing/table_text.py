"""Delimited text → records, block by block, with the line of the file where each starts."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from preprocessing.table_common import MAX_CELL, MAX_ROW, Records, TableError

HEAD = 1 << 16  # bytes that say whether a file is UTF-16
_BLOCK = 1 << 20  # bytes read at once
_ONE_COLUMN = "\0"  # a delimiter that no text holds: NULs are refused

_BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
# What Western text holds beside ASCII. As UTF-8, its bytes hardly ever stand together in cp1252 ("Ã©", "Â°", "â€™").
UTF8_MARK = re.compile("[\x80-\xff\u2000-\u20bf\ufeff]")

_SEPARATOR = re.compile(r"sep=([^\w\s\"']|\t)", re.IGNORECASE)  # a first line that Excel writes and reads, not data
_QUOTED = re.compile(r'"[^"]*+(?:""[^"]*+)*+"')
_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(r"[+-](?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?")


def dangerous(cell: str) -> bool:
    """Whether a spreadsheet might run the cell as a formula (CWE-1236), apostrophes before it left aside."""
    bare = cell.lstrip("'")
    return bool(_FORMULA.match(bare)) and not _NUMBER.fullmatch(bare)


def escape(cell: str) -> str:
    """The cell as it may stand in delimited text that a spreadsheet opens; `unescape` undoes it exactly."""
    return f"'{cell}" if dangerous(cell) else cell


def unescape(cell: str) -> str:
    """The cell before `escape`."""
    return cell[1:] if cell.startswith("'") and dangerous(cell) else cell


def blocks(path: Path) -> Iterator[bytes]:
    """The file's bytes, some at a time."""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def head_of(path: Path) -> bytes:
    """The first bytes of the file."""
    with path.open("rb") as file:
        return file.read(HEAD)


def byte_order_mark(head: bytes) -> str | None:
    """The codec that the file's first bytes announce."""
    return next((codec for mark, codec in _BOMS.items() if head.startswith(mark)), None)


def byte_order(head: bytes) -> str | None:
    """The UTF-16 codec of bytes without mark, by where their NULs are: ASCII has one in every pair. None if not so."""
    high, low = head[0::2].count(0), head[1::2].count(0)
    codec = "utf-16-be" if high > low else "utf-16-le"
    if 40 * max(high, low) < len(head) or 20 * min(high, low) > max(high, low):
        return None
    return codec if re.search(r"[\r\n]", head.decode(codec, "ignore")) else None


def codec_of(path: Path, encoding: str) -> str:
    """The codec to read the file with, without its mark; TableError if the file plainly has another encoding."""
    head = head_of(path)
    actual = byte_order_mark(head)
    if encoding.startswith("utf-16"):
        actual = actual or byte_order(head)
        fits = encoding != "utf-16" and 0 in head[encoding == "utf-16-le" :: 2]
        if actual is None and not fits:
            raise TableError("not_utf16", {"chosen": encoding})
        actual = actual or encoding
        if not actual.startswith(encoding):
            raise TableError("wrong_encoding", {"chosen": encoding, "actual": actual})
        return actual
    if actual and actual != "utf-8":
        raise TableError("wrong_encoding", {"chosen": encoding, "actual": "utf-16"})
    if encoding == "cp1252" and _is_utf8(path):
        raise TableError("wrong_encoding", {"chosen": encoding, "actual": "utf-8"})
    return "utf-8" if encoding == "utf-8-sig" else encoding


def _is_utf8(path: Path) -> bool:
    """Whether all the file is UTF-8 and some of it can hardly be anything else."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    marked = False
    try:
        for block in blocks(path):
            text = decoder.decode(block)
            marked = marked or bool(UTF8_MARK.search(text))
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return marked


def directive(line: str) -> str | None:
    """The delimiter that a first line such as "sep=;" names."""
    match = _SEPARATOR.fullmatch(line.rstrip("\r\n"))
    return match[1] if match else None


class TextFile:
    """A file of delimited text; a `delimiter` of None makes one column of it."""

    def __init__(self, path: Path, codec: str, delimiter: str | None):
        self._path, self._codec = path, codec
        self._delimiter = delimiter or _ONE_COLUMN
        self._done = 0  # the last line of the records that are complete
        self._cut = False  # whether the last of the lines handed out is only the start of one

    def records(self) -> Records:
        """Each record as cells, formula escapes undone; a blank line is a record without cells. TableError."""
        csv.field_size_limit(MAX_CELL)  # one for the whole process: another library may have changed it
        reader = csv.reader(self.lines(bounded=True), delimiter=self._delimiter, strict=True)
        start = 1
        try:
            for cells in reader:
                if self._cut:
                    raise self._too_long()
                self._done = reader.line_num
                if start > 1 or not directive(self._delimiter.join(cells)):
                    for cell in cells:
                        if cell[:1] == "'":
                            cells = [unescape(each) for each in cells]
                            break
                    yield start, cells
                start = self._done + 1
        except csv.Error:
            raise self._explained(start, reader.line_num) from None

    def lines(self, bounded: bool = False) -> Iterator[str]:
        """The lines with their ends (\\n, \\r\\n or \\r); TableError at what cannot be read.

        When `bounded`, the records made of them may not grow without end.
        """
        line, carry, pending, done = 0, "", 0, 0
        for text, problem in self._decoded():
            pending = pending + len(text) if done == self._done else 0
            done, text = self._done, carry + text
            if problem:
                raise TableError(problem[0], {"line": line + 1 + line_breaks(text), **problem[1]})
            pieces = io.StringIO(text, newline="").readlines()
            carry = "" if text.endswith("\n") else pieces.pop()  # a last "\r" may be half of "\r\n"
            line += len(pieces)
            yield from pieces
            if cut := len(carry) > MAX_ROW:
                self._cut = True
                yield carry  # the csv module finds out whether it is one long cell
            if cut or (bounded and pending > MAX_ROW):
                raise self._too_long()
        if carry:
            yield carry

    def _too_long(self) -> TableError:
        return TableError("row_too_long", {"unit": "Line", "line": self._done + 1, "limit": MAX_ROW})

    def _decoded(self) -> Iterator[tuple[str, tuple[str, dict[str, object]] | None]]:
        """The text a block at a time; with the last one the problem that stands behind it, if there is one."""
        decoder = codecs.getincrementaldecoder(self._codec)()
        first = True
        for block in chain(blocks(self._path), [b""]):
            problem = None
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                text = error.object[: error.start].decode(self._codec)
                problem = "bad_bytes", {"byte": f"{error.object[error.start]:02X}", "encoding": self._codec}
            if first:
                text, first = text.removeprefix("ï»¿").lstrip("\ufeff"), False
            if "\0" in text:
                text, problem = text[: text.index("\0")], ("nul", {})
            if text or problem:
                yield text, problem

    def _explained(self, start: int, end: int) -> TableError:
        """What the csv module stumbled over in the record that starts on line `start`, when it had read line `end`."""
        text = "".join(islice(self.lines(), start - 1, end))
        plain = re.compile(f"[^{re.escape(self._delimiter)}\r\n]*+")
        position, length = 0, 0
        while position < len(text) and length <= MAX_CELL:
            opened = position
            match = _QUOTED.match(text, opened)
            if match is None and text[opened] == '"':
                if len(text) - opened <= MAX_CELL or line_breaks(text[opened:].rstrip("\r\n")):
                    return TableError("quote_open", {"line": start + line_breaks(text[:opened]), "limit": MAX_CELL})
                break
            close = (match or plain.match(text, opened)).end()
            if match and text[close : close + 1] not in {self._delimiter, "\r", "\n", ""}:
                lines = {"line": start + line_breaks(text[:opened]), "end": start + line_breaks(text[:close])}
                return TableError("text_after_quote", lines)
            length = len(match[0][1:-1].replace('""', '"')) if match else close - opened
            position = close + 1
        line = start + line_breaks(text[:opened])
        return TableError("cell_too_long", {"unit": "Line", "line": line, "limit": MAX_CELL})


def line_breaks(text: str) -> int:
    """How many lines end in the text, each by \\n, \\r\\n or \\r."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")
