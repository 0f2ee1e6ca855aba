"""A ZIP of pictures, read in place. It is hostile until proven otherwise: counted, weighed and checked first.

Names in it are keys and nothing else: none becomes a path of the disk.
"""

import zipfile
from typing import BinaryIO

from batch.picture_errors import PictureProblem, PictureSourceError
from batch.picture_names import is_picture
from preprocessing.image import MAX_BYTES
from preprocessing.zips import DAMAGE, METHODS, ZipRefused, is_encrypted, is_folder, is_ordinary, open_zip, overlapping

MAX_ENTRIES = 500_000
MAX_DIRECTORY_BYTES = 256 * MAX_ENTRIES  # the list of members, their names of a usual length
MAX_TOTAL_BYTES = 256 * 2**30  # unpacked, as declared
MAX_RATIO = 200  # unpacked to packed, of a member of more than
RATIO_FROM = 2**20  # this many bytes


class Zip:
    """The pictures of an open ZIP, in the order of `names`; it closes the file. PictureSourceError when refused."""

    def __init__(self, file: BinaryIO, place: str):
        self._file = file
        try:
            self._archive = _open(file, place)
            _check(self._archive, place)
        except BaseException:
            file.close()
            raise
        self._members = [info for info in self._archive.infolist() if _is_readable(info)]
        spellings = [_spellings(info) for info in self._members]
        self.names = [names[0] for names in spellings]
        self.aliases = {i: names[1:] for i, names in enumerate(spellings) if len(names) > 1}

    def read(self, position: int) -> bytes:
        """The member whole, at most MAX_BYTES; PictureProblem when it is refused."""
        info, name = self._members[position], self.names[position]
        if is_encrypted(info):
            raise PictureProblem("encrypted", {"name": name})
        if info.compress_type not in METHODS:
            raise PictureProblem("compression", {"name": name})
        _check_ratio(info, info.file_size, name)
        if info.file_size > MAX_BYTES:
            raise PictureProblem("too_large", {"name": name, "limit_megabytes": MAX_BYTES // 2**20})
        try:
            with self._archive.open(info) as member:
                data = member.read(MAX_BYTES + 1)
        except OSError as error:
            raise PictureProblem("unreadable", {"name": name, "error": str(error)}) from error
        except DAMAGE as error:
            raise PictureProblem("damaged", {"name": name}) from error
        _check_ratio(info, len(data), name)
        if len(data) != info.file_size:
            raise PictureProblem("damaged", {"name": name})
        return data

    def close(self) -> None:
        """Closes the file; nothing can be read after."""
        self._archive.close()
        self._file.close()


def _open(file: BinaryIO, place: str) -> zipfile.ZipFile:
    try:
        return open_zip(file, MAX_ENTRIES, MAX_DIRECTORY_BYTES, plain_bytes=MAX_BYTES + 1)
    except ZipRefused as error:
        details: dict[str, object] = {"place": place}
        if error.reason == "too_many":
            raise PictureSourceError("too_many_entries", details | {"limit": MAX_ENTRIES}) from error
        if error.reason == "not_a_zip":
            raise PictureSourceError("not_a_zip", details) from error
        raise PictureSourceError("damaged_zip", details | {"error": str(error)}) from error


def _check(archive: zipfile.ZipFile, place: str) -> None:
    total = sum(info.file_size for info in archive.infolist())
    if total > MAX_TOTAL_BYTES:
        sizes = {"gigabytes": -(-total // 2**30), "limit_gigabytes": MAX_TOTAL_BYTES // 2**30}
        raise PictureSourceError("too_large", {"place": place, **sizes})
    if overlapping(archive):
        raise PictureSourceError("overlapping", {"place": place})


def _check_ratio(info: zipfile.ZipInfo, size: int, name: str) -> None:
    if size > max(RATIO_FROM, MAX_RATIO * info.compress_size):
        raise PictureProblem("too_compressed", {"name": name, "limit_ratio": MAX_RATIO})


def _is_readable(info: zipfile.ZipInfo) -> bool:
    return not is_folder(info) and is_ordinary(info) and is_picture(info.filename)


def _spellings(info: zipfile.ZipInfo) -> list[str]:
    """The member's name; several where the archive does not say how it is encoded, the likely one first."""
    if info.flag_bits & 0x800 or info.filename.isascii():
        return [info.filename]
    try:
        raw = info.filename.encode("cp437")  # zipfile took it for that
        return [raw.decode("utf-8")]  # macOS writes this, and hardly anything else looks like it
    except UnicodeEncodeError:  # renamed by the archive's own Unicode field
        return [info.filename]
    except UnicodeDecodeError:  # French Windows: cp850, or cp1252 by some programs
        return list(dict.fromkeys([info.filename, raw.decode("cp850"), raw.decode("cp1252", "replace")]))
