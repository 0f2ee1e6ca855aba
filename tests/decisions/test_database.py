"""The database is made, found up to date, or refused with the reason; whoever else opens it at the same time."""

import os
import shutil
import sqlite3
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, text

from decisions import database
from decisions.database import open_database, reading, writing
from decisions.errors import DecisionError
from decisions.items import Filter, Verdict
from decisions.pictures import PictureStore
from decisions.store import DecisionStore, open_store
from decisions.tables import metadata
from settings import settings
from tests.decisions.postgresql import HERE, free_port
from tests.decisions.samples import new_item
from tests.decisions.workers import opened

NEWEST = ScriptDirectory(str(Path(database.__file__).parent / "migrations")).get_current_head()
OLD_ITEM = """
    INSERT INTO items ("key", suggestions, model, source, reason, weight, job, job_name, "row", category, confidence,
    margin, added_at, state, second_look, standing) VALUES (:key, '[[10, 0.5]]', 'open-1', 'batch', :reason, :weight,
    :job, :name, :row, 10, 0.5, 0.5, '2026-01-31 09:30:00', :state, false, :standing)
"""
OLD_DECISION = """
    INSERT INTO decisions (id, "key", decision, code, person, decided_at, model, suggestions, action)
    VALUES (1, :key, 'corrected', 40, 'Ana', '2026-01-31 09:30:00', 'open-1', '[[10, 0.5]]', 'a')
"""


def test_migrations_make_the_very_tables_of_the_program(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_a_missing_column_would_be_noticed(new_database: str) -> None:
    engine = open_database(new_database)
    with writing(engine) as connection:
        connection.execute(text("ALTER TABLE people ADD COLUMN mood TEXT"))
        connection.execute(text("DROP INDEX ix_items_state_added_at_key"))
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    assert sorted(change[0] for change in found) == ["add_index", "remove_column"]


def test_what_is_there_stays_when_it_is_opened_again(store, database) -> None:
    store.record(new_item(), Verdict("accepted"), "Ana", "h1")
    again = open_database(database)
    other = DecisionStore(again, store.pictures)
    assert list(other.log()) == list(store.log()) and other.states() == {"decided": 1}
    again.dispose()


def test_several_processes_make_one_database(new_database: str, processes) -> None:
    assert list(processes.map(opened, [new_database] * 6)) == [NEWEST] * 6
    engine = open_database(new_database)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_an_older_database_keeps_what_was_sent(new_database: str) -> None:
    engine = at_step_1(new_database)
    with writing(engine) as connection:
        for row, (job, name, number, reason, weight, state) in enumerate(
            (
                ("j1", "a.csv", 3, "doubt", 1.0, "decided"),
                ("j1", "a.csv", 5, "audit", 12.5, "pending"),
                ("j2", None, 9, "sent", 1.0, "pending"),
                (None, None, None, "sent", 1.0, "pending"),
            )
        ):
            values = {"key": f"{row}" * 64, "job": job, "name": name, "row": number, "reason": reason, "weight": weight}
            connection.execute(text(OLD_ITEM), values | {"state": state, "standing": 1 if state == "decided" else None})
        connection.execute(text(OLD_DECISION), {"key": "0" * 64})
    engine.dispose()
    engine = open_database(new_database)
    store = DecisionStore(engine, PictureStore("unused"))
    found = store.sent()
    told = found[["job", "row", "reason", "weight", "first", "state", "code"]].astype(object).to_numpy().tolist()
    assert told[0] == ["j1", 3, "doubt", 1.0, 10, "decided", 40]
    assert told[1][:6] == ["j1", 5, "audit", 12.5, 10, "pending"] and len(told) == 2
    assert store.jobs() == {"j1": "a.csv", "j2": "j2"}
    assert store.find("0" * 64).standing.code == 40 and store.states() == {"decided": 1, "pending": 3}
    engine.dispose()


def at_step_1(url: str) -> Engine:
    """The database as it was made at first."""
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    return engine


def test_a_newer_database_is_refused(new_database: str) -> None:
    engine = open_database(new_database)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DecisionError, match=r"newer version of this program \(step 9999\)") as caught:
        open_database(new_database)
    assert caught.value.reason == "database_newer"
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM items")).scalar() == 0
    engine.dispose()


@pytest.mark.parametrize("change", ["deleted", "replaced", "deleted while it was read"])
def test_nothing_is_promised_of_a_file_that_is_gone(tmp_path: Path, pictures, change: str) -> None:
    path, copy = tmp_path / "s.db", tmp_path / "copy.db"
    store = DecisionStore(open_database(f"sqlite:///{path}"), pictures)
    store.add([new_item("a"), new_item("b")])
    shutil.copy(path, copy)
    if change != "deleted while it was read":
        store.engine.dispose()  # so that a connection has to be made anew
    path.rename(tmp_path / "aside.db")
    if change == "replaced":
        copy.rename(path)
    for call in (
        lambda: store.claim("h", "Ana"),
        lambda: store.record(new_item("a"), Verdict("accepted"), "Ana", "h"),
        store.states,
    ):
        with pytest.raises(DecisionError, match="was removed or replaced") as caught:
            call()
        assert caught.value.reason == "database_moved" and str(path) in str(caught.value)
    assert path.exists() == (change == "replaced"), "no empty file in its place"
    (tmp_path / "aside.db").replace(path)
    store.record(new_item("a"), Verdict("accepted"), "Ana", "h")
    store.engine.dispose()
    again = DecisionStore(open_database(f"sqlite:///{path}"), pictures)
    assert again.states() == {"decided": 1, "pending": 1}
    again.engine.dispose()


def test_a_write_that_fails_leaves_nothing(engine: Engine, store) -> None:
    with pytest.raises(RuntimeError), writing(engine) as connection:
        connection.execute(text("INSERT INTO people (name, alias) VALUES ('Ana', 'p-1')"))
        raise RuntimeError
    assert store.people() == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "rayon.db",
        "mysql://user:s3cret@host/name",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql://user:s3cret@host:port/name",
        "nothing://s3cret",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(DecisionError, match="RAYON_DATABASE_URL") as caught:
        open_database(url)
    assert caught.value.reason == "database_url" and "s3cret" not in str(caught.value)


def test_a_server_out_of_reach_is_told_without_the_password() -> None:
    with pytest.raises(DecisionError) as caught:
        open_database(f"postgresql://rayon:s3cret@{HERE}:{free_port()}/rayon")
    assert caught.value.reason == "database" and "s3cret" not in str(caught.value)
    assert HERE in str(caught.value)


@pytest.mark.parametrize("change", [{"password": "s3cret"}, {"database": "nowhere"}])
def test_a_server_that_refuses_is_told_without_the_password(postgresql, change: dict) -> None:
    with pytest.raises(DecisionError) as caught:
        open_database(postgresql.url(**change))
    assert caught.value.reason == "database"
    assert "s3cret" not in str(caught.value) and "s3cret" not in repr(caught.value)


def test_a_server_that_goes_away_is_found_again(postgresql, pictures) -> None:
    url = postgresql.url(name := postgresql.database())
    store = DecisionStore(open_database(url), pictures)
    store.add([new_item()])
    with psycopg.connect(postgresql.url()) as connection:
        ended = connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        assert ended.fetchall() == [(True,)]
    assert store.count(Filter()) == 1
    store.engine.dispose()
    postgresql.drop(name)


def test_a_file_that_is_no_database_is_told(tmp_path) -> None:
    (tmp_path / "rayon.db").write_bytes(b"no database at all, though long enough to be one" * 99)
    with pytest.raises(DecisionError) as caught:
        open_database(f"sqlite:///{tmp_path / 'rayon.db'}")
    assert caught.value.reason == "database" and "not a database" in str(caught.value)


def test_a_folder_that_cannot_be_made_is_told(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DecisionError, match="cannot be reached"):
        open_database(f"sqlite:///{tmp_path / 'file' / 'rayon.db'}")


def test_a_disk_that_is_full_is_told(tmp_path, pictures) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'rayon.db'}")
    store = DecisionStore(engine, pictures)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")  # of this connection, which the pool hands out again
    with pytest.raises(DecisionError, match="cannot be reached"):
        store.add([new_item("x" * 1_000_000)])
    engine.dispose()
    assert store.states() == {}


def test_the_sqlite_file_is_safe_against_a_loss_of_power(tmp_path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'made' / 'rayon.db'}")
    with engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2}
    engine.dispose()


def test_the_store_of_the_settings_needs_no_set_up(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("RAYON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RAYON_SECOND_LOOK", "100")
    settings.cache_clear()
    store = open_store()
    assert open_store() is store and (store.second_look, store.lease_seconds) == (1.0, 300)
    store.add([new_item(image=b"picture")])
    assert (tmp_path / "home" / "rayon.db").is_file() and list(
        PictureStore(str(tmp_path / "home/pictures")).references()
    )
    store.engine.dispose()
    settings.cache_clear()


def test_a_copy_taken_by_sqlite_itself_is_whole(tmp_path, pictures) -> None:
    """As docs/decisions.md says to back it up, while it is in use."""
    engine = open_database(f"sqlite:///{tmp_path / 'rayon.db'}")
    store = DecisionStore(engine, pictures)
    kept = store.record(new_item(), Verdict("accepted"), "Ana", "h1")
    with sqlite3.connect(tmp_path / "rayon.db") as source, sqlite3.connect(tmp_path / "copy.db") as copy:
        source.backup(copy)
    copied = open_database(f"sqlite:///{tmp_path / 'copy.db'}")
    assert list(DecisionStore(copied, pictures).log()) == [kept]
    for each in (engine, copied):
        each.dispose()


def test_the_programs_of_postgresql_are_found_off_the_path(monkeypatch) -> None:
    from tests.decisions import postgresql as module

    if shutil.which("initdb") is None:
        pytest.skip("no PostgreSQL on this machine")
    here = module.installed()
    monkeypatch.setenv("PATH", os.devnull)
    assert module.installed() in (here, None)
