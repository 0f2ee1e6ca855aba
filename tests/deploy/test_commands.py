"""The shell commands of the compose file and the manifests do what they are for: run here, on folders of a test."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.tokens import Tokens
from decisions.database import open_database
from decisions.restore import verify
from settings import ROOT
from tests.repository import read

COMPOSE: dict[str, Any] = yaml.safe_load(read("deploy/compose.yaml"))["services"]


def manifest(file: str) -> dict[str, Any]:
    return next(yaml.safe_load_all(read(f"deploy/kubernetes/{file}")))


def run(command: list[str], folder: Path, **replaced: Path) -> None:
    """As in the container, its folders being ours: `/run/secrets/…` and `/backups`."""
    for name, path in replaced.items():
        command = [part.replace(f"/{name.replace('_', '/')}", str(path)) for part in command]
    command = [part.replace("$$", "$") for part in command]
    own = os.environ | {"RAYON_HOME": str(folder), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        command, cwd=ROOT, env=own, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("command", "mounted", "key"),
    [
        (COMPOSE["setup"]["command"], "run_secrets", "administrator_password"),
        (
            manifest("deployment.yaml")["spec"]["template"]["spec"]["initContainers"][0]["command"],
            "run_secrets_rayon",
            "administrator-password",
        ),
    ],
    ids=["compose", "kubernetes"],
)
def test_the_first_account_is_made_once(command, mounted, key, tmp_path) -> None:
    home, secrets = tmp_path / "home", tmp_path / "secrets"
    home.mkdir()
    secrets.mkdir()
    (secrets / key).write_text("correct horse battery\n")
    run(command, home, **{mounted: secrets})
    made = (home / "accounts.json").read_text()
    assert '"Administrator"' in made and '"administrator"' in made
    run(command, home, **{mounted: secrets})
    assert (home / "accounts.json").read_text() == made


def test_the_tests_have_a_token_each_time(tmp_path) -> None:
    command = COMPOSE["token"]["command"]
    tokens = Tokens(open_database(f"sqlite:///{tmp_path / 'rayon.db'}"))
    before = ""
    for _ in range(2):
        run(command, tmp_path)
        token = (tmp_path / "token").read_text().strip()
        assert tokens.find(token).scopes == {"classify", "jobs"} and token != before
        assert not before or tokens.find(before) is None
        before = token
    assert (tmp_path / "token").stat().st_mode & 0o077 == 0


def test_the_nightly_backup_is_made_and_old_ones_go(tmp_path) -> None:
    pod = manifest("backup.yaml")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    backups = tmp_path / "backups"
    backups.mkdir()
    for name, age in (("rayon-2020-01-01.zip", 40), ("rayon-2020-02-01.zip", 10), ("other.zip", 40)):
        (backups / name).touch()
        then = (backups / name).stat().st_mtime - age * 86_400
        os.utime(backups / name, (then, then))
    (tmp_path / "accounts.json").write_text('{"format": 1, "accounts": []}')
    run(pod["containers"][0]["command"], tmp_path, backups=backups)
    assert not (backups / "rayon-2020-01-01.zip").exists()
    [made] = {path.name for path in backups.iterdir()} - {"rayon-2020-02-01.zip", "other.zip"}
    assert verify(backups / made).accounts
