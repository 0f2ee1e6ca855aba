"""The shell commands of the compose file and the manifests do what they are for: run here, on folders of a test."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.tokens import Tokens
from decisions.audit import AuditLog
from decisions.backup import backup
from decisions.database import open_database
from decisions.items import Verdict
from decisions.pictures import PictureStore
from decisions.restore import verify
from decisions.store import DecisionStore
from settings import ROOT
from tests.decisions.samples import new_item
from tests.repository import read

COMPOSE: dict[str, Any] = yaml.safe_load(read("deploy/compose.yaml"))["services"]


def manifest(file: str) -> dict[str, Any]:
    return next(yaml.safe_load_all(read(f"deploy/kubernetes/{file}")))


def run(
    command: list[str], folder: Path, stdin: Any = subprocess.DEVNULL, stdout: Any = None, **replaced: Path
) -> None:
    """As in the container, its folders being ours: `/run/secrets/…` and `/backups`."""
    for name, path in replaced.items():
        command = [part.replace(f"/{name.replace('_', '/')}", str(path)) for part in command]
    command = [part.replace("$$", "$") for part in command]
    own = os.environ | {"RAYON_HOME": str(folder), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=own,
        text=True,
        check=False,
        stdin=stdin,
        stdout=stdout or subprocess.DEVNULL,
        stderr=subprocess.PIPE,
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
    run(pod["containers"][0]["command"], tmp_path, backups=backups)
    assert not (backups / "rayon-2020-01-01.zip").exists()
    [made] = {path.name for path in backups.iterdir()} - {"rayon-2020-02-01.zip", "other.zip"}
    assert verify(backups / made).manifest.accounts_absent, "a provider signs people in: no reason to fail each night"


def test_what_the_page_says_of_backups_works(tmp_path) -> None:
    """Its commands for containers: out of one home, and into another that has a first account already."""
    text = read("docs/deployment.md")
    scripts = re.findall(r"(?:app|rayon --) sh -euc '([^']+)'", text)
    backing, restoring = scripts[0], scripts[1]
    assert scripts[2] == backing and len(scripts) == 4, "Compose and Kubernetes have the same"
    file = tmp_path / "rayon.zip"
    one, other, third = (home_of(tmp_path / name) for name in ("one", "other", "third"))
    with file.open("wb") as out:
        run(["sh", "-euc", backing], one, stdout=out)
    assert verify(file).manifest.accounts and not list(one.glob("*.zip"))
    with file.open("rb") as sent:
        run(["sh", "-euc", restoring], other, stdin=sent)
    with file.open("rb") as sent:
        run(["sh", "-euc", scripts[3]], third, stdin=sent)
    backups = tmp_path / "backups"
    backups.mkdir()
    (backups / "rayon-2026-01-31.zip").write_bytes(b"the one that was sent comes first")
    container = manifest("restore.yaml")["spec"]["template"]["spec"]["containers"][0]
    run(container["command"], third, backups=backups)
    for home in (other, third):
        assert (home / "accounts.json").read_text() == (one / "accounts.json").read_text()
        people = [entry.person for entry in AuditLog(open_database(f"sqlite:///{home / 'rayon.db'}")).page()]
        assert people[1:] == [home.name, "one"] and not list(home.glob("*.zip"))


def test_the_newest_of_the_nightly_ones_comes_back(tmp_path) -> None:
    backups, home = tmp_path / "backups", home_of(tmp_path / "home")
    backups.mkdir()
    (backups / "rayon-2026-01-30.zip").write_bytes(b"older")
    engine = open_database(f"sqlite:///{home / 'rayon.db'}")
    backup(engine, PictureStore(str(home / "pictures")), backups / "rayon-2026-01-31.zip", home / "accounts.json")
    container = manifest("restore.yaml")["spec"]["template"]["spec"]["containers"][0]
    run(container["command"], home, backups=backups)
    assert [entry.action for entry in AuditLog(engine).page()] == ["restored", "account_added", "account_added"]


def test_a_nightly_backup_without_its_pictures_deletes_none(tmp_path) -> None:
    pod = manifest("backup.yaml")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    backups, home = tmp_path / "backups", home_of(tmp_path / "home")
    backups.mkdir()
    old = backups / "rayon-2020-01-01.zip"
    old.write_bytes(b"whole")
    os.utime(old, (0, 0))
    pictures = PictureStore(str(home / "elsewhere"))
    store = DecisionStore(open_database(f"sqlite:///{home / 'rayon.db'}"), pictures)
    store.record(new_item("Tasse", image=b"\x89PNG"), Verdict("accepted"), "Ana", "h1")
    with pytest.raises(AssertionError, match="pictures that products name are not in"):
        run(pod["containers"][0]["command"], home, backups=backups)
    assert [*backups.iterdir()] == [old] and old.read_bytes() == b"whole"


def home_of(home: Path) -> Path:
    """What a deployment has as soon as its first account is made."""
    home.mkdir()
    (home / "accounts.json").write_text(json.dumps({"format": 1, "accounts": [], "of": home.name}))
    AuditLog(open_database(f"sqlite:///{home / 'rayon.db'}")).note(home.name, "account_added")
    return home
