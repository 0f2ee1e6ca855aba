"""Made-up official data and a home of its own."""

import pytest

from settings import ROOT, settings
from tests.model.made_up import write_official

OPEN = ROOT / "model" / "bundles" / "open"


@pytest.fixture(scope="session")
def official(tmp_path_factory):
    """The challenge's folder, 80 rows; the picture of one is damaged."""
    folder = tmp_path_factory.mktemp("data") / "official"
    write_official(folder, rows=80, test_rows=12)
    sorted((folder / "images" / "image_train").iterdir())[0].write_bytes(b"no picture")
    sorted((folder / "images" / "image_test").iterdir())[0].write_bytes(b"no picture")
    return folder


@pytest.fixture
def at_home(home, monkeypatch):
    """RAYON_HOME with the exported network of the model that ships, which is the active one."""
    monkeypatch.setenv("RAYON_HOME", str(home))
    monkeypatch.delenv("RAYON_BUNDLE", raising=False)
    settings.cache_clear()
    yield home
    settings.cache_clear()
