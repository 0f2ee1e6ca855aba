"""The models of this server: installed side by side, one of them active. Loads without TensorFlow.

A model is a folder below ``RAYON_HOME/models``, named by its version; beside them a pointer says which is active.
Whoever is killed in the middle of anything here leaves the state of before.
"""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from model.apart import check_apart
from model.archive import fetch
from model.bundle_files import BundleError, read_checked, read_manifest
from model.pointer import (
    POINTER,
    Activation,
    VersionError,
    is_version,
    read_pointer,
    sync_folder,
    unwritable,
    write_pointer,
)
from settings import SHIPPED_BUNDLE, settings

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model of this server. ``created`` is the day it was made, empty when it does not say."""

    version: str
    name: str
    created: str
    path: Path
    active: bool
    shipped: bool


def active_bundle() -> Path:
    """The folder of the model in use: the one RAYON_BUNDLE names, else the activated one, else the one that ships.

    `BundleError` when the pointer is damaged or what it names is gone.
    """
    return settings().named_bundle or ModelStore(settings().home).active()


class ModelStore:
    """The models installed below a home. Any number of processes may use it at once."""

    def __init__(self, home: Path, check: Callable[[Path], None] = check_apart) -> None:
        """``check`` raises `BundleError` for a bundle that must not be installed."""
        self.folder = home / "models"
        self.pointer = self.folder / POINTER
        self._check = check

    def active(self) -> Path:
        """The folder of the active model; `VersionError` when the pointer is damaged or what it names is gone."""
        activations = read_pointer(self.pointer)
        return self._path(activations[-1]) if activations else SHIPPED_BUNDLE

    def history(self) -> list[Activation]:
        """What was active and is gone back to by `rollback`, oldest first; the active one is the last."""
        shipped = read_manifest(SHIPPED_BUNDLE)["version"]  # now; the program may have brought another one since
        found = read_pointer(self.pointer) or [Activation(shipped, shipped=True, since="")]
        return [replace(entry, version=shipped) if entry.shipped else entry for entry in found]

    def installed(self) -> list[InstalledModel]:
        """All models: the one that ships, then the others by version; one that is damaged has no name.

        None is active when the pointer is damaged, so that there is a list to choose from; `active` says so.
        """
        try:
            now = self.history()[-1]
        except VersionError:
            now = Activation("", shipped=False)
        folders = sorted(p for p in self.folder.glob("*") if p.is_dir() and is_version(p.name))
        shipped = _described(SHIPPED_BUNDLE, read_manifest(SHIPPED_BUNDLE)["version"], now.shipped, True)
        active = None if now.shipped else now.version
        return [shipped, *(_described(path, path.name, path.name == active, False) for path in folders)]

    def install(self, source: Path, other_taxonomy: bool = False) -> InstalledModel:
        """Copies a bundle, a folder or a ZIP of one, checks the copy whole, and gives it its place.

        `BundleError` when it is refused, nothing being changed. A bundle with other categories than the active one
        has is refused unless ``other_taxonomy``.
        """
        return self.take_in(source, other_taxonomy)[0]

    def take_in(self, source: Path, other_taxonomy: bool = False) -> tuple[InstalledModel, bool]:
        """As `install`; gives, too, whether anything was changed: False when the very same was here."""
        with self._unfinished() as part:
            copy = part / _copied_name(source)
            fetch(source, copy)
            version = read_manifest(copy)["version"]
            if not is_version(version):
                raise VersionError("name", {"version": version})
            read_checked(copy)
            if not other_taxonomy:
                self._compare_taxonomy(version, copy)
            self._check(copy)
            with self._locked():
                added = self._give_place(copy, version)
        return next(model for model in self.installed() if model.version == version), added

    def activate(self, version: str, checked: bool = False, before: str | None = None) -> InstalledModel:
        """Puts an installed model into service, checked whole again; the next request has it.

        `BundleError` when it is refused: the program may be another one since it was installed, and so may its
        files. ``checked``: `install` has just done it, and only the files are looked at. ``before``: the version that
        has to be the active one, "" for a damaged pointer; `VersionError` when it is not any more.
        """
        with self._locked():
            activation = self._known(version)
            try:
                history = self.history()
            except VersionError:  # damaged: this is what mends it
                history = []
            _check_active(history, before)
            self._check_files(activation)
            if not checked:
                self._check(self._path(activation))
            now = history[-1] if history else None
            if now is None or (now.version, now.shipped) != (activation.version, activation.shipped):
                write_pointer(self.pointer, [*history, activation])
        return next(model for model in self.installed() if model.active)

    def rollback(self, expected: str | None = None, before: str | None = None) -> InstalledModel:
        """Puts the model that was active before back into service; `VersionError` when there is none.

        ``expected``: the version that has to be the one gone back to; ``before``: the one that has to be active.
        Only its files are checked: it has answered here before, and whoever goes back is in a hurry.
        """
        with self._locked():
            history = self.history()
            _check_active(history, before)
            if len(history) < 2:
                raise VersionError("no_earlier", {"version": history[-1].version})
            *earlier, back, now = history
            if expected not in (None, back.version):
                raise VersionError("changed", {"active": now.version})
            self._check_files(back)
            write_pointer(self.pointer, [*earlier, Activation(back.version, back.shipped)])
        return next(model for model in self.installed() if model.active)

    def remove(self, version: str) -> None:
        """Removes an installed model; `VersionError` for the active one and for the one that a rollback takes."""
        with self._locked():
            if self._known(version).shipped:
                raise VersionError("shipped", {"version": version})
            history = self.history()
            for reason, entry in zip(("active", "next"), reversed(history), strict=False):
                if not entry.shipped and entry.version == version:
                    raise VersionError(reason, {"version": version})
            left = [entry for entry in history if entry.shipped or entry.version != version]
            if left != history:
                write_pointer(self.pointer, left)
            self._discard(self.folder / version)

    def _path(self, activation: Activation) -> Path:
        path = SHIPPED_BUNDLE if activation.shipped else self.folder / activation.version
        if not path.is_dir():
            raise VersionError("gone", {"version": activation.version})
        return path

    def _known(self, version: str) -> Activation:
        """The activation of an installed version; an installed one comes before the shipped one of that name."""
        if is_version(version) and (self.folder / version).is_dir():
            return Activation(version, shipped=False)
        if version != read_manifest(SHIPPED_BUNDLE)["version"]:
            raise VersionError("unknown", {"version": version})
        return Activation(version, shipped=True)

    def _check_files(self, activation: Activation) -> None:
        manifest, _ = read_checked(self._path(activation))
        if manifest["version"] != activation.version and not activation.shipped:
            raise VersionError("renamed", {"version": activation.version, "found": manifest["version"]})

    def _compare_taxonomy(self, version: str, copy: Path) -> None:
        from model.bundle import read_taxonomy  # here, because which model is active is asked for where nothing else is

        history = self.history()
        if not history[-1].shipped and history[-1].version == version:
            return  # installed again because it is gone or damaged
        active = self.active()
        ours, theirs = set(read_taxonomy(active).codes), set(read_taxonomy(copy).codes)
        signed = [*(f"+{code}" for code in sorted(theirs - ours)), *(f"-{code}" for code in sorted(ours - theirs))]
        if signed:
            more = f" and {len(signed) - _SHOWN} more" if len(signed) > _SHOWN else ""
            difference = ", ".join(signed[:_SHOWN]) + more
            details = {"version": version, "active": history[-1].version, "difference": difference}
            raise VersionError("taxonomy", details)

    def _give_place(self, copy: Path, version: str) -> bool:
        """Gives a checked copy its name, unless the same model has it: then False."""
        place, shipped, ours = self.folder / version, read_manifest(SHIPPED_BUNDLE), read_manifest(copy)
        if place.is_dir():
            try:
                found, _ = read_checked(place)
            except BundleError:
                self._discard(place)  # damaged: the copy mends it
                found = None
        else:
            found = shipped if version == shipped["version"] else None
        if found is not None:
            if found != ours:
                raise VersionError("other_contents", {"version": version})
            return False
        try:
            os.rename(copy, place)
            sync_folder(self.folder)
        except OSError as error:
            raise unwritable(place, error) from error
        return True

    def _discard(self, folder: Path) -> None:
        """Takes a model away at once, then its files."""
        away = self._part()
        try:
            away.mkdir()
            os.rename(folder, away / folder.name)
        except OSError as error:
            raise unwritable(folder, error) from error
        finally:
            shutil.rmtree(away, ignore_errors=True)

    def _part(self) -> Path:
        return self.folder / f".{uuid.uuid4().hex}.part"

    @contextmanager
    def _unfinished(self) -> Iterator[Path]:
        """A folder to work in. Its lock is held meanwhile, so that others know it from those of killed processes."""
        part = self._part()
        with self._locked():
            for other in self.folder.glob(".*.part"):
                _clear_abandoned(other)
            lock = FileLock(part / "lock")
            try:
                part.mkdir()
                lock.acquire()
            except OSError as error:
                raise unwritable(part, error) from error
        try:
            yield part
        finally:
            lock.release()
            shutil.rmtree(part, ignore_errors=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone among all processes that change this store."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / ".lock").acquire()
        except OSError as error:
            raise unwritable(self.folder, error) from error
        with lock:
            yield


def _check_active(history: list[Activation], version: str | None) -> None:
    """`VersionError` unless the active model is that one, of those that were; any is, for None."""
    now = history[-1].version if history else ""
    if version not in (None, now):
        raise VersionError("changed", {"active": now or "?"})


def _clear_abandoned(part: Path) -> None:
    try:
        with FileLock(part / "lock", timeout=0):
            shutil.rmtree(part, ignore_errors=True)
    except (Timeout, OSError):
        return  # another process is at work in it, or it has just gone


def _copied_name(source: Path) -> str:
    """What errors call the copy: as the source is called, where that is a plain name."""
    name = source.stem if source.suffix.lower() == ".zip" else source.absolute().name
    return name if is_version(name.lower()) and name != "lock" else "model"


def _described(path: Path, version: str, active: bool, shipped: bool) -> InstalledModel:
    try:
        manifest = read_manifest(path)
    except BundleError:
        manifest = {}
    texts = {key: value if isinstance(value := manifest.get(key), str) else "" for key in ("name", "created")}
    return InstalledModel(version, **texts, path=path, active=active, shipped=shipped)
