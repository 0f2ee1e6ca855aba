"""The database behind the store: SQLite in a file, or PostgreSQL; made and brought up to date when it is opened."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

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

P = ParamSpec("P")
R = TypeVar("R")
_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_SECONDS = 30
_READING = "rayon_reading"
_UPGRADE, _LOG = 7_405_661, 7_405_662  # any numbers will do, as long as they stay
_TRIES = 8
_BROKEN_OFF = {"40001", "40P01"}  # PostgreSQL: this transaction, so that another can go on
_SCHEMES = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}


def open_database(url: str, step: str = "head") -> Engine:
    """The database at an address, its tables as this program knows them; DecisionError.

    ``step``: of the migrations, beyond which none is taken.
    """
    address = _address(url)
    engine = create_engine(address, pool_pre_ping=True, **_options(address))
    if address.get_backend_name() != "sqlite":
        with refusing():
            _migrate(engine, step)
        return engine
    file = _File(Path(address.database))
    event.listen(engine, "do_connect", file.check)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", partial(_begin_sqlite, file))
    # Two processes must not bring one file up to date at once; PostgreSQL has a lock for that.
    with refusing(), FileLock(f"{address.database}.lock", timeout=_BUSY_SECONDS):
        _migrate(engine, step)
        file.remember()
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
def snapshot(engine: Engine) -> Iterator[Connection]:
    """As `reading`, and all that is read is of one moment, whatever is written meanwhile; DecisionError."""
    options = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with refusing(), engine.connect().execution_options(**{_READING: True}, **options) as connection:
        yield connection


def step_of(connection: Connection) -> str | None:
    """Which step of the migrations the tables are of; None where there are none."""
    return MigrationContext.configure(connection).get_current_revision()


def known_steps() -> tuple[str, ...]:
    """Every step of the migrations, the first one first."""
    return tuple(step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions())[::-1]


def take_steps(connection: Connection, step: str = "head") -> None:
    """Brings the tables up to a step, in the transaction of the connection."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, step)


def keep_order(connection: Connection) -> None:
    """Makes others who add to the log wait until this transaction ends, so that its rows appear in the order of ids.

    SQLite has one writer at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOG})


def retrying(change: Callable[P, R]) -> Callable[P, R]:
    """A change, in one transaction, that is begun again when the database breaks it off for the sake of another."""

    @wraps(change)
    def whole(*args: P.args, **kwargs: P.kwargs) -> R:
        for left in reversed(range(_TRIES)):
            try:
                return change(*args, **kwargs)
            except DecisionError as error:
                cause = error.__cause__
                broken_off = isinstance(cause, DBAPIError) and getattr(cause.orig, "sqlstate", None) in _BROKEN_OFF
                if not broken_off or not left:
                    raise
                time.sleep(random.uniform(0.01, 0.1))
        raise AssertionError("the last try returns or raises")

    return whole


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


class _File:
    """SQLite goes on writing to a file that was deleted or replaced, and all of it would be lost with the process."""

    def __init__(self, path: Path) -> None:
        self.path, self._identity = path, None

    def remember(self) -> None:
        """From now on it has to be this very file."""
        self._identity = self._look()

    def check(self, *_: Any) -> None:
        """DecisionError when it is another."""
        if self._identity is not None and self._look() != self._identity:
            raise DecisionError("database_moved", {"file": str(self.path)})

    def _look(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino


def _begin_sqlite(file: _File, connection: Connection) -> None:
    file.check()
    # A writer takes the lock at once: one that reads first and then writes could find its view of the data outdated.
    read_only = connection.get_execution_options().get(_READING)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _migrate(engine: Engine, step: str) -> None:
    steps = known_steps()
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _UPGRADE})
        present = step_of(connection)
        if present not in (None, *steps):
            raise DecisionError("database_newer", {"revision": present})
        last = steps[-1] if step == "head" else step
        if present is None or steps.index(present) < steps.index(last):
            take_steps(connection, last)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
