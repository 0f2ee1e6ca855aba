"""Passwords: hashed with Argon2id, and checked at the same cost whether the account exists or not."""

import secrets
import unicodedata
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from access.errors import AccessError

HASHER = PasswordHasher()  # RFC 9106, second recommendation: 64 MiB, three passes
SHORTEST, LONGEST = 12, 1000
"""Characters."""


def composed(password: str) -> str:
    """The password as every keyboard writes it: accents composed."""
    return unicodedata.normalize("NFC", password)


def hashed(password: str) -> str:
    """The hash to keep; AccessError for a password that nobody should have."""
    password = composed(password)
    if not SHORTEST <= len(password) <= LONGEST:
        raise AccessError(f"a password has {SHORTEST} to {LONGEST} characters, not {len(password)}")
    if len(set(password)) < 4:
        raise AccessError("a password has more than three different characters")
    return HASHER.hash(password)


def matches(kept: str | None, password: str) -> bool:
    """Whether the password is the one whose hash was kept; None, for no such account, costs as much."""
    if len(password) > LONGEST:
        password, kept = "", None
    try:
        HASHER.verify(_nobodys() if kept is None else kept, composed(password))
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def outdated(kept: str) -> bool:
    """Whether the hash was made with other parameters than those of today."""
    return HASHER.check_needs_rehash(kept)


def prepare() -> None:
    """Makes what the first check of an unknown name would otherwise have to make."""
    _nobodys()


@lru_cache(maxsize=1)
def _nobodys() -> str:
    return HASHER.hash(secrets.token_urlsafe(32))
