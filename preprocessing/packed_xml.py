"""A ZIP archive of XML parts, as an XLSX file is one, that takes no more memory than it should."""

import os
from collections.abc import Iterator
from typing import IO, BinaryIO
from xml.etree.ElementTree import Element  # nosec B405 # the type alone; defusedxml reads
from zipfile import ZipFile

from defusedxml.ElementTree import iterparse

from preprocessing.table_common import TableError

MAX_UNPACKED = 2 << 30  # bytes of all parts together
MAX_RATIO = 200  # of a large part to what it takes packed; XML of real tables stays below 100
MAX_PART = 16 << 20  # bytes of a part that is read whole
MAX_ELEMENT = 4 << 20  # bytes of the XML of one row or string: a cell may have a million characters
_LARGE = 8 << 20


class ElementTooLong(ValueError):
    """One element takes more bytes than MAX_ELEMENT."""


class PackedXml(ZipFile):
    """The archive; TableError if it is a bomb. What its directory declares is what is read: zipfile stops there."""

    def __init__(self, file: BinaryIO):
        super().__init__(file)
        parts = self.infolist()
        if sum(part.compress_size for part in parts) > file.seek(0, os.SEEK_END):
            raise ValueError("parts overlap, or claim to be longer than they are")
        total = sum(part.file_size for part in parts)
        dense = any(part.file_size > max(_LARGE, MAX_RATIO * part.compress_size) for part in parts)
        if dense or total > MAX_UNPACKED:
            raise _bomb(total, MAX_UNPACKED)

    def check_size(self, name: str, limit: int) -> None:
        """TableError if the part unpacks to more bytes than the limit."""
        if (size := self.getinfo(name).file_size) > limit:
            raise _bomb(size, limit)

    def read(self, name: str, pwd: bytes | None = None) -> bytes:
        """A part that is needed whole; TableError if it is too large for that."""
        self.check_size(name, MAX_PART)
        return super().read(name, pwd)

    def elements(self, name: str, container: str, tag: str) -> Iterator[Element]:
        """The elements of a tag in the part's container, each to be used before the next is asked for.

        ElementTooLong if one of them takes more than MAX_ELEMENT.
        """
        with self.open(name) as part:
            source = _Measured(part)
            holder = None
            for event, element in iterparse(source, events=("start", "end"), forbid_dtd=True):
                if element.tag == container:
                    holder = element
                    if event == "end":
                        return
                elif event == "end" and element.tag == tag and holder is not None:
                    yield element
                    holder.clear()  # and with it all its elements so far
                    source.pending = 0


class _Measured:
    """A part whose reader must come to the end of an element now and then."""

    def __init__(self, part: IO[bytes]):
        self._part = part
        self.pending = 0

    def read(self, size: int) -> bytes:
        data = self._part.read(size)
        self.pending += len(data)
        if self.pending > MAX_ELEMENT:
            raise ElementTooLong
        return data


def _bomb(size: int, limit: int) -> TableError:
    limits = {"limit_megabytes": limit >> 20, "limit_ratio": MAX_RATIO}
    return TableError("zip_bomb", {"megabytes": -(-size >> 20), **limits})
