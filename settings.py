"""One typed settings object, read once from the environment."""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Settings:
    """``bundle``: folder of the active model (``RAYON_BUNDLE``). ``home``: where state is kept (``RAYON_HOME``)."""

    bundle: Path
    home: Path


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process."""
    return Settings(
        bundle=Path(os.environ.get("RAYON_BUNDLE") or ROOT / "model" / "bundles" / "open"),
        home=Path(os.environ.get("RAYON_HOME") or ROOT / "var"),
    )
