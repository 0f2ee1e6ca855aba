"""Which installed model is active, and which were before: one small file, changed at once or not at all."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from model.bundle_files import BundleError
from preprocessing.errors import InputError

POINTER = "active.json"
_SCHEMA = 1
_KEPT = 50
"""Activations that are remembered; rolling back further than that is not rolling back."""


class VersionError(BundleError, InputError):
    """What is asked of the installed models cannot be done: `reason` names the cause, `details` the rest."""

    SENTENCES: ClassVar[Mapping[str, str]] = {
        "pointer": "{path} says which model is active, and cannot be read ({error}): say it again with "
        "`python -m model bundle activate VERSION`, which forgets what was active before.",
        "gone": "The model {version} was put into service and is not installed any more: install it again, or "
        "activate another with `python -m model bundle activate VERSION`.",
        "unwritable": "{path} cannot be written ({error}): check the rights and the free space there.",
        "name": "{version!r} is no version that can be installed: lower-case letters, digits, dots, dashes and "
        "underscores are allowed, 80 at most, the first a letter or a digit.",
        "other_contents": "{version} is installed already, with other contents: remove that one first "
        "(`python -m model bundle remove {version}`), or train under another name.",
        "taxonomy": "{version} has other categories than the active model {active} ({difference}), so earlier "
        "decisions and results would not fit it: add --other-taxonomy if that is meant.",
        "unknown": "There is no model {version!r} here: `python -m model bundle list` shows those there are.",
        "changed": "Another model was activated meanwhile: {active} is active now. Look at the list again.",
        "cut_off": "The server ended while {file} was being checked: send it again.",
        "renamed": "The folder {version} holds the model {found}: remove it, and install that model anew.",
        "no_earlier": "No model was active before {version}: there is nothing to go back to.",
        "shipped": "{version} came with the program and stays with it.",
        "active": "{version} is the active model: activate another one first.",
        "next": "{version} is the model that a rollback takes: activate it or others first, until it is not.",
        "no_smoke": "{version} brings no smoke predictions, by which its answers are checked wherever it is used: add "
        "them where it was made, with `python -m model bundle smoke --bundle DIR`.",
        "check": "{bundle} could not be checked ({error}): nothing was changed.",
    }


@dataclass(frozen=True, slots=True)
class Activation:
    """A model put into service. ``shipped``: the one that came with the program, whatever its version is now."""

    version: str
    shipped: bool
    since: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    """ISO 8601, UTC; empty when nobody activated it."""


def is_version(name: str) -> bool:
    """Whether a version can be a folder beside the pointer: it climbs nowhere, and is nothing else's name."""
    return re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,79}", name) is not None and name != POINTER


def read_pointer(path: Path) -> list[Activation]:
    """The activations, the active one last; none when nothing was ever activated. `VersionError` when damaged."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value["schema"] != _SCHEMA:
            raise ValueError(f"schema {value['schema']!r}; this program reads {_SCHEMA}")
        return [_activation(entry) for entry in [*value["before"], value["active"]]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        said = error if isinstance(error, ValueError | OSError) else repr(error)
        raise VersionError("pointer", {"path": path, "error": said}) from error


def write_pointer(path: Path, activations: list[Activation]) -> None:
    """Puts the file in its place at once: a reader sees the old one or the new one, after a power cut too.

    Whoever writes is alone: the lock of the store is held.
    """
    *before, active = [asdict(activation) for activation in activations]
    value = {"schema": _SCHEMA, "active": active, "before": before[-_KEPT:]}
    unfinished = path.with_name(f".{path.name}.new")  # always the same: what a killed process leaves is written over
    try:
        try:
            with unfinished.open("w", encoding="utf-8") as file:
                json.dump(value, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, path)
            sync_folder(path.parent)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder outlast a power cut, where the system offers that."""
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def unwritable(path: Path, error: OSError) -> VersionError:
    """The error of a place where nothing can be written."""
    return VersionError("unwritable", {"path": path, "error": error.strerror or error})


def _activation(entry: object) -> Activation:
    activation = Activation(**entry) if isinstance(entry, dict) else None
    if activation is None or not all(isinstance(v, str) for v in (activation.version, activation.since)):
        raise ValueError(f"not an activation: {entry!r}")
    if not isinstance(activation.shipped, bool) or not (activation.shipped or is_version(activation.version)):
        raise ValueError(f"not a version: {activation.version!r}")
    return activation
