"""What commands leave in the audit log: what was done, by which user of the system."""

import io
import sys

import pytest

import access.command
import api.command
import decisions.command
from decisions import audit
from decisions.audit import AuditLog
from decisions.items import Verdict
from decisions.store import open_store
from settings import settings
from tests.decisions.samples import new_item

PASSWORD = "vingt rayons de lumière"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("RAYON_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(audit.getpass, "getuser", lambda: "ops")
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def run(monkeypatch, command, *arguments: str) -> int:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    return command.main(list(arguments))


def test_each_command_that_changes_something_is_noted(home, monkeypatch, capsys):
    for arguments in (
        ["add", "Zoé", "--role", "analyst", "--password-stdin"],
        ["role", "ZOÉ", "moderator"],
        ["role", "Zoé", "moderator"],  # which it is
        ["password", "zoé", "--password-stdin"],
        ["list"],
        ["remove", "ZOÉ"],
    ):
        assert run(monkeypatch, access.command, *arguments) == 0
    assert run(monkeypatch, api.command, "token", "add", "shop", "--scope", "jobs", "--days", "9") == 0
    *told, token = capsys.readouterr().out.splitlines()
    assert run(monkeypatch, api.command, "token", "revoke", "shop") == 0
    open_store().record(new_item(), Verdict("accepted"), "Ana", "h")
    assert run(monkeypatch, decisions.command, "export", "--out", str(home / "d.csv"), "--people", "ids") == 0
    assert run(monkeypatch, decisions.command, "purge", "--older-than", "0") == 0  # only told
    assert run(monkeypatch, decisions.command, "purge", "--older-than", "0", "--yes") == 0
    entries = list(reversed(AuditLog(open_store().engine).page()))
    open_store().engine.dispose()
    assert {entry.person for entry in entries} == {"command ops"}
    assert "Zoé is moderator already: nothing was changed." in told
    assert [(entry.action, entry.subject) for entry in entries] == [
        ("account_added", "Zoé"),
        ("account_role", "Zoé"),
        ("account_password", "Zoé"),
        ("account_removed", "Zoé"),
        ("token_added", "shop"),
        ("token_revoked", "shop"),
        ("exported", "decisions"),
        ("purged", "products"),
    ]
    assert entries[1].details == {"role": "moderator", "before": "analyst"}
    assert entries[4].details == {"scopes": "jobs", "days": 9}
    assert entries[6].details["people"] == "ids" and entries[6].details["decisions"] == 1
    assert entries[7].details == {"days": 0, "products": 1, "pictures": 0}
    assert PASSWORD not in str(entries) and token not in str(entries)


def test_a_token_without_end_is_noted_as_one(home, monkeypatch):
    assert run(monkeypatch, api.command, "token", "add", "shop", "--scope", "jobs") == 0
    [entry] = AuditLog(open_store().engine).page()
    open_store().engine.dispose()
    assert entry.details == {"scopes": "jobs", "days": "unlimited"}


def test_what_fails_is_not_noted(home, monkeypatch):
    assert run(monkeypatch, access.command, "remove", "Nobody") == 1
    assert run(monkeypatch, api.command, "token", "revoke", "nobody") == 1
    assert AuditLog(open_store().engine).count() == 0
    open_store().engine.dispose()


def test_an_account_is_made_although_the_store_is_out_of_reach(home, monkeypatch, caplog):
    monkeypatch.setenv("RAYON_DATABASE_URL", f"sqlite:///{home / 'home' / 'accounts.json' / 'rayon.db'}")
    settings.cache_clear()
    assert run(monkeypatch, access.command, "add", "Zoé", "--role", "analyst", "--password-stdin") == 0
    assert "not in the audit log: account_added by 'command ops'" in caplog.text
