"""The database behind the store: SQLite in a file, or PostgreSQL; made and brought up to date when it is opened."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from decisions.errors import DecisionError

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_SECONDS = 30
_READING = "rayon_reading"
_LOCK = 7_405_661  # any number will do, as long as it stays
_SCHEMES = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}


def open_database(url: str) -> Engine:
    """The database at an address, its tables as this program knows them; DecisionError."""
    address = _address(url)
    engine = create_engine(address, pool_pre_ping=True, **_options(address))
    if address.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    with refusing(), _alone(address):
        _migrate(engine)
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that changes nothing and keeps nobody waiting; DecisionError."""
    with refusing(), engine.connect().execution_options(**{_READING: True}) as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction: all of it is on disk when it ends, or none; DecisionError."""
    with refusing(), engine.begin() as connection:
        yield connection


@contextmanager
def refusing() -> Iterator[None]:
    """Turns what a database out of reach raises into DecisionError."""
    try:
        yield
    except DBAPIError as error:
        raise DecisionError("database", {"error": str(error.orig).strip() or type(error.orig).__name__}) from error
    except (PoolTimeout, Timeout, OSError) as error:  # all connections in use, or a file that cannot be locked
        raise DecisionError("database", {"error": str(error)}) from error


def _address(url: str) -> URL:
    try:
        address = make_url(url)
        address = address.set(drivername=_SCHEMES.get(address.drivername, address.drivername))
        address.get_dialect()
    except (ArgumentError, ImportError, ValueError) as error:
        raise DecisionError("database_url", {"error": type(error).__name__}) from error
    if address.get_backend_name() not in ("sqlite", "postgresql"):
        raise DecisionError("database_url", {"error": address.get_backend_name()})
    if address.get_backend_name() == "sqlite":
        if not address.database or address.database == ":memory:":
            raise DecisionError("database_url", {"error": "a file is needed"})
        try:
            Path(address.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DecisionError("database", {"error": str(error)}) from error
    return address


def _options(address: URL) -> dict[str, Any]:
    if address.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": _BUSY_SECONDS}}
    return {"connect_args": {"connect_timeout": 10}}


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver when it sees fit
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock at once: one that reads first and then writes could find its view of the data outdated.
    read_only = connection.get_execution_options().get(_READING)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _alone(address: URL) -> Any:
    """Two processes must not bring one SQLite file up to date at once; PostgreSQL has a lock for that."""
    sqlite = address.get_backend_name() == "sqlite"
    return FileLock(f"{address.database}.lock", timeout=_BUSY_SECONDS) if sqlite else nullcontext()


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    newest = ScriptDirectory.from_config(config)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        present = MigrationContext.configure(connection).get_current_revision()
        if present == newest.get_current_head():
            return
        if present not in {None, *(step.revision for step in newest.walk_revisions())}:
            raise DecisionError("database_newer", {"revision": present})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
