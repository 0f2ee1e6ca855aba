"""Uploaded models whose check was cut off, because the server ended: noted, told, and removed."""

import json
import shutil
from contextlib import suppress
from pathlib import Path

from decisions.audit import note
from model.leftovers import cut_off
from model.pointer import VersionError
from settings import settings
from ui.admin.works import Work, lose

_MEMO, _LONGEST = "upload.json", 10_000


def remember(folder: Path, person: str, name: str) -> None:
    """Whose upload it is that waits in a folder of `incoming`, and what the file was called. OSError."""
    (folder / _MEMO).write_text(json.dumps({"person": person, "name": name}), encoding="utf-8")


def tell_cut_off() -> None:
    """Looks for uploads of processes that have ended; several servers may do so at once."""
    for folder in cut_off(settings().home):
        taken = folder.with_name(f".{folder.name}")
        try:
            folder.rename(taken)
        except OSError:  # another server has taken it
            continue
        person, name = _remembered(taken)
        note(person, "model_refused", name, step="install", reason="cut_off")
        lose(Work("install", name, lambda: None), VersionError("cut_off", {"file": name}))
        shutil.rmtree(taken, ignore_errors=True)


def _remembered(folder: Path) -> tuple[str, str]:
    with suppress(OSError, ValueError, TypeError, KeyError):
        kept = json.loads((folder / _MEMO).read_text(encoding="utf-8")[:_LONGEST])
        return str(kept["person"]), str(kept["name"])
    return "?", next((path.name for path in folder.glob("*.zip")), "?")
