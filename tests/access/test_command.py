"""``python -m access``, as an administrator uses it."""

import io
import os
import subprocess
import sys

import pytest

from access import command
from access.accounts import Accounts
from access.command import main
from access.roles import Role
from settings import ROOT, settings
from tests.access.conftest import PASSWORD


@pytest.fixture
def accounts(tmp_path, monkeypatch):
    monkeypatch.setenv("RAYON_ACCOUNTS", str(tmp_path / "people.json"))
    settings.cache_clear()
    yield Accounts(tmp_path / "people.json")
    monkeypatch.undo()
    settings.cache_clear()


def typed(monkeypatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_an_account_from_beginning_to_end(accounts, monkeypatch, capsys):
    typed(monkeypatch, f"{PASSWORD}\n")
    assert main(["add", "Zoé", "--role", "moderator", "--password-stdin"]) == 0
    assert main(["role", "zoé", "administrator"]) == 0
    changed = accounts.get("Zoé")
    assert main(["role", "zoé", "administrator"]) == 0
    assert "Zoé is administrator already: nothing was changed." in capsys.readouterr().out
    assert accounts.get("Zoé") == changed, "its sessions go on"
    typed(monkeypatch, f"{PASSWORD}!\r\n")
    assert main(["password", "ZOÉ", "--password-stdin"]) == 0
    capsys.readouterr()
    assert main(["list"]) == 0
    assert capsys.readouterr().out.startswith("Zoé\tadministrator\t20")
    assert accounts.get("Zoé").role is Role.ADMINISTRATOR
    assert main(["remove", "Zoé"]) == 0
    assert main(["list"]) == 0
    assert "nobody can sign in" in capsys.readouterr().err


def test_the_password_is_asked_for_twice(accounts, monkeypatch, capsys):
    answers = iter([PASSWORD, PASSWORD + "x", PASSWORD, PASSWORD])
    monkeypatch.setattr(command.getpass, "getpass", lambda _: next(answers))
    monkeypatch.setattr(sys, "stdin", type("Terminal", (io.StringIO,), {"isatty": lambda self: True})())
    assert main(["add", "Anna", "--role", "analyst"]) == 1
    assert "not the same" in capsys.readouterr().err and not accounts.exist()
    assert main(["add", "Anna", "--role", "analyst"]) == 0
    assert PASSWORD not in capsys.readouterr().out


WRONG = {
    "a short password": (["add", "Anna", "--role", "analyst", "--password-stdin"], "short\n", 1),
    "no password": (["add", "Anna", "--role", "analyst", "--password-stdin"], "", 1),
    "nobody to ask": (["add", "Anna", "--role", "analyst"], "", 1),
    "no such account": (["password", "Anna", "--password-stdin"], PASSWORD, 1),
    "nobody to remove": (["remove", "Anna"], "", 1),
    "a name of blanks": (["add", "  ", "--role", "analyst", "--password-stdin"], PASSWORD, 1),
}


@pytest.mark.parametrize(("arguments", "text", "status"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told(accounts, monkeypatch, capsys, arguments, text, status):
    typed(monkeypatch, text)
    assert main(arguments) == status
    assert capsys.readouterr().err.startswith("python -m access: ")
    assert not accounts.exist()


def test_wrong_use():
    for arguments in ([], ["add", "Anna"], ["add", "Anna", "--role", "boss"], ["role", "Anna", "boss"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2


def test_it_runs_as_a_module(tmp_path):
    environment = os.environ | {"RAYON_HOME": str(tmp_path)}
    arguments = [sys.executable, "-m", "access", "add", "Anna", "--role", "analyst", "--password-stdin"]
    done = subprocess.run(
        arguments, cwd=ROOT, env=environment, input=PASSWORD, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "accounts.json").stat().st_mode & 0o777 == 0o600
