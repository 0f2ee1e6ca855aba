"""Whose jobs are shown, and which folders of the server can be read."""

import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from settings import ROOT
from ui.batch.owner import valid
from ui.batch.pictures import folder_within


@pytest.mark.parametrize("secret", ["a" * 32, "Az09_-" * 10, "b" * 64])
def test_a_secret_is_taken(secret):
    assert valid(secret) == secret


def test_one_made_up_now_is_taken():
    secret = secrets.token_urlsafe(32)
    assert valid(secret) == secret


@pytest.mark.parametrize(
    "other",
    [
        None,
        "",
        "a" * 31,
        "a" * 65,
        "a" * 31 + "/",
        "a" * 32 + "\n",
        "../" * 12,
        "é" * 40,
        "a" * 20 + " " * 20,
        7,
        b"a" * 40,
    ],
)
def test_anything_else_is_not(other):
    assert valid(other) is None


@pytest.fixture
def root(tmp_path) -> Path:
    (tmp_path / "photos" / "2026" / "été").mkdir(parents=True)
    (tmp_path / "photos" / "file").write_text("x")
    (tmp_path / "photos-private").mkdir()
    (tmp_path / "photos" / "inside").symlink_to(tmp_path / "photos" / "2026")
    (tmp_path / "photos" / "outside").symlink_to(tmp_path / "photos-private")
    (tmp_path / "photos" / "circle").symlink_to(tmp_path / "photos" / "circle")
    return tmp_path / "photos"


@pytest.mark.parametrize(
    ("below", "found"),
    [
        ("", ""),
        (" ", ""),
        (".", ""),
        ("2026", "2026"),
        ("2026/été/", "2026/été"),
        ("2026/../2026", "2026"),
        ("inside", "2026"),
    ],
)
def test_a_folder_below_is_found(root, below, found):
    assert folder_within(root, below) == (root / found).resolve()


@pytest.mark.parametrize(
    "below",
    [
        "..",
        "../photos-private",
        "2026/../..",
        "/",
        "/etc",
        "outside",
        "file",
        "nothing",
        "a\0b",
        "x" * 5000,
        "circle",
        "~",
    ],
)
def test_none_outside_is(root, below):
    assert folder_within(root, below) is None


def test_the_page_of_a_file_needs_no_tensorflow():
    parts = "draft, jobs, owner, progress, result, state, upload"
    code = f"import sys; from ui.batch import {parts}; sys.exit('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
