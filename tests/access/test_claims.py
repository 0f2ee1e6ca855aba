"""What a provider says of somebody, and what comes of it here."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.accounts import LONGEST_NAME
from access.claims import check_roles, role_of, visitor_of
from access.errors import AccessError
from access.roles import Role
from settings import Settings, settings

NOW = time.time()
ANNA = {"sub": "a-1", "iss": "https://id.example", "iat": NOW, "email": "anna@example.org", "email_verified": True}


def made(tmp_path, **more) -> Settings:
    return Settings(home=tmp_path, **more)


ROLES = [
    ({}, {}, None),
    ({}, {"roles": ["moderator"]}, Role.MODERATOR),
    ({}, {"roles": ["Analyst", "ADMINISTRATOR", "tennis"]}, Role.ADMINISTRATOR),
    ({}, {"roles": "analyst, moderator"}, Role.MODERATOR),
    ({}, {"roles": ["root"]}, None),
    ({}, {"roles": {"moderator": True}}, None),
    ({}, {"roles": [["moderator"], 3, None]}, None),
    ({"role_claim": "groups"}, {"groups": ["moderator"], "roles": ["administrator"]}, Role.MODERATOR),
    ({"role_claim": "realm_access.roles"}, {"realm_access": {"roles": ["moderator"]}}, Role.MODERATOR),
    ({"role_claim": "https://example.org/roles"}, {"https://example.org/roles": ["moderator"]}, Role.MODERATOR),
    ({"roles_by_email": (("Anna@Example.org", "administrator"),)}, {"roles": ["analyst"]}, Role.ADMINISTRATOR),
    ({"roles_by_email": (("anna@example.org", "analyst"),)}, {"roles": ["administrator"]}, Role.ANALYST),
    ({"roles_by_email": (("anna@example.org", "administrator"),)}, {"email_verified": False}, None),
    ({"roles_by_email": (("anna@example.org", "administrator"),)}, {"email_verified": None}, None),
    ({"default_role": "analyst"}, {"email_verified": False}, Role.ANALYST),
    ({"default_role": "analyst"}, {"roles": ["moderator"]}, Role.MODERATOR),
]


@pytest.mark.parametrize(("chosen", "claims", "role"), ROLES)
def test_roles(tmp_path, chosen, claims, role):
    assert role_of(ANNA | claims, made(tmp_path, **chosen)) is role


@pytest.mark.parametrize("spoilt", [{"iat": None}, {"iat": "now"}, {"iat": True}, {"sub": ""}, {"sub": 3}])
def test_a_token_that_is_none(tmp_path, spoilt):
    assert visitor_of(ANNA | spoilt, made(tmp_path)) is None


def test_a_session_counts_from_the_token(tmp_path):
    chosen = made(tmp_path, session_hours=2)
    assert visitor_of(ANNA, chosen, lambda: NOW + 7199).until == NOW + 7200
    assert visitor_of(ANNA, chosen, lambda: NOW + 7200) is None


def test_names_are_those_that_nobody_can_choose(tmp_path):
    chosen = made(tmp_path)
    assert visitor_of(ANNA | {"name": "Boris"}, chosen).name == "anna@example.org"
    unverified = ANNA | {"email_verified": False, "name": "anna@example.org"}
    assert visitor_of(unverified, chosen).name == "anna@example.org (a-1)"
    assert visitor_of({"sub": "a-1", "iat": NOW}, chosen).name == "a-1"


@given(
    sub=st.text(min_size=1, max_size=300),
    name=st.none() | st.text(max_size=300),
    email=st.none() | st.text(max_size=200),
)
def test_any_name_fits_and_two_subjects_never_share_one(tmp_path_factory, sub, name, email):
    chosen = Settings(home=tmp_path_factory.getbasetemp())
    claims = {"sub": sub, "iat": NOW, "name": name, "email": email}
    shown = visitor_of(claims, chosen).name
    assert 0 < len(shown) <= LONGEST_NAME and shown.isprintable() and shown.strip()
    assert shown != visitor_of(claims | {"sub": f"{sub}2"}, chosen).name


def test_each_sign_in_is_a_session_of_its_own(tmp_path):
    chosen = made(tmp_path)
    sessions = {
        visitor_of(ANNA | more, chosen).session for more in ({}, {"nonce": "1"}, {"nonce": "2"}, {"iat": NOW - 1})
    }
    assert len(sessions) == 4
    assert visitor_of(ANNA, chosen).session == visitor_of(ANNA | {"provider": "default"}, chosen).session


def test_an_ended_session_of_a_provider_stays_ended(make_door):
    door = make_door(default_role="analyst")
    visitor = door.visitor(None, ANNA)
    assert visitor.role is Role.ANALYST
    door.sessions.end(visitor)
    assert door.visitor(None, ANNA) is None
    assert make_door(default_role="analyst").visitor(None, ANNA) is None
    assert door.visitor(None, ANNA | {"nonce": "new"})


@pytest.mark.parametrize(
    "chosen", [{"default_role": "root"}, {"roles_by_email": (("a@b", "analyst"), ("c@d", "boss"))}]
)
def test_a_role_that_there_is_not_is_told(tmp_path, chosen):
    with pytest.raises(AccessError, match=r"RAYON_\w+: there is no role"):
        check_roles(made(tmp_path, **chosen))


@pytest.mark.parametrize(
    ("name", "value"),
    [("RAYON_OPEN", "yes"), ("RAYON_ROLES", "a@b"), ("RAYON_ROLES", "=analyst"), ("RAYON_SESSION_HOURS", "0")],
)
def test_a_variable_that_is_off_is_named(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    settings.cache_clear()
    with pytest.raises(ValueError, match=name):
        settings()
    monkeypatch.undo()
    settings.cache_clear()
