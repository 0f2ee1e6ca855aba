"""The file of accounts: what goes in comes out, whoever writes at the same time, and what is spoilt is said to be."""

import json
import os
import unicodedata
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from access import passwords
from access.accounts import LONGEST_NAME, Accounts, checked_name, key_of
from access.errors import AccessError
from access.roles import Role
from tests.access.conftest import PASSWORD


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    return Accounts(tmp_path / "home" / "accounts.json")


def test_an_account_is_kept_and_known_again(accounts):
    made = accounts.add("Zoé  Dupont ", PASSWORD, Role.MODERATOR)
    assert made.name == "Zoé Dupont"
    again = Accounts(accounts.path)
    for way in ("zoé dupont", "ZOÉ DUPONT", unicodedata.normalize("NFD", "Zoé Dupont"), " Zoé\tDupont"):
        assert again.get(way) == made
    assert PASSWORD not in accounts.path.read_text()
    assert accounts.path.stat().st_mode & 0o777 == 0o600
    assert {file.name for file in accounts.path.parent.iterdir()} == {"accounts.json", "accounts.json.lock"}


def test_one_name_is_one_account(accounts):
    accounts.add("Zoé", PASSWORD, Role.ANALYST)
    with pytest.raises(AccessError, match="already"):
        accounts.add("ZOE\u0301", PASSWORD, Role.ADMINISTRATOR)
    assert accounts.get("zoé").role is Role.ANALYST


def test_what_ends_sessions_changes_the_epoch(accounts):
    first = accounts.add("Anna", PASSWORD, Role.ANALYST)
    accounts.set_role("anna", Role.MODERATOR)
    second = accounts.get("Anna")
    accounts.set_password("anna", PASSWORD + "!")
    third = accounts.get("Anna")
    accounts.remove("ANNA")
    assert accounts.exist() and not accounts.all()
    fourth = accounts.add("Anna", PASSWORD, Role.ANALYST)
    assert len({one.epoch for one in (first, second, third, fourth)}) == 4
    accounts.renew_hash(fourth, PASSWORD)
    assert accounts.get("Anna").epoch == fourth.epoch and accounts.get("Anna").hash != fourth.hash


@pytest.mark.parametrize("change", [lambda a: a.remove("nobody"), lambda a: a.set_role("nobody", Role.ANALYST)])
def test_nobody_cannot_be_changed(accounts, change):
    with pytest.raises(AccessError, match="no account"):
        change(accounts)


@pytest.mark.parametrize("password", ["short", "eleven char", "a" * 40, "ababababababab", "x1" * 501, ""])
def test_passwords_that_nobody_should_have(accounts, password):
    with pytest.raises(AccessError, match="password"):
        accounts.add("Anna", password, Role.ANALYST)
    assert not accounts.exist()


@pytest.mark.parametrize("name", ["", "  ", "a" * (LONGEST_NAME + 1), "a\u202eb", "a\x00b", "a\u200bb"])
def test_names_that_cannot_be(name):
    with pytest.raises(AccessError, match="name"):
        checked_name(name)


@given(st.text(max_size=100))
@example("İ")
@example("ŉ")
def test_a_checked_name_stays_as_it_is(name):
    try:
        checked = checked_name(name)
    except AccessError:
        return
    assert checked_name(checked) == checked
    assert key_of(checked) == key_of(name) == key_of(unicodedata.normalize("NFD", checked))


@given(password=st.text(min_size=12, max_size=60).filter(lambda text: len(set(passwords.composed(text))) > 3))
@example("mot de passe à accents é")
def test_a_password_matches_itself_and_no_other(password):
    try:
        kept = passwords.hashed(password)
    except (AccessError, UnicodeEncodeError):  # shorter once composed; half a character
        return
    assert passwords.matches(kept, unicodedata.normalize("NFD", password))
    assert not passwords.matches(kept, password + "x")
    assert not passwords.matches(None, password)


SPOILT = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "a number": b"1",
    "no accounts": b'{"format": 1}',
    "another format": b'{"format": 2, "accounts": []}',
    "no text": b"\xff\xfe",
    "half an account": b'{"format": 1, "accounts": [{"name": "Anna"}]}',
    "more than an account": b'{"format": 1, "accounts": [{"name": "A", "role": "analyst", "hash": "h", "epoch": "e", '
    b'"changed_at": "", "more": 1}]}',
    "another role": b'{"format": 1, "accounts": [{"name": "A", "role": "root", "hash": "h", "epoch": "e", '
    b'"changed_at": ""}]}',
    "a number as hash": b'{"format": 1, "accounts": [{"name": "A", "role": "analyst", "hash": 1, "epoch": "e", '
    b'"changed_at": ""}]}',
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("content", SPOILT.values(), ids=SPOILT)
def test_a_spoilt_file_is_said_to_be_spoilt_and_left_alone(accounts, content):
    accounts.path.parent.mkdir()
    accounts.path.write_bytes(content)
    with pytest.raises(AccessError, match=r"accounts\.json"):
        accounts.all()
    with pytest.raises(AccessError, match=r"accounts\.json"):
        accounts.add("Anna", PASSWORD, Role.ANALYST)
    assert accounts.path.read_bytes() == content


def test_a_folder_or_a_link_to_nothing_is_no_empty_list(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "missing")
    for name in (".", "link"):
        accounts = Accounts(tmp_path / name)
        assert accounts.exist()
        with pytest.raises(AccessError):
            accounts.all()


def test_a_file_behind_a_link_is_replaced_and_the_link_stays(tmp_path):
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    (tmp_path / "real.json").write_text(json.dumps({"format": 1, "accounts": []}))
    Accounts(tmp_path / "link.json").add("Anna", PASSWORD, Role.ANALYST)
    assert (tmp_path / "link.json").is_symlink() and Accounts(tmp_path / "real.json").get("Anna")


def add_some(path: Path, first: int) -> None:
    passwords.HASHER = passwords.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    for n in range(first, first + 10):
        Accounts(path).add(f"person {n}", PASSWORD, Role.ANALYST)


def test_writers_at_the_same_time_lose_nothing(accounts):
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(add_some, [accounts.path] * 2, [0, 10]))
    assert len(accounts.all()) == 20


def test_a_change_by_another_process_is_seen(accounts):
    accounts.add("Anna", PASSWORD, Role.ANALYST)
    assert accounts.get("Anna").role is Role.ANALYST
    Accounts(accounts.path).set_role("Anna", Role.MODERATOR)
    assert accounts.get("Anna").role is Role.MODERATOR
    os.unlink(accounts.path)
    assert not accounts.all()
