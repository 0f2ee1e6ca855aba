"""The door: whether one has to sign in, signing in by name and password, and who holds a session."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from access import passwords
from access.accounts import Account, Accounts, key_of
from access.attempts import Attempts, network_of, whole_seconds
from access.claims import check_roles, visitor_of
from access.sessions import Sessions
from access.visitor import Visitor
from settings import Settings, settings


class Refused(Exception):
    """Signing in did not work. ``wait``: seconds until the next attempt, None when the two did not go together."""

    def __init__(self, wait: int | None = None) -> None:
        super().__init__(wait)
        self.wait = wait


class Door:
    """What a server process needs to let people in. ``settings`` name its files."""

    def __init__(self, settings: Settings) -> None:
        check_roles(settings)
        self.settings = settings
        self.accounts = Accounts(settings.accounts)
        self.sessions = Sessions(settings.home / "sign-in", settings.session_hours)
        self.attempts = Attempts()
        self._closed = False

    def close(self) -> None:
        """From now on one has to sign in: a file of accounts that goes missing must not let everybody in."""
        self._closed = True

    def closed(self) -> bool:
        """Whether one has to sign in."""
        if not self._closed and self.accounts.exist():
            self._closed = True
        return self._closed

    def sign_in(self, name: str, password: str, address: str) -> str:
        """The cookie of a new session; Refused, AccessError. Takes as long for a name that does not exist."""
        key, address = key_of(name)[:200], network_of(address)
        if (wait := self.attempts.begin(key, address)) > 0:
            raise Refused(whole_seconds(wait))
        account = self.accounts.get(name)
        right = passwords.matches(None if account is None else account.hash, password)
        if account is None or not right:
            raise Refused
        self.attempts.succeeded(key, address)
        return self.sessions.begin(self._up_to_date(account, password))

    def visitor(self, cookie: str | None, claims: Mapping[str, Any] | None) -> Visitor | None:
        """Who comes with a cookie of ours, or with the claims of a provider; None for a stranger. AccessError."""
        visitor = self.sessions.read(cookie, self.accounts)
        if visitor is None and claims:
            visitor = visitor_of(claims, self.settings)
            if visitor is not None and self.sessions.ended(visitor.session):
                return None
        return visitor

    def holder(self, visitor: Visitor) -> str:
        """The secret that stands with the files of somebody: of an account for as long as it is there, and not of a
        later one of its name. AccessError."""
        account = self.accounts.get(visitor.name) if visitor.way == "account" else None
        return self.sessions.token("jobs", visitor.key if account is None else self.account_key(account))

    def account_key(self, account: Account) -> str:
        """What an account has in common with no other."""
        key = f"account:{account.name}"
        return f"{key}\0{account.made_at}" if account.made_at else key  # the files of before were kept by the name

    def _up_to_date(self, account: Account, password: str) -> Account:
        if passwords.outdated(account.hash):
            self.accounts.renew_hash(account, password)
        return account


def door() -> Door:
    """The one of this process."""
    return _door(settings())


@lru_cache(maxsize=1)
def _door(chosen: Settings) -> Door:
    return Door(chosen)
