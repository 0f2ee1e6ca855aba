"""What exports and trainings leave in the home, found and removed once nobody has touched it for long."""

import shutil
import time
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from model.bundle_files import BundleError, read_manifest
from model.exported import EXPORT_VERSION
from model.versions import ModelStore
from settings import SHIPPED_BUNDLE, settings

INCOMING = "incoming"
"""Folder of the home in which uploaded models wait for their check, each in a folder that is locked meanwhile."""
_LOCK = "lock"
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Leftovers:
    """``folders`` that can go, and their bytes."""

    folders: tuple[Path, ...] = ()
    bytes: int = 0


def leftovers(home: Path, days: int, in_use: Collection[str] = ()) -> Leftovers:
    """What nobody has touched for ``days``: exports of models that are not installed, and trainings; and at once,
    uploads of a process that has ended.

    ``in_use``: versions of models that jobs still need.
    """
    kept = {f"{version}-{EXPORT_VERSION}" for version in {*in_use, *_installed(home)}}
    exports = [path for path in _folders(home / "exports") if path.name not in kept]
    begun = [path for path in _folders(home / INCOMING) if path.name.startswith(".")]
    found = [*exports, *_folders(home / "train"), *begun]
    before = time.time() - days * _DAY
    old = [(path, *_extent(path)) for path in found]
    going = [(path, size) for path, size, touched in old if touched < before]
    going += [(path, _extent(path)[0]) for path in cut_off(home)]
    return Leftovers(tuple(path for path, _size in going), sum(size for _path, size in going))


def sweep(home: Path, days: int, in_use: Collection[str] = ()) -> Leftovers:
    """Removes them; gives what was removed."""
    found = leftovers(home, days, in_use)
    for folder in found.folders:
        shutil.rmtree(folder, ignore_errors=True)
    return found


@contextmanager
def incoming(home: Path) -> Iterator[Path]:
    """A folder for an upload, gone at the end; whoever looks meanwhile sees that somebody is at work in it. OSError."""
    place = home / INCOMING / uuid.uuid4().hex
    made = place.with_name(f".{place.name}")  # until it is locked
    made.mkdir(parents=True)
    try:
        with FileLock(made / _LOCK, thread_local=False):  # another thread may end it
            try:
                made.rename(place)
                yield place
            finally:
                shutil.rmtree(place, ignore_errors=True)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def cut_off(home: Path) -> list[Path]:
    """Folders of uploads whose process has ended before they were checked."""
    return [path for path in _folders(home / INCOMING) if not path.name.startswith(".") and _is_nobodys(path)]


def _is_nobodys(folder: Path) -> bool:
    if not (folder / _LOCK).exists():
        return True
    try:
        with FileLock(folder / _LOCK, timeout=0):
            return True
    except (Timeout, OSError):
        return False


def _installed(home: Path) -> set[str]:
    """Versions of the models there are. One whose manifest cannot be read has its folder's name."""
    named = settings().named_bundle
    folders = [SHIPPED_BUNDLE, *(model.path for model in ModelStore(home).installed()), *([named] if named else [])]
    versions = {folder.name for folder in folders}
    for folder in folders:
        try:
            versions.add(read_manifest(folder)["version"])
        except BundleError:
            continue
    return versions


def _folders(folder: Path) -> list[Path]:
    """Folders side by side; links are left alone, and so is all of a folder that is one."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())


def _extent(folder: Path) -> tuple[int, float]:
    """Bytes of all files below, and when anything there was last changed."""
    size, touched = 0, 0.0
    for path in [folder, *folder.rglob("*")]:
        try:
            found = path.lstat()
        except OSError:  # gone meanwhile, so somebody is at work
            return size, time.time()
        touched = max(touched, found.st_mtime)
        size += found.st_size if path.is_file() else 0
    return size, touched
