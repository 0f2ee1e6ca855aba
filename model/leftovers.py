"""What exports and trainings leave in the home, found and removed once nobody has touched it for long."""

import shutil
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from model.bundle_files import BundleError, read_manifest
from model.exported import EXPORT_VERSION
from model.versions import ModelStore
from settings import SHIPPED_BUNDLE, settings

INCOMING = "incoming"
"""Folder of the home in which uploaded models wait for their check."""
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Leftovers:
    """``folders`` that can go, and their bytes."""

    folders: tuple[Path, ...] = ()
    bytes: int = 0


def leftovers(home: Path, days: int, in_use: Collection[str] = ()) -> Leftovers:
    """What nobody has touched for ``days``: exports of models that are not installed, trainings, uploads cut off.

    ``in_use``: versions of models that jobs still need.
    """
    kept = {f"{version}-{EXPORT_VERSION}" for version in {*in_use, *_installed(home)}}
    exports = [path for path in _folders(home / "exports") if path.name not in kept]
    found = [*exports, *_folders(home / "train"), *_folders(home / INCOMING)]
    before = time.time() - days * _DAY
    old = [(path, *_extent(path)) for path in found]
    going = [(path, size) for path, size, touched in old if touched < before]
    return Leftovers(tuple(path for path, _size in going), sum(size for _path, size in going))


def sweep(home: Path, days: int, in_use: Collection[str] = ()) -> Leftovers:
    """Removes them; gives what was removed."""
    found = leftovers(home, days, in_use)
    for folder in found.folders:
        shutil.rmtree(folder, ignore_errors=True)
    return found


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
