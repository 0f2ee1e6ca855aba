"""The pictures beside a table: where they are, looked up without a system call for each, and their hashes."""

import errno
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from model.training.data.errors import DataError, Problem
from model.training.data.examples import Example

_NUMBER = re.compile(r"[0-9]{1,20}")
_NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG}
_THREADS, _TASK = 2, 64  # the pictures of a task

Progress = Callable[..., Iterable]
"""Called as tqdm is: with an iterable and `total`, it hands the iterable's items on."""


class OutsideError(ValueError):
    """A picture that lies outside the folders it may be in."""


def official_name(imageid: str, productid: str) -> str | None:
    """What the challenge calls a listing's picture; None unless both are numbers."""
    if not (_NUMBER.fullmatch(imageid) and _NUMBER.fullmatch(productid)):
        return None
    return f"image_{imageid}_product_{productid}.jpg"


def listed(folder: Path) -> dict[str, str]:
    """The files right in a folder: name → absolute path. Empty when there is no such folder; OSError."""
    return {name: path for name, path, _ in _scan(os.path.abspath(folder))}


def _scan(folder: str) -> list[tuple[str, str, bool]]:
    """Name, path and whether it is a link of each file: what listing a folder tells without asking for each."""
    try:
        with os.scandir(folder) as entries:
            return [(entry.name, entry.path, entry.is_symlink()) for entry in entries if entry.is_file()]
    except OSError as error:
        if error.errno in _NOT_THERE:
            return []
        raise


class PictureFolders:
    """Finds pictures below some folders and nowhere else, links included. Each folder named is listed once."""

    def __init__(self, *folders: Path) -> None:
        self._roots = [os.path.realpath(folder) for folder in folders]
        self._listed: dict[str, dict[str, bool]] = {}

    def find(self, name: str) -> str | None:
        """The absolute path of the picture at a relative path, None if there is none; OutsideError, OSError."""
        if "\0" in name:
            return None
        if os.path.isabs(name):
            name = os.path.join(os.path.realpath(os.path.dirname(name)), os.path.basename(name))
        paths = {root: os.path.normpath(os.path.join(root, name.replace("\\", "/"))) for root in self._roots}
        below = [path for root, path in paths.items() if path.startswith(os.path.join(root, ""))]
        for path in below:
            folder, base = os.path.split(path)
            within = self._files(folder).get(base)
            if within is not None:
                if not within:
                    raise OutsideError(name)
                return path
        if not below:
            raise OutsideError(name)
        return None

    def _files(self, folder: str) -> dict[str, bool]:
        """The files of a folder, and whether each is really below the roots."""
        if folder not in self._listed:
            if not self._holds(os.path.join(os.path.realpath(folder), "")):
                raise OutsideError(folder)
            self._listed[folder] = {
                name: not is_link or self._holds(os.path.realpath(path)) for name, path, is_link in _scan(folder)
            }
        return self._listed[folder]

    def _holds(self, path: str) -> bool:
        return any(path.startswith(os.path.join(root, "")) for root in self._roots)


def picture_hashes(examples: Sequence[Example], progress: Progress | None = None) -> list[str | None]:
    """sha256 of each row's picture file, hexadecimal, None without picture. DataError when one cannot be read."""
    paths = list(dict.fromkeys(row.picture for row in examples if row.picture is not None))
    found = _hashes(paths)
    hashes = dict(zip(paths, progress(found, total=len(paths)) if progress else found, strict=True))
    return [None if row.picture is None else hashes[row.picture] for row in examples]


def _hashes(paths: Sequence[str]) -> Iterator[str]:
    tasks = [paths[start : start + _TASK] for start in range(0, len(paths), _TASK)]
    pool = ThreadPoolExecutor(_THREADS)
    try:
        for hashes in pool.map(lambda task: list(map(_hash, task)), tasks):
            yield from hashes
    finally:
        pool.shutdown(cancel_futures=True)


def _hash(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        problem = Problem("unreadable", {"file": os.path.basename(path), "error": error.strerror or str(error)})
        raise DataError("files", {"place": os.path.dirname(path), "problems": (problem,)}) from error
