"""The files of a bundle, brought from where they are: a folder, or a ZIP that is hostile until proven otherwise.

Only what a bundle can be is taken: a few plain files side by side. Everything is counted while it is copied.
"""

import os
import re
import shutil
import stat
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, ClassVar

from model.bundle_files import BundleError
from preprocessing.errors import InputError
from preprocessing.zips import DAMAGE, METHODS, ZipRefused, is_encrypted, is_folder, is_ordinary, open_zip, overlapping

MAX_FILES = 64
MAX_BYTES = 2 * 2**30  # of all files together
MAX_RATIO = 200  # unpacked to packed, of a file of more than
RATIO_FROM = 2**20  # this many bytes
_CHUNK = 2**20
_LIST_BYTES = 2**20  # of the list of a ZIP's members
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


class ArchiveError(BundleError, InputError):
    """The files of a bundle are not taken: `reason` names the cause, `details` (always with "place") the rest."""

    SENTENCES: ClassVar[Mapping[str, str]] = {
        "not_found": "There is no folder and no ZIP at {place}: check the path.",
        "unreadable": "{place} cannot be read ({error}): check the rights, and the disk.",
        "not_a_zip": "{place} is neither a folder nor a ZIP: give the folder of a model, or a ZIP of it.",
        "damaged": "The ZIP {place} is damaged or cut short ({error}): make it or send it again.",
        "too_many": "{place} holds more than {limit} files: no model has so many.",
        "too_large": "The files in {place} are over the limit of {gigabytes} GB together.",
        "too_compressed": "{name!r} in {place} unpacks to over {limit} times its size, as decompression bombs do: "
        "make the ZIP again without compression.",
        "overlapping": "Files in the ZIP {place} lie over each other, as in a decompression bomb: make it again.",
        "name": "{place} holds {name!r}, which is no plain file name: a model is files side by side, in one folder of "
        "the ZIP at most, named by letters, digits, dots, dashes and underscores.",
        "twice": "{place} holds {name!r} twice, or another name that differs in case alone: make it again.",
        "special": "{place} holds {name!r}, which is a link, a folder or a device: a model is plain files.",
        "encrypted": "{name!r} in {place} is behind a password: make the ZIP again without one.",
        "compression": "{name!r} in {place} is compressed in a way that is not read: make the ZIP again with the "
        "usual method (deflate), or without compression.",
        "no_space": "{place} needs {needed_megabytes} MB, and there are {free_megabytes} MB left where models are "
        "kept: make room first.",
        "unwritable": "{name!r} of {place} cannot be written ({error}): check the rights and the free space.",
    }


def fetch(source: Path, target: Path) -> None:
    """Copies the files of ``source``, a folder or a ZIP of one, into the new folder ``target``; or `ArchiveError`.

    What has been written when it fails stays there. The files outlast a power cut.
    """
    try:
        if source.is_dir():
            _fetch_folder(source, target)
        elif source.is_file():
            with source.open("rb") as file:
                _fetch_zip(file, str(source), target)
        else:
            raise ArchiveError("not_found", {"place": source})
    except OSError as error:
        raise ArchiveError("unreadable", {"place": source, "error": error.strerror or error}) from error
    except ValueError as error:  # "\0" in the path
        if isinstance(error, BundleError):
            raise
        raise ArchiveError("not_found", {"place": repr(str(source))}) from error


class _Writer:
    """Writes the files of one bundle and counts their bytes, all together."""

    def __init__(self, place: str, target: Path, announced: int) -> None:
        if announced > MAX_BYTES:
            raise _too_large(place)
        try:
            target.mkdir(parents=True)
            free = shutil.disk_usage(target).free
        except OSError as error:
            raise ArchiveError("unwritable", {"place": place, "name": target.name, "error": error.strerror}) from error
        if announced > free:
            sizes = {"needed_megabytes": -(-announced // 2**20), "free_megabytes": free // 2**20}
            raise ArchiveError("no_space", {"place": place, **sizes})
        self._place, self._target, self._left = place, target, MAX_BYTES

    def write(self, name: str, data: BinaryIO, limit: int = MAX_BYTES) -> int:
        """Copies what can be read, gives its bytes; ``limit`` is what it may hold before it counts as a bomb."""
        written = 0
        with self._opened(name) as file:
            while chunk := data.read(_CHUNK):
                written += len(chunk)
                self._left -= len(chunk)
                if self._left < 0:
                    raise _too_large(self._place)
                if written > limit:
                    raise ArchiveError("too_compressed", {"place": self._place, "name": name, "limit": MAX_RATIO})
                with self._writing(name):
                    file.write(chunk)
            with self._writing(name):
                file.flush()
                os.fsync(file.fileno())
        return written

    @contextmanager
    def _opened(self, name: str) -> Iterator[BinaryIO]:
        with self._writing(name):
            file = (self._target / name).open("xb")
        with file:
            yield file

    @contextmanager
    def _writing(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            details = {"place": self._place, "name": name, "error": error.strerror or error}
            raise ArchiveError("unwritable", details) from error


def _fetch_folder(source: Path, target: Path) -> None:
    place = str(source)
    found: dict[str, os.stat_result] = {}
    with os.scandir(source) as entries:
        for entry in entries:
            found[entry.name] = state = entry.stat(follow_symlinks=False)
            if not stat.S_ISREG(state.st_mode):
                raise ArchiveError("special", {"place": place, "name": entry.name})
            if len(found) > MAX_FILES:
                raise ArchiveError("too_many", {"place": place, "limit": MAX_FILES})
    writer = _Writer(place, target, sum(state.st_size for state in found.values()))
    for name in sorted(found):
        with (source / name).open("rb") as file:
            writer.write(name, file)


def _fetch_zip(file: BinaryIO, place: str, target: Path) -> None:
    try:
        archive = open_zip(file, MAX_FILES, _LIST_BYTES, plain_bytes=2 * _CHUNK)
    except ZipRefused as error:
        details = {"place": place, "limit": MAX_FILES, "error": error}
        raise ArchiveError(error.reason, details) from error
    with archive:
        if len(archive.infolist()) > MAX_FILES:
            raise ArchiveError("too_many", {"place": place, "limit": MAX_FILES})
        members = _members(archive, place)
        if overlapping(archive):
            raise ArchiveError("overlapping", {"place": place})
        writer = _Writer(place, target, sum(info.file_size for info in members.values()))
        for name, info in members.items():
            try:
                with archive.open(info) as member:
                    written = writer.write(name, member, max(RATIO_FROM, MAX_RATIO * info.compress_size))
                if written != info.file_size:
                    raise zipfile.BadZipFile(f"{written} bytes for {info.file_size}")
            except DAMAGE as error:
                if isinstance(error, BundleError):
                    raise
                raise ArchiveError("damaged", {"place": place, "error": f"{name}: {error}"}) from error


def _members(archive: zipfile.ZipFile, place: str) -> dict[str, zipfile.ZipInfo]:
    """The files by the names they get, which climb nowhere; `ArchiveError` for what is none or cannot be read."""
    members: dict[str, zipfile.ZipInfo] = {}
    seen, tops = set(), set()
    for info in archive.infolist():
        details = {"place": place, "name": info.orig_filename}
        top, slash, name = info.orig_filename.rpartition("/")
        if (slash and not _NAME.fullmatch(top)) or not (_NAME.fullmatch(name) or (slash and not name)):
            raise ArchiveError("name", details)
        if not is_ordinary(info):
            raise ArchiveError("special", details)
        tops.add(top)
        if len(tops) > 1:
            raise ArchiveError("name", details)
        if info.orig_filename.lower() in seen:
            raise ArchiveError("twice", details)
        seen.add(info.orig_filename.lower())
        if is_folder(info):
            continue
        if is_encrypted(info):
            raise ArchiveError("encrypted", details)
        if info.compress_type not in METHODS:
            raise ArchiveError("compression", details)
        members[name] = info
    return members


def _too_large(place: str) -> ArchiveError:
    return ArchiveError("too_large", {"place": place, "gigabytes": MAX_BYTES // 2**30})
