"""One typed settings object, read once from the environment."""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).parent
SHIPPED_BUNDLE = ROOT / "model" / "bundles" / "open"
"""Folder of the model that ships."""


@dataclass(frozen=True, slots=True)
class Settings:
    """``home``: where state is kept, installed models included (``RAYON_HOME``).

    ``named_bundle``: folder of the model to use, whichever is activated (``RAYON_BUNDLE``); None leaves the choice to
    `model.versions.active_bundle`.

    ``image_folders``: folders of pictures on this server that analysts may use (``RAYON_IMAGE_FOLDERS``, separated as
    in ``PATH``). ``job_days``: days after which a batch job is deleted (``RAYON_JOB_DAYS``).
    """

    home: Path
    named_bundle: Path | None = None
    image_folders: tuple[Path, ...] = ()
    job_days: int = 7


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process; ValueError says which variable of the environment is off."""
    days = os.environ.get("RAYON_JOB_DAYS") or "7"
    if not days.isascii() or not days.isdigit() or not 1 <= int(days) <= 3650:
        raise ValueError(f"RAYON_JOB_DAYS must be a number of days from 1 to 3650, not {days!r}")
    folders = filter(None, os.environ.get("RAYON_IMAGE_FOLDERS", "").split(os.pathsep))
    named = os.environ.get("RAYON_BUNDLE")
    return Settings(
        named_bundle=Path(named).absolute() if named else None,
        home=Path(os.environ.get("RAYON_HOME") or ROOT / "var").absolute(),
        image_folders=tuple(Path(folder).absolute() for folder in folders),
        job_days=int(days),
    )
