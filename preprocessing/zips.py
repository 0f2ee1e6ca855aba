"""A ZIP is hostile until proven otherwise: what whoever opens one looks at, whatever is in it."""

import stat
import struct
import zipfile
import zlib
from itertools import pairwise
from typing import BinaryIO, Literal

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The compressions that are read; others unpack without bound."""
DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError)
"""What reading a damaged member raises."""


class ZipRefused(Exception):
    """An archive that is not opened; `reason` names the cause."""

    def __init__(self, reason: Literal["not_a_zip", "damaged", "too_many"], error: str = "") -> None:
        super().__init__(error)
        self.reason = reason


class _Guarded:
    """The file, refusing a list of members too long to hold before zipfile makes objects of it."""

    def __init__(self, file: BinaryIO, members: int, list_bytes: int, plain_bytes: int) -> None:
        self._file, self._members, self._list_bytes, self._plain_bytes = file, members, list_bytes, plain_bytes
        self.seek, self.tell, self.seekable, self.close = file.seek, file.tell, file.seekable, file.close

    def read(self, size: int = -1) -> bytes:
        if size <= self._plain_bytes:
            return self._file.read(size)
        if size <= self._list_bytes:
            data = self._file.read(size)
            if data.count(b"PK\x01\x02") <= self._members:
                return data
        raise ZipRefused("too_many")


def open_zip(file: BinaryIO, members: int, list_bytes: int, plain_bytes: int) -> zipfile.ZipFile:
    """The archive, or `ZipRefused`. Closing it leaves the file open.

    Its list of members may hold ``members`` and ``list_bytes``. Reads up to ``plain_bytes`` are not looked at: they
    are of members, or of a list that is short.
    """
    start = file.read(2)
    try:
        return zipfile.ZipFile(_Guarded(file, members, list_bytes, plain_bytes))
    except (zipfile.BadZipFile, NotImplementedError, struct.error, ValueError, OverflowError) as error:
        raise ZipRefused("damaged" if start == b"PK" else "not_a_zip", str(error)) from error


def overlapping(archive: zipfile.ZipFile) -> bool:
    """Whether members lie over each other or over the list of them, as in a bomb that uses its bytes many times."""
    # At least 30 bytes and its name stand before a member; the list of members comes after all of them.
    spans = [
        (i.header_offset, i.header_offset + 30 + len(i.orig_filename) + i.compress_size) for i in archive.infolist()
    ]
    spans = [*sorted(spans), (archive.start_dir, archive.start_dir)]
    return any(end > start for (_, end), (start, _) in pairwise(spans))


def is_encrypted(info: zipfile.ZipInfo) -> bool:
    """By a password, or by a certificate."""
    return bool(info.flag_bits & 0x41)


def is_folder(info: zipfile.ZipInfo) -> bool:
    """Whether the name is of a folder; ``ZipInfo.is_dir`` fails on an empty one."""
    return info.filename.endswith(("/", "\\"))


def is_ordinary(info: zipfile.ZipInfo) -> bool:
    """Neither, by its Unix mode, a link nor a device."""
    kinds = (0, stat.S_IFDIR if is_folder(info) else stat.S_IFREG)
    return stat.S_IFMT(info.external_attr >> 16) in kinds
