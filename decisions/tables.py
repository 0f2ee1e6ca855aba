"""The tables, as SQLAlchemy knows them; `migrations` makes them."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

UNSTORABLE = {0: "\ufffd", **dict.fromkeys(range(0xD800, 0xE000), "\ufffd")}
"""What PostgreSQL cannot hold, for `str.translate`."""


class Moment(TypeDecorator):
    """A moment with its offset; SQLite, which knows none, keeps it as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Words(TypeDecorator):
    """Text as people write it. What PostgreSQL cannot hold, NUL and half characters, becomes U+FFFD everywhere."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else value.translate(UNSTORABLE)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

items = Table(
    "items",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("designation", Words),
    Column("description", Words),
    Column("picture", String(64), index=True),
    Column("suggestions", JSON, nullable=False),
    Column("model", String(200), nullable=False),
    Column("source", String(10), nullable=False),
    Column("reason", String(10), nullable=False),
    Column("job", String(64)),
    Column("row", Integer),
    # Of the first suggestion, so that the queue can be ordered and filtered by them.
    Column("category", BigInteger, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("margin", Float, nullable=False),
    Column("added_at", Moment, nullable=False),
    Column("state", String(10), nullable=False),
    Column("second_look", Boolean, nullable=False),
    # The decision that counts: kept with it in one transaction, and no foreign key, for the two tables name each other.
    Column("standing", BigInteger),
    Column("holder", String(64), index=True),
    Column("held_by", String(80)),
    Column("held_until", Moment),
    Column("purged_at", Moment),
    # As the queue is ordered and filtered: the next product is found without sorting those that wait, and those that
    # wait are counted without reading them.
    Index(None, "state", "margin", "key", "purged_at"),
    Index(None, "state", "added_at", "key"),
    Index(None, "state", "category", "margin", "key", "purged_at"),
    Index(None, "state", "reason", "margin", "key"),
)

# Each row of a file that is in the queue, by itself: a product may be in several files, and several times in one.
sent = Table(
    "sent",
    metadata,
    Column("job", String(64), primary_key=True),
    Column("row", Integer, primary_key=True, autoincrement=False),
    # No foreign key: what is purged undecided leaves `items`, and still counts as undecided.
    Column("key", String(64), nullable=False, index=True),
    Column("reason", String(10), nullable=False),
    Column("weight", Float, nullable=False),
    Column("category", BigInteger, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("model", String(200), nullable=False),
    Column("sent_at", Moment, nullable=False),
    Index(None, "reason", "key"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("job", String(64), primary_key=True),
    Column("name", Words),
    Column("added_at", Moment, nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("key", String(64), ForeignKey("items.key"), nullable=False, index=True),
    Column("decision", String(10), nullable=False),
    Column("code", BigInteger),
    Column("note", Words),
    Column("person", String(80), nullable=False, index=True),
    Column("decided_at", Moment, nullable=False, index=True),
    Column("seconds", Float),
    Column("model", String(200), nullable=False),
    Column("suggestions", JSON, nullable=False),
    Column("replaces", BigInteger),
    Column("undoes", BigInteger, unique=True),
    Column("action", String(64), nullable=False),
    UniqueConstraint("action", "key"),
    sqlite_autoincrement=True,
)

people = Table(
    "people",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("alias", String(20), nullable=False, unique=True),
)

# Programs that may ask the REST interface. Rows stay when they are revoked: an id is never another client's.
clients = Table(
    "clients",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(80), nullable=False),
    # sha256 of the token, in hex: the token itself is known to its client alone.
    Column("digest", String(64), nullable=False, unique=True),
    Column("scopes", String(200), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("used_at", Moment),
    Column("revoked_at", Moment),
    sqlite_autoincrement=True,
)

# Who did what: rows are only added, which the database itself sees to.
audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False, index=True),
    Column("person", String(120), nullable=False, index=True),
    Column("action", String(40), nullable=False, index=True),
    Column("subject", Words, nullable=False),
    Column("details", JSON, nullable=False),
    sqlite_autoincrement=True,
)

# What was classified, counted by day (UTC): `watch.observations` adds to it, several processes at once.
observed = Table(
    "observed",
    metadata,
    Column("day", Date, primary_key=True),
    Column("source", String(10), primary_key=True),
    Column("model", String(200), primary_key=True),
    Column("measure", String(20), primary_key=True),
    Column("class", String(20), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Index(None, "measure", "day"),
)
