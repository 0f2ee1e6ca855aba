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

    ``database_url``: where decisions are kept (``RAYON_DATABASE_URL``); a SQLite file in ``home`` unless given.
    ``picture_store``: folder or fsspec URL for the pictures of products in the queue (``RAYON_PICTURES``).
    ``lease_seconds``: how long a product is one moderator's own (``RAYON_LEASE_SECONDS``). ``second_look``: share of
    decisions that another person is to look at (``RAYON_SECOND_LOOK``, in percent).
    """

    home: Path
    named_bundle: Path | None = None
    image_folders: tuple[Path, ...] = ()
    job_days: int = 7
    database_url: str = ""
    picture_store: str = ""
    lease_seconds: int = 300
    second_look: float = 0.05

    def __post_init__(self) -> None:
        if not self.database_url:
            object.__setattr__(self, "database_url", f"sqlite:///{self.home / 'rayon.db'}")
        if not self.picture_store:
            object.__setattr__(self, "picture_store", str(self.home / "pictures"))


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process; ValueError says which variable of the environment is off."""
    folders = filter(None, os.environ.get("RAYON_IMAGE_FOLDERS", "").split(os.pathsep))
    named = os.environ.get("RAYON_BUNDLE")
    return Settings(
        named_bundle=Path(named).absolute() if named else None,
        home=Path(os.environ.get("RAYON_HOME") or ROOT / "var").absolute(),
        image_folders=tuple(Path(folder).absolute() for folder in folders),
        job_days=_whole("RAYON_JOB_DAYS", 7, 1, 3650, "days"),
        database_url=os.environ.get("RAYON_DATABASE_URL", ""),
        picture_store=os.environ.get("RAYON_PICTURES", ""),
        lease_seconds=_whole("RAYON_LEASE_SECONDS", 300, 10, 86_400, "seconds"),
        second_look=_whole("RAYON_SECOND_LOOK", 5, 0, 100, "percent") / 100,
    )


def _whole(name: str, usual: int, least: int, most: int, unit: str) -> int:
    """A whole number from the environment."""
    given = os.environ.get(name) or str(usual)
    if not given.isascii() or not given.isdigit() or len(given) > 9 or not least <= int(given) <= most:
        raise ValueError(f"{name} must be a whole number of {unit} from {least} to {most}, not {given!r}")
    return int(given)
