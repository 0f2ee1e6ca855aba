"""Where an adapted model may be written: on nothing, or in the place of a whole model that is not in use."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from model.adaptation.errors import AdaptationError
from model.bundle_files import BundleError, read_checked
from settings import SHIPPED_BUNDLE, settings


def checked_place(out: Path, parent: Path) -> Path:
    """The absolute path of ``out``; `AdaptationError` when something would be lost there, or it cannot be written.

    ``parent``: the model that is adapted, which stays.
    """
    if out.is_symlink():
        raise AdaptationError("link", {"path": out})
    out = out.resolve()
    in_use = [SHIPPED_BUNDLE, parent, settings().home / "models", settings().named_bundle or parent]
    if any(out.is_relative_to(place.resolve()) for place in in_use):
        raise AdaptationError("in_service", {"path": out})
    if os.path.lexists(out) and not _may_go(out):
        raise AdaptationError("not_a_bundle", {"path": out})
    try_to_write(out.parent)
    return out


def try_to_write(folder: Path) -> None:
    """Makes the folder; `AdaptationError` when nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise AdaptationError("unwritable", {"path": folder, "error": error.strerror or error}) from error


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """A path to make a folder at; at the end it takes the place of ``out``, unless something was raised."""
    mark = uuid.uuid4().hex[:8]
    part, before = (out.with_name(f"{out.name}.{mark}.{kind}") for kind in ("new", "before"))
    try:
        yield part
        if out.exists():
            if not _may_go(out):  # filled meanwhile
                raise AdaptationError("not_a_bundle", {"path": out})
            out.rename(before)
        part.rename(out)
    except OSError as error:
        if before.exists() and not out.exists():
            before.rename(out)
        reason = error.strerror or error
        raise AdaptationError("unwritable", {"path": out, "error": reason}) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(before, ignore_errors=True)


def _may_go(folder: Path) -> bool:
    """Whether nothing is lost with it: an empty folder, or a whole model and nothing else."""
    if not folder.is_dir() or folder == Path.cwd():
        return False
    if not any(folder.iterdir()):
        return True
    try:
        read_checked(folder)
    except BundleError:
        return False
    return True
