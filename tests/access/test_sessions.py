"""Sessions: what brings one, what ends one, and that nothing made elsewhere is one."""

import time

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer

from access.accounts import Accounts
from access.door import Door, Refused
from access.errors import AccessError
from access.roles import Role
from access.sessions import Sessions
from settings import Settings
from tests.access.conftest import FAST, PASSWORD


@pytest.fixture
def anna(door: Door):
    return door.accounts.add("Anna", PASSWORD, Role.MODERATOR)


def test_a_name_and_its_password_begin_a_session(door, anna):
    visitor = door.visitor(door.sign_in("ANNA", PASSWORD, "here"), None)
    assert (visitor.name, visitor.role, visitor.way) == ("Anna", Role.MODERATOR, "account")
    assert visitor.until == pytest.approx(time.time() + 12 * 3600, abs=5)


@pytest.mark.parametrize(
    ("name", "password"), [("Anna", "wrong and long"), ("Boris", PASSWORD), ("", ""), ("Anna", "")]
)
def test_whatever_is_wrong_is_refused_alike(door, anna, name, password):
    with pytest.raises(Refused) as refused:
        door.sign_in(name, password, "here")
    assert refused.value.wait is None


@pytest.mark.parametrize("password", ["wrong and long", "", "x" * 100_000, "é" * 15_000])
def test_a_name_that_does_not_exist_costs_as_much(door, anna, checks, password):
    counts = []
    for name in ("Anna", "Nobody"):
        checks.clear()
        with pytest.raises(Refused):
            door.sign_in(name, password, "here")
        counts.append(len(checks))
    assert counts == [1, 1]


def test_while_one_waits_nothing_is_verified(door, anna, checks):
    refusals = []
    for n in range(20):
        with pytest.raises(Refused) as refused:
            door.sign_in("Anna" if n % 2 else "anna", f"wrong and long {n}", f"address {n}")
        refusals.append(refused.value.wait)
    assert len(checks) == 5 and refusals[:5] == [None] * 5 and all(refusals[5:])
    with pytest.raises(Refused):
        door.sign_in("Anna", PASSWORD, "elsewhere")


def test_every_sign_in_is_a_session_of_its_own(door, anna):
    first, second = (door.visitor(door.sign_in("Anna", PASSWORD, "here"), None) for _ in range(2))
    assert first.session != second.session and first.key == second.key


def test_signing_out_ends_that_session_everywhere_and_no_other(make_door, door, anna):
    mine, other = (door.sign_in("Anna", PASSWORD, "here") for _ in range(2))
    door.sessions.end(door.visitor(mine, None))
    for one in (door, make_door()):  # a second server, or the first after a restart
        assert one.visitor(mine, None) is None
        assert one.visitor(other, None) is not None


@pytest.mark.parametrize(
    "change",
    [
        lambda accounts: accounts.set_password("Anna", PASSWORD + "!"),
        lambda accounts: accounts.set_role("Anna", Role.ADMINISTRATOR),
        lambda accounts: accounts.remove("Anna"),
        lambda accounts: (accounts.remove("Anna"), accounts.add("Anna", PASSWORD, Role.MODERATOR)),
        lambda accounts: accounts.path.unlink(),
    ],
    ids=["password", "role", "removed", "removed and made again", "no file"],
)
def test_a_change_of_the_account_ends_its_sessions(door, anna, change):
    cookie = door.sign_in("Anna", PASSWORD, "here")
    assert door.closed()
    change(Accounts(door.accounts.path))
    assert door.visitor(cookie, None) is None
    assert door.closed()


def test_a_session_runs_out(tmp_path, door, anna):
    now = [time.time()]
    sessions = Sessions(tmp_path / "sign-in", 12, lambda: now[0])
    cookie = sessions.begin(anna)
    now[0] += 12 * 3600 - 2
    assert sessions.read(cookie, door.accounts)
    now[0] += 2
    assert sessions.read(cookie, door.accounts) is None
    assert Sessions(tmp_path / "sign-in", 100, lambda: now[0]).read(cookie, door.accounts) is None


def test_fewer_hours_count_for_sessions_of_before(tmp_path, door, anna):
    now = [time.time()]
    cookie = Sessions(tmp_path / "sign-in", 12, lambda: now[0]).begin(anna)
    now[0] += 2 * 3600
    assert Sessions(tmp_path / "sign-in", 1, lambda: now[0]).read(cookie, door.accounts) is None
    assert Sessions(tmp_path / "sign-in", 3, lambda: now[0]).read(cookie, door.accounts)


def test_ended_sessions_are_remembered_for_as_long_as_they_would_have_lasted(tmp_path, door, anna):
    now = [time.time()]
    sessions = Sessions(tmp_path / "sign-in", 1, lambda: now[0])
    for _ in range(3):
        sessions.end(sessions.read(sessions.begin(anna), door.accounts))
    assert len(list((tmp_path / "sign-in" / "ended").iterdir())) == 3
    now[0] += 2 * 3600
    sessions.end(sessions.read(sessions.begin(anna), door.accounts))
    assert len(list((tmp_path / "sign-in" / "ended").iterdir())) == 1


@limits(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(share=st.floats(0, 0.999), new=st.sampled_from("aZ9-_."))
def test_an_edited_cookie_is_none(door, share, new):
    if door.accounts.get("Anna") is None:
        door.accounts.add("Anna", PASSWORD, Role.MODERATOR)
    cookie = door.sign_in("Anna", PASSWORD, "here")
    place = int(share * (len(cookie) - 1))  # the last character has bits that mean nothing
    new = "b" if cookie[place] == new else new
    assert door.visitor(cookie[:place] + new + cookie[place + 1 :], None) is None
    assert door.visitor(cookie[:place], None) is None


@given(st.text(max_size=300) | st.none())
def test_no_text_is_a_session(tmp_path_factory, text):
    door = Door(Settings(home=tmp_path_factory.getbasetemp() / "none"))
    assert door.visitor(text, None) is None


def test_what_another_key_signed_is_none(tmp_path, door, anna):
    elsewhere = Sessions(tmp_path / "elsewhere", 12)
    assert door.visitor(elsewhere.begin(anna), None) is None
    for key in (b"", b"secret", "sign-in"):
        forged = URLSafeSerializer(key, salt="session").dumps(["Anna", anna.epoch, "0" * 32, int(time.time()), 43_200])
        assert door.visitor(forged, None) is None


def test_the_key_is_nobody_elses_and_stays(tmp_path, door):
    key = door.sessions.key()
    file = tmp_path / "sign-in" / "key"
    assert file.stat().st_mode & 0o777 == 0o600 and file.parent.stat().st_mode & 0o777 == 0o700
    assert Sessions(tmp_path / "sign-in", 12).key() == key and len(key) == 32
    file.write_bytes(b"short")
    with pytest.raises(AccessError, match="not a key"):
        Sessions(tmp_path / "sign-in", 12).key()


def test_a_hash_of_weaker_times_is_made_anew_and_the_session_goes_on(door, anna, monkeypatch):
    from access import passwords

    monkeypatch.setattr(passwords, "HASHER", type(FAST)(time_cost=2, memory_cost=128, parallelism=1))
    cookie = door.sign_in("Anna", PASSWORD, "here")
    after = door.accounts.get("Anna")
    assert "m=128,t=2" in after.hash and after.epoch == anna.epoch
    assert door.visitor(cookie, None)
    assert door.sign_in("Anna", PASSWORD, "here")


def test_a_door_that_was_closed_does_not_open_when_the_file_goes(door, anna):
    assert door.closed()
    door.accounts.path.unlink()
    assert door.closed()


def test_a_spoilt_file_lets_nobody_in(door, anna):
    cookie = door.sign_in("Anna", PASSWORD, "here")
    door.accounts.path.write_text("{")
    for ask in (lambda: door.visitor(cookie, None), lambda: door.sign_in("Anna", PASSWORD, "here")):
        with pytest.raises(AccessError):
            ask()
    assert door.closed()
