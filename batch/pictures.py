"""The pictures beside a table: a folder or a ZIP, here or behind an fsspec URL, read in place and never unpacked."""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

import fsspec
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from batch.archive import MAX_ENTRIES, Zip
from batch.picture_errors import PictureProblem, PictureSourceError
from batch.picture_names import NameIndex, is_picture, official_name
from preprocessing.image import MAX_BYTES

__all__ = ["PictureProblem", "PictureSourceError", "Pictures", "official_name", "open_pictures"]

_BLOCK = 2**18  # read at once from a remote ZIP: one request for most pictures


class _Source(Protocol):
    names: list[str]  # relative paths
    aliases: Mapping[int, Iterable[str]]  # other spellings, by position in `names`

    def read(self, position: int) -> bytes: ...
    def close(self) -> None: ...


class Pictures:
    """An open source of pictures. Threads may share it; a process opens its own, a forked one too."""

    def __init__(self, source: _Source):
        self._source = source
        self._index = NameIndex(source.names, source.aliases)

    def __len__(self) -> int:
        return len(self._source.names)

    def __enter__(self) -> "Pictures":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the file behind it."""
        self._source.close()

    def find(self, name: str) -> str:
        """The relative path of the picture that a table calls `name`; PictureProblem "missing" or "ambiguous"."""
        return self._source.names[self._index.position(name)]

    def read(self, name: str) -> bytes:
        """Its bytes as stored, at most MAX_BYTES and not looked into; PictureProblem when they cannot be had."""
        return self._source.read(self._index.position(name))


def open_pictures(place: str) -> Pictures:
    """The folder or ZIP at a path or an fsspec URL, its names indexed; PictureSourceError when refused."""
    try:
        source = _open(place)
    except (PictureSourceError, MemoryError):
        raise
    except FileNotFoundError as error:
        raise PictureSourceError("not_found", {"place": place}) from error
    except Exception as error:  # the drivers behind fsspec share no base for theirs
        raise PictureSourceError("unreadable", {"place": place, "error": str(error)}) from error
    if not source.names:
        source.close()
        raise PictureSourceError("no_pictures", {"place": place})
    return Pictures(source)


def _open(place: str) -> _Source:
    if "://" not in place:
        return _open_local(place, place)
    if "::" in place:  # a chain would copy or unpack by means that no limit here sees
        raise PictureSourceError("address", {"place": place, "error": "several addresses in one"})
    try:
        fs, path = url_to_fs(place)
    except (ImportError, ValueError) as error:
        raise PictureSourceError("address", {"place": place, "error": str(error)}) from error
    if isinstance(fs, LocalFileSystem):
        return _open_local(path, place)
    if fs.info(path)["type"] == "directory":
        return _RemoteFolder(fs, path, place)
    return Zip(fs.open(path, "rb", block_size=_BLOCK, cache_type="readahead"), place)


def _open_local(path: str, place: str) -> _Source:
    if os.path.isdir(path):
        return _LocalFolder(path, place)
    if not os.path.isfile(path):  # a pipe would wait for ever
        raise PictureSourceError("not_found", {"place": place})
    return Zip(open(path, "rb"), place)


class _LocalFolder:
    aliases: Mapping[int, Iterable[str]] = {}

    def __init__(self, path: str, place: str):
        self._root = os.path.join(os.path.realpath(path), "")  # ends with a separator: "in" does not hold "inner"
        self.names = sorted(_limited(self._walk(), place))

    def _walk(self) -> Iterator[str]:
        folders = [self._root]
        while folders:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    elif entry.is_file(follow_symlinks=False) or self._resolved(entry.path):
                        yield entry.path[len(self._root) :]

    def _resolved(self, path: str) -> str | None:
        """Where a path ends, links followed; None unless that is a file below the root."""
        resolved = os.path.realpath(path)
        return resolved if resolved.startswith(self._root) and os.path.isfile(resolved) else None

    def read(self, position: int) -> bytes:
        name = self.names[position]
        path = self._resolved(os.path.join(self._root, name))  # again: it may have become a link since
        if path is None:
            raise PictureProblem("missing", {"name": name})
        try:
            with open(path, "rb") as file:
                return _bounded(file.read(MAX_BYTES + 1), name)
        except OSError as error:
            raise PictureProblem("unreadable", {"name": name, "error": str(error)}) from error

    def close(self) -> None:
        pass


class _RemoteFolder:
    aliases: Mapping[int, Iterable[str]] = {}

    def __init__(self, fs: fsspec.AbstractFileSystem, path: str, place: str):
        self._fs, self._root = fs, path.rstrip("/")
        self.names = sorted(_limited(self._walk(), place))

    def _walk(self) -> Iterator[str]:
        folders = [self._root]  # fs.walk() would leave out a folder that cannot be listed, and not say so
        while folders:
            folder = folders.pop()
            for entry in self._fs.ls(folder or "/", detail=True):
                path = entry["name"].rstrip("/")
                if not path.startswith(f"{folder}/"):  # itself, or a link to elsewhere
                    continue
                if entry["type"] == "directory":
                    folders.append(path)
                else:
                    yield path[len(self._root) + 1 :]

    def read(self, position: int) -> bytes:
        name = self.names[position]
        try:
            data = self._fs.cat_file(f"{self._root}/{name}", start=0, end=MAX_BYTES + 1)
        except FileNotFoundError as error:
            raise PictureProblem("missing", {"name": name}) from error
        except Exception as error:  # as in open_pictures
            raise PictureProblem("unreadable", {"name": name, "error": str(error)}) from error
        return _bounded(data, name)

    def close(self) -> None:
        pass


def _limited(names: Iterator[str], place: str) -> Iterator[str]:
    for count, name in enumerate(names, 1):
        if count > MAX_ENTRIES:
            raise PictureSourceError("too_many_entries", {"place": place, "limit": MAX_ENTRIES})
        if is_picture(name):
            yield name


def _bounded(data: bytes, name: str) -> bytes:
    if len(data) > MAX_BYTES:
        raise PictureProblem("too_large", {"name": name, "limit_megabytes": MAX_BYTES // 2**20})
    return data
