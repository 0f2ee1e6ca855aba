"""The store on SQLite and on a real PostgreSQL server: what takes one of these fixtures runs on both."""

import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine

from decisions.database import open_database
from decisions.pictures import PictureStore
from decisions.store import DecisionStore
from tests.decisions.postgresql import PostgresServer, installed
from tests.decisions.samples import Clock, empty
from tests.decisions.workers import end_with_parent

DATABASES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresServer]:
    """A server for the whole run; without PostgreSQL the tests are skipped, and fail where CI is set."""
    programs = installed()
    if programs is None:
        missing = "no PostgreSQL server on this machine; install it by: make postgresql"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    server = PostgresServer(programs)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def _postgresql_database(postgresql: PostgresServer) -> Iterator[Engine]:
    """One database with the tables in it for all tests: to make one for each takes a third of a second."""
    engine = open_database(postgresql.url(postgresql.database()))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    open_database(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture(scope="session")
def processes() -> Iterator[ProcessPoolExecutor]:
    """Three processes besides this one, which have loaded the store already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.decisions.workers"])
    with ProcessPoolExecutor(3, context, initializer=end_with_parent) as pool:
        yield pool


@pytest.fixture(params=DATABASES)
def kind(request: pytest.FixtureRequest) -> str:
    """Which database a test runs on."""
    return request.param


@pytest.fixture
def new_database(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Address of a database of the test's own that has no tables yet."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'new.db'}"
        return
    server = request.getfixturevalue("postgresql")
    name = server.database()
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def database(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Address of a database, its tables empty, whose rows are the test's own to change; see `new_database`."""
    if kind == "sqlite":
        shutil.copy(request.getfixturevalue("_sqlite_template"), tmp_path / "rayon.db")
        return f"sqlite:///{tmp_path / 'rayon.db'}"
    engine = request.getfixturevalue("_postgresql_database")
    empty(engine)
    return engine.url.render_as_string(hide_password=False)


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    engine = open_database(database)
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pictures(tmp_path: Path) -> PictureStore:
    return PictureStore(str(tmp_path / "pictures"))


@pytest.fixture
def make_store(engine: Engine, pictures: PictureStore, clock: Clock) -> Callable[..., DecisionStore]:
    """Stores on the test's one database; nothing is drawn for a second look unless asked for."""

    def make(**options: object) -> DecisionStore:
        return DecisionStore(engine, pictures, **{"second_look": 0.0, "clock": clock} | options)

    return make


@pytest.fixture
def store(make_store: Callable[..., DecisionStore]) -> DecisionStore:
    return make_store()
