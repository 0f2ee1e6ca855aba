"""What exports and trainings leave: found when it is old, and nothing that somebody needs."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from model.bundle import read_manifest
from model.exported import EXPORT_VERSION
from model.leftovers import INCOMING, cut_off, incoming, leftovers, sweep
from settings import ROOT, SHIPPED_BUNDLE

SHIPPED = read_manifest(SHIPPED_BUNDLE)["version"]


@pytest.fixture
def made(tmp_path):
    """Makes a folder with a file, of which all is so many days old."""

    def made(place: str, days: float, size: int = 100) -> Path:
        folder = tmp_path / place
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / "file").write_bytes(bytes(size))
        for path in (folder / "deep" / "file", folder / "deep", folder):
            os.utime(path, (time.time() - days * 86_400,) * 2)
        return folder

    return made


def test_only_what_is_old_and_nobodys_goes(made, tmp_path):
    gone = [made("exports/gone-1", 8), made("exports/open-1.abc.part", 8), made("train/a", 9), made("incoming/b", 0)]
    stay = [
        made(f"exports/{SHIPPED}-{EXPORT_VERSION}", 99),
        made("exports/of-a-job-1", 99),
        made("exports/young-1", 6),
        made("train/at-work", 6),
        made("jobs/c", 99),
        made("models/d", 99),
    ]
    found = leftovers(tmp_path, 7, {"of-a-job"})
    assert sorted(found.folders) == sorted(gone)
    assert found.bytes >= 400
    assert sweep(tmp_path, 7, {"of-a-job"}) == found
    assert all(path.exists() for path in stay) and not any(path.exists() for path in gone)


def test_a_file_deep_down_that_was_touched_keeps_all(made, tmp_path):
    folder = made("train/a", 9)
    os.utime(folder / "deep" / "file")
    assert leftovers(tmp_path, 7).folders == ()


def test_an_upload_goes_once_its_process_has_ended(tmp_path):
    with incoming(tmp_path) as place:
        (place / "model.zip").write_bytes(bytes(9))
        assert cut_off(tmp_path) == [] and sweep(tmp_path, 0).folders == () and (place / "model.zip").exists()
    assert list((tmp_path / INCOMING).iterdir()) == []
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom model.leftovers import incoming\n"
        "with incoming(Path(sys.argv[1])) as place:\n    (place / 'model.zip').touch()\n    os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT, check=False)
    [left] = cut_off(tmp_path)
    assert (left / "model.zip").exists() and sweep(tmp_path, 7).folders == (left,) and not left.exists()


def test_links_lead_nowhere(made, tmp_path):
    elsewhere = made("elsewhere", 99)
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "link").symlink_to(elsewhere)
    (tmp_path / "exports").symlink_to(elsewhere)
    assert sweep(tmp_path, 7).folders == () and (elsewhere / "deep" / "file").exists()


def test_a_home_that_is_not_there_has_none(tmp_path):
    assert leftovers(tmp_path / "none", 7).folders == ()
