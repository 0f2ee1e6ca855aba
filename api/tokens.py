"""Tokens of the REST interface: who has one, for what, until when. Only a hash of each is kept."""

import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, Row, exists, insert, or_, select, update

from decisions.database import reading, retrying, writing
from decisions.errors import DecisionError
from decisions.tables import clients
from preprocessing.errors import InputError

SCOPES = ("classify", "jobs", "metrics")
"""What a token may be for: one product at a time; files; being watched by Prometheus."""
MOST_DAYS = 3650
log = logging.getLogger(__name__)
_PREFIX = "rayon_"
_FORM = re.compile(rf"{_PREFIX}[A-Za-z0-9_-]{{43}}")  # 256 bits
_NAME = re.compile(r"[\w.@-]{1,80}")
_NOTED_SECONDS = 60
"""How exact the moment of last use is: not every request writes to the database."""
_SENTENCES = {
    "name": "{name!r} cannot name a client: take 1 to 80 letters, digits and . _ - @",
    "scope": "There is no scope {scope!r}: take one or more of {scopes}.",
    "days": "A token is good for 1 to {most} days, not {days}.",
    "taken": "There is a token for {name} already: revoke it first, or take another name.",
    "unknown": "There is no token for {name} that could be revoked.",
}


class TokenError(InputError):
    """Nothing was changed: `reason` names the cause."""

    SENTENCES = _SENTENCES


@dataclass(frozen=True, slots=True)
class Client:
    """A program with a token. ``used`` is exact to a minute."""

    id: int
    name: str
    scopes: frozenset[str]
    created: datetime
    expires: datetime | None
    used: datetime | None
    revoked: datetime | None

    def state(self, now: datetime) -> str:
        """ "active", "expired" or "revoked"."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else "active"


class Tokens:
    """The tokens in one database. Safe to share between threads and processes; `DecisionError` when out of reach."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine, self._clock = engine, clock

    @retrying
    def add(self, name: str, scopes: Iterable[str], days: int | None = None) -> str:
        """A new token, which is shown this once; TokenError."""
        wanted, now = _checked(name, scopes, days), self._clock()
        token = _PREFIX + secrets.token_urlsafe(32)
        with writing(self._engine) as connection:
            if connection.execute(select(exists().where(clients.c.name == name, *_active(now)))).scalar():
                raise TokenError("taken", {"name": name})
            row = {"name": name, "digest": _digest(token), "scopes": " ".join(wanted), "created_at": now}
            expires = None if days is None else now + timedelta(days=days)
            connection.execute(insert(clients).values(**row, expires_at=expires))
        return token

    @retrying
    def revoke(self, name: str) -> None:
        """Ends a token from this moment on; TokenError."""
        ended = update(clients).where(clients.c.name == name, clients.c.revoked_at.is_(None))
        with writing(self._engine) as connection:
            if not connection.execute(ended.values(revoked_at=self._clock())).rowcount:
                raise TokenError("unknown", {"name": name})

    def all(self) -> list[Client]:
        """Every client there ever was, the oldest first."""
        with reading(self._engine) as connection:
            return [_client(row) for row in connection.execute(select(clients).order_by(clients.c.id))]

    def any(self) -> bool:
        """Whether a token was ever made."""
        with reading(self._engine) as connection:
            return bool(connection.execute(select(exists().select_from(clients))).scalar())

    def find(self, token: str) -> Client | None:
        """Whose token this is; None for one that is unknown, revoked or expired.

        Takes no longer for a better guess: what is looked up is the hash, of which a guesser knows nothing.
        """
        if not _FORM.fullmatch(token):
            return None
        digest, now = _digest(token), self._clock()
        with reading(self._engine) as connection:
            row = connection.execute(select(clients).where(clients.c.digest == digest)).first()
        if row is None or not hmac.compare_digest(row.digest, digest):
            return None
        client = _client(row)
        if client.state(now) != "active":
            return None
        if client.used is None or now - client.used >= timedelta(seconds=_NOTED_SECONDS):
            try:
                self._note_use(client.id, now)
            except DecisionError as error:  # somebody else writes for long: no reason to send the client away
                log.warning("the use of the token of %s is not noted: %s", client.name, error)
        return client

    @retrying
    def _note_use(self, identity: int, now: datetime) -> None:
        with writing(self._engine) as connection:
            connection.execute(update(clients).where(clients.c.id == identity).values(used_at=now))


def _checked(name: str, scopes: Iterable[str], days: int | None) -> list[str]:
    """The scopes in their order; TokenError."""
    if not _NAME.fullmatch(name):
        raise TokenError("name", {"name": name[:100]})
    chosen = set(scopes)
    if odd := sorted(chosen - set(SCOPES)) or ([] if chosen else [""]):
        raise TokenError("scope", {"scope": odd[0][:100], "scopes": ", ".join(SCOPES)})
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise TokenError("days", {"days": days, "most": MOST_DAYS})
    return [scope for scope in SCOPES if scope in chosen]


def _active(now: datetime) -> tuple:
    return clients.c.revoked_at.is_(None), or_(clients.c.expires_at.is_(None), clients.c.expires_at > now)


def _client(row: Row) -> Client:
    moments = row.created_at, row.expires_at, row.used_at, row.revoked_at
    return Client(row.id, row.name, frozenset(row.scopes.split()), *moments)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
