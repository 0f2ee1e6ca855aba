"""A server's door with an account of each role, in a home of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

import ui.language
from access import passwords
from access.door import Door, door
from access.roles import Role
from settings import settings

PASSWORD = "twelve and more"


@pytest.fixture
def open_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """Without accounts."""
    monkeypatch.setenv("RAYON_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    monkeypatch.setattr(ui.language, "DEFAULT", "en")
    settings.cache_clear()
    passwords._nobodys.cache_clear()
    yield door()
    settings.cache_clear()
    passwords._nobodys.cache_clear()


@pytest.fixture
def people(open_door: Door) -> Door:
    """With "Analyst", "Moderator" and "Administrator", who are what they are called."""
    for role in Role:
        open_door.accounts.add(role.name.capitalize(), PASSWORD, role)
    return open_door
