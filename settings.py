"""One typed settings object, read once from the environment."""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Settings:
    """``bundle``: folder of the active model (``RAYON_BUNDLE``). ``home``: where state is kept (``RAYON_HOME``).

    ``image_folders``: folders of pictures on this server that analysts may use (``RAYON_IMAGE_FOLDERS``, separated as
    in ``PATH``). ``job_days``: days after which a batch job is deleted (``RAYON_JOB_DAYS``).
    """

    bundle: Path
    home: Path
    image_folders: tuple[Path, ...] = ()
    job_days: int = 7


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process; ValueError says which variable of the environment is off."""
    days = os.environ.get("RAYON_JOB_DAYS") or "7"
    if not days.isascii() or not days.isdigit() or not 1 <= int(days) <= 3650:
        raise ValueError(f"RAYON_JOB_DAYS must be a number of days from 1 to 3650, not {days!r}")
    folders = filter(None, os.environ.get("RAYON_IMAGE_FOLDERS", "").split(os.pathsep))
    return Settings(
        bundle=Path(os.environ.get("RAYON_BUNDLE") or ROOT / "model" / "bundles" / "open"),
        home=Path(os.environ.get("RAYON_HOME") or ROOT / "var").absolute(),
        image_folders=tuple(Path(folder).absolute() for folder in folders),
        job_days=int(days),
    )
