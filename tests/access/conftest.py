"""A door of its own for each test, with passwords that are quickly hashed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from access import passwords
from access.door import Door
from settings import Settings

FAST = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
PASSWORD = "twelve and more"


@pytest.fixture(autouse=True)
def checks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Hashes in a millisecond; the hashes that were verified, in their order."""
    verified: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str, password: str) -> bool:
            verified.append(hash)
            return super().verify(hash, password)

    monkeypatch.setattr(passwords, "HASHER", Counting(time_cost=1, memory_cost=64, parallelism=1))
    passwords._nobodys.cache_clear()
    yield verified
    passwords._nobodys.cache_clear()


@pytest.fixture
def make_door(tmp_path: Path) -> Callable[..., Door]:
    """Makes doors to one home; keywords are settings."""
    return lambda **more: Door(Settings(home=tmp_path, **more))


@pytest.fixture
def door(make_door: Callable[..., Door]) -> Door:
    return make_door()
