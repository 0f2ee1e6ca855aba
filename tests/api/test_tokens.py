"""Tokens: made, kept as a hash, good until they expire or are revoked; and the command that does it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from api.command import main
from api.tokens import TokenError, Tokens
from decisions.database import reading
from decisions.errors import DecisionError
from decisions.store import open_store
from decisions.tables import clients


class Clock:
    """A moment that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(own_home, clock) -> Tokens:
    return Tokens(open_store().engine, clock)


def test_only_a_hash_is_kept(tokens, own_home):
    token = tokens.add("shop", ["jobs"])
    assert len(token) == len("rayon_") + 43
    with reading(open_store().engine) as connection:
        [row] = connection.execute(select(clients))
    assert token not in str(row) and token[6:] not in str(row) and len(row.digest) == 64
    files = [path for path in own_home.rglob("*") if path.is_file()]
    assert files and not [path for path in files if token.encode() in path.read_bytes()]


def test_no_two_are_alike(tokens):
    assert len({tokens.add(f"c{i}", ["jobs"]) for i in range(20)}) == 20


def test_a_token_is_known_by_its_name_and_scopes(tokens):
    tokens.add("other", ["classify"])
    found = tokens.find(tokens.add("shop", ["jobs", "classify", "jobs"]))
    assert found.name == "shop" and found.scopes == {"jobs", "classify"} and found.expires is None


@given(guess=st.text(max_size=60) | st.from_regex(r"rayon_[A-Za-z0-9_-]{43}", fullmatch=True))
def test_a_guess_is_nobodys(guess):
    assert Tokens(open_store().engine).find(guess) is None


CHANGES = {
    "upper": str.upper,
    "longer": lambda token: token + "A",
    "shorter": lambda token: token[:-1],
    "line": lambda token: token + "\n",
    "blank": lambda token: " " + token,
    "bare": lambda token: token.removeprefix("rayon_"),
    "accent": lambda token: token[:-1] + "é",
}


@pytest.mark.parametrize("change", list(CHANGES.values()), ids=CHANGES)
def test_a_changed_token_is_nobodys(tokens, change):
    token = tokens.add("shop", ["jobs"])
    assert tokens.find(change(token)) is None and tokens.find(token)


def test_it_ends_when_it_is_revoked(tokens):
    token, other = tokens.add("shop", ["jobs"]), tokens.add("other", ["jobs"])
    tokens.revoke("shop")
    assert tokens.find(token) is None and tokens.find(other)
    with pytest.raises(TokenError, match="no token for shop"):
        tokens.revoke("shop")


def test_a_name_is_free_again_and_the_client_another(tokens):
    first = tokens.add("shop", ["jobs"])
    with pytest.raises(TokenError, match="already"):
        tokens.add("shop", ["jobs"])
    identity = tokens.find(first).id
    tokens.revoke("shop")
    assert tokens.find(tokens.add("shop", ["jobs"])).id != identity and tokens.find(first) is None


def test_it_expires(timed, clock):
    token = timed.add("shop", ["jobs"], days=2)
    clock.now += timedelta(days=2, seconds=-1)
    assert timed.find(token)
    clock.now += timedelta(seconds=1)
    assert timed.find(token) is None
    assert [client.state(clock.now) for client in timed.all()] == ["expired"]
    timed.add("shop", ["jobs"])  # its name is free


def test_its_use_is_noted_to_the_minute(timed, clock):
    token = timed.add("shop", ["jobs"])
    assert timed.all()[0].used is None
    first = clock.now
    timed.find(token)
    clock.now += timedelta(seconds=59)
    timed.find(token)
    assert timed.all()[0].used == first
    clock.now += timedelta(seconds=1)
    timed.find(token)
    assert timed.all()[0].used == clock.now


def test_a_client_is_let_in_though_its_use_cannot_be_noted(tokens, monkeypatch, caplog):
    token = tokens.add("shop", ["jobs"])

    def locked(*_):
        raise DecisionError("database", {"error": "database is locked"})

    monkeypatch.setattr(tokens, "_note_use", locked)
    assert tokens.find(token).name == "shop" and "not noted" in caplog.text and token not in caplog.text


@pytest.mark.parametrize(
    ("name", "scopes", "days", "reason"),
    [
        ("", ["jobs"], None, "name"),
        ("a b", ["jobs"], None, "name"),
        ("x" * 81, ["jobs"], None, "name"),
        ("a\nb", ["jobs"], None, "name"),
        ("a\x1b[31m", ["jobs"], None, "name"),
        ("shop", [], None, "scope"),
        ("shop", ["admin"], None, "scope"),
        ("shop", ["jobs"], 0, "days"),
        ("shop", ["jobs"], 3651, "days"),
    ],
)
def test_what_is_refused_leaves_nothing(tokens, name, scopes, days, reason):
    with pytest.raises(TokenError) as refused:
        tokens.add(name, scopes, days)
    assert refused.value.reason == reason and str(refused.value)
    assert not tokens.any() and not tokens.all()


def test_the_command(capsys, tokens):
    assert main(["token", "add", "shop", "--scope", "jobs", "--scope", "classify", "--days", "9"]) == 0
    said = capsys.readouterr()
    token = said.out.strip()
    assert tokens.find(token).scopes == {"jobs", "classify"} and "not shown again" in said.err
    assert main(["token", "add", "shop", "--scope", "jobs"]) == 1
    assert capsys.readouterr().err.startswith("error: There is a token for shop")
    assert main(["token", "list"]) == 0
    listed = capsys.readouterr().out
    assert "shop" in listed and "classify,jobs" in listed and "active" in listed and token not in listed
    assert main(["token", "revoke", "shop"]) == 0 and tokens.find(token) is None
    assert main(["token", "revoke", "shop"]) == 1
    capsys.readouterr()
    assert main(["token", "list"]) == 0 and "revoked" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["token"], ["token", "add", "x"], ["token", "add", "x", "--scope", "all"]])
def test_wrong_use(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2 and "usage" in capsys.readouterr().err


def test_a_database_out_of_reach(capsys, monkeypatch):
    from settings import settings

    monkeypatch.setenv("RAYON_DATABASE_URL", "mysql://x")
    settings.cache_clear()
    assert main(["token", "list"]) == 1 and "RAYON_DATABASE_URL" in capsys.readouterr().err
    monkeypatch.undo()
    settings.cache_clear()
