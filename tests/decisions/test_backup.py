"""A store taken away as one file and put back elsewhere is equal to the last row."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, String, UniqueConstraint, insert, select, text

from api.tokens import Tokens
from decisions.audit import AuditFilter, AuditLog
from decisions.backup import backup
from decisions.backup_format import BackupError, kind_of
from decisions.command import FAILED, OK, main
from decisions.database import open_database, reading, writing
from decisions.items import Verdict
from decisions.pictures import PictureStore
from decisions.privacy import purge
from decisions.restore import restore, verify
from decisions.store import DecisionStore, open_store
from decisions.tables import jobs, metadata, observed
from settings import ROOT, settings
from tests.decisions.samples import check_agrees, everything, new_item, several

KINDS = ("sqlite", "postgresql")
_PHASES = (Phase.explicit, Phase.generate)  # to make a store smaller takes minutes
_TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=9)
_MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
_SMALL, _LARGE = st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63) + 1, 2**63 - 1)
_VALUES = {
    "moment": _MOMENTS,
    "date": st.dates(date(1990, 1, 1), date(2200, 1, 1)),
    "json": st.lists(st.tuples(st.integers(0, 9999), st.floats(0, 1)).map(list), min_size=1, max_size=3),
    "boolean": st.booleans(),
    "float": st.floats(allow_nan=False, allow_infinity=False),
}
_NAMED = {
    ("audit", "details"): st.just({"é": None}) | st.dictionaries(_TEXT, _SMALL, max_size=2),
    ("items", "picture"): st.sampled_from([letter * 64 for letter in "abc"]),
}


@pytest.fixture(scope="module")
def blank(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """Makes databases without rows; of PostgreSQL there are two, "a" and "b", emptied each time."""
    made: dict[str, Engine] = {}
    template = request.getfixturevalue("_sqlite_template")

    def make(kind: str, name: str) -> Engine:
        if kind == "sqlite":
            path = tmp_path_factory.mktemp("blank") / f"{name}.db"
            shutil.copy(template, path)
            return open_database(f"sqlite:///{path}")
        if name not in made:
            server = request.getfixturevalue("postgresql")
            made[name] = open_database(server.url(server.database()))
        with writing(made[name]) as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))  # the audit log lets go of rows
            for table in metadata.tables.values():
                connection.execute(table.delete())
        return made[name]

    yield make
    for engine in made.values():
        engine.dispose()


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def rows_of(engine: Engine) -> dict[str, list[tuple]]:
    with reading(engine) as connection:
        return {
            name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
            for name, table in metadata.tables.items()
        }


def values(column) -> st.SearchStrategy:
    kind = kind_of(column.type)
    if kind == "integer":
        large = "BIGINT" in str(column.type)
        found = st.integers(1, 2**31 - 1) if column.primary_key else _LARGE if large else _SMALL
    elif kind == "text":
        length = min(column.type.length or 9, 9) if isinstance(column.type, String) else 9
        found = _TEXT.map(lambda text: text[:length])
    else:
        found = _VALUES.get(kind)
    found = _NAMED.get((column.table.name, column.name), found)
    return st.none() | found if column.nullable else found


@st.composite
def stores(draw) -> dict[str, list[dict]]:
    """Rows for every table there is, whichever that are by now."""
    made: dict[str, list[dict]] = {}
    for table in metadata.sorted_tables:
        columns = {}
        for column in table.columns:
            columns[column.name] = values(column)
            for key in column.foreign_keys:
                there = [row[key.column.name] for row in made[key.column.table.name]]
                columns[column.name] = st.sampled_from(there) if there else st.nothing()
        groups = [c.columns.keys() for c in table.constraints if isinstance(c, UniqueConstraint)]
        groups += [table.primary_key.columns.keys()]
        unique = tuple(lambda row, group=tuple(group): tuple(row[name] for name in group) for group in groups)
        if table.name == "items":
            columns["standing"] = st.none()  # set below
        if table.name == "decisions":
            there = [one["name"] for one in made["people"]]
            columns["person"] = st.sampled_from(there) if there else st.nothing()
        row = st.fixed_dictionaries(columns)
        made[table.name] = [] if row.is_empty else draw(st.lists(row, max_size=3, unique_by=unique))
    for item in made["items"]:
        own = [one["id"] for one in made["decisions"] if one["key"] == item["key"]]
        item["standing"] = draw(st.none() | st.sampled_from(own)) if own else None
    return made


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_every_row_of_every_table_comes_back(blank, tmp_path, source, target) -> None:
    file = tmp_path / "b.zip"

    @hypothesis_settings(max_examples=8, deadline=None, phases=_PHASES, suppress_health_check=list(HealthCheck))
    @given(stores())
    def check(made) -> None:
        before, after = blank(source, "a"), blank(target, "b")
        with writing(before) as connection:
            for table in metadata.sorted_tables:
                if made[table.name]:
                    connection.execute(insert(table), made[table.name])
        nowhere = PictureStore(str(tmp_path / "none"))
        assert backup(before, nowhere, file, with_pictures=False).rows == sum(map(len, made.values()))
        restore(file, url_of(after), nowhere)
        assert rows_of(after) == rows_of(before)

    check()


def test_the_random_stores_have_rows_in_every_table() -> None:
    seen: set[str] = set()

    @hypothesis_settings(
        max_examples=40,
        deadline=None,
        phases=_PHASES,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    @given(stores())
    def look(made) -> None:
        seen.update(name for name, rows in made.items() if rows)

    look()
    assert seen == set(metadata.tables)


@pytest.fixture
def filled(store: DecisionStore) -> DecisionStore:
    """Decisions, one taken back, pictures, a client and a line of the audit log."""
    store.add([*several(4, job="j1"), new_item("with a picture", image=b"\x89PNG one")])
    store.record(new_item("Tasse"), Verdict("corrected", 40, "bleu"), "Ana", "h1")
    store.record(new_item("with a picture", image=b"\x89PNG one"), Verdict("accepted"), "Bo", "h2")
    store.undo("Bo", "h2")
    AuditLog(store.engine).note("Ana", "exported", "d.csv", names=True)
    return store


@pytest.mark.parametrize("target", KINDS)
def test_a_store_goes_on_where_it_was(filled, blank, tmp_path, target) -> None:
    token = Tokens(filled.engine).add("shop", ["classify"])
    file, pictures = tmp_path / "b.zip", PictureStore(str(tmp_path / "elsewhere"))
    assert backup(filled.engine, filled.pictures, file).pictures == 1
    assert file.stat().st_mode & 0o077 == 0, "tokens' hashes and people's names are its owner's alone"
    after = blank(target, "b")
    assert restore(file, url_of(after), pictures).pictures == 1
    again = DecisionStore(after, pictures, second_look=0.0)
    assert everything(again) == everything(filled) and list(again.log()) == list(filled.log())
    [picture] = pictures.references()
    assert pictures.read(picture) == b"\x89PNG one"
    assert Tokens(after).find(token).name == "shop"
    check_agrees(again)
    last = max(row.id for row in again.log())
    again.record(new_item("new"), Verdict("accepted"), "Ana", "h1")
    assert max(row.id for row in again.log()) == last + 1
    assert again.undo("Ana", "h1").keys
    check_agrees(again)
    if target == "postgresql":
        with pytest.raises(Exception, match="only added"), writing(after) as connection:
            connection.execute(text("DELETE FROM audit"))


@pytest.mark.parametrize("target", KINDS)
def test_an_id_that_was_given_out_is_never_anothers(store, blank, tmp_path, target) -> None:
    log = AuditLog(store.engine)
    for _ in range(3):
        Tokens(store.engine).add("shop", ["classify"])
        Tokens(store.engine).revoke("shop")
    with writing(store.engine) as connection:
        connection.execute(text("DELETE FROM clients WHERE id = (SELECT max(id) FROM clients)"))
    log.note("Ana", "purged")
    before = ids(store.engine)
    backup(store.engine, store.pictures, tmp_path / "b.zip")
    after = blank(target, "b")
    restore(tmp_path / "b.zip", url_of(after), store.pictures)
    Tokens(after).add("other", ["jobs"])
    assert ids(after)[-1] == before[-1] + 2, "the one whose row is gone was given out, too"


def ids(engine: Engine) -> list[int]:
    with reading(engine) as connection:
        return list(connection.execute(text("SELECT id FROM clients ORDER BY id")).scalars())


def test_what_is_written_meanwhile_is_in_it_whole_or_not_at_all(store, blank, kind, tmp_path) -> None:
    store.add(several(120))
    ended, went = threading.Event(), threading.Event()

    def work() -> None:
        while not ended.is_set() and (item := store.claim("h", "Ana")) is not None:
            store.decide(item, Verdict("accepted"), "Ana", "h")
            went.set()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert went.wait(30)
        for n in range(3):
            backup(store.engine, store.pictures, tmp_path / f"{n}.zip")
        at_end = len(list(store.log()))
    finally:
        ended.set()
        thread.join()
    counts = []
    for n in range(3):
        after = DecisionStore(blank(kind, "b"), store.pictures)
        restore(tmp_path / f"{n}.zip", url_of(after.engine), store.pictures)
        check_agrees(after)
        counts.append(len(list(after.log())))
    assert 0 < counts[0] <= counts[1] <= counts[2] <= at_end and counts[0] < at_end


def test_a_picture_purged_meanwhile_is_told(filled, tmp_path, blank, monkeypatch) -> None:
    reading_one, file, elsewhere = PictureStore.read, tmp_path / "b.zip", PictureStore(str(tmp_path / "elsewhere"))

    def purged_first(pictures: PictureStore, reference: str) -> bytes | None:
        purge(filled, timedelta(days=-1))
        pictures.remove(reference)
        return reading_one(pictures, reference)

    with monkeypatch.context() as patched:
        patched.setattr(PictureStore, "read", purged_first)
        done = backup(filled.engine, filled.pictures, file)
    assert (done.pictures, done.missing) == (0, 1)
    checked = verify(file)
    assert (checked.named, checked.there) == (1, 0)
    after = blank("sqlite", "b")
    assert restore(file, url_of(after), elsewhere).missing == 1
    assert backup(after, elsewhere, file).missing == 0, "no product names it any more"


def test_pictures_that_cannot_be_found_are_no_purge(filled, tmp_path) -> None:
    out, elsewhere = tmp_path / "b.zip", PictureStore(str(tmp_path / "elsewhere"))
    out.write_bytes(b"old")
    with pytest.raises(BackupError, match=r"1 pictures that products name are not in .*RAYON_PICTURES") as caught:
        backup(filled.engine, elsewhere, out)
    assert caught.value.reason == "pictures_missing" and out.read_bytes() == b"old"
    assert not list(tmp_path.glob(".b.zip*"))
    assert backup(filled.engine, elsewhere, out, with_pictures=False).missing == 0
    assert (verify(out).named, verify(out).there) == (1, 0)


@pytest.mark.parametrize("table", ["clients", "jobs"])
def test_a_store_with_rows_is_left_alone(filled, blank, kind, tmp_path, table) -> None:
    backup(filled.engine, filled.pictures, tmp_path / "b.zip")
    after = blank(kind, "b")
    AuditLog(after).note("Ana", "sign_in")
    if table == "clients":
        Tokens(after).add("shop", ["classify"])
    else:
        with writing(after) as connection:
            connection.execute(insert(jobs).values(job="j", added_at=datetime.now(UTC)))
    before = rows_of(after)
    with pytest.raises(BackupError, match=f"there are rows in {table} already") as caught:
        restore(tmp_path / "b.zip", url_of(after), filled.pictures)
    assert caught.value.reason == "not_empty" and rows_of(after) == before


def test_what_a_new_deployment_has_noted_stays(filled, blank, kind, tmp_path) -> None:
    """An account is made before anybody can restore: its line follows those that are restored."""
    day = date(2026, 1, 31)
    observe = {"day": day, "source": "api", "model": "open-1", "measure": "words"}
    with writing(filled.engine) as connection:
        connection.execute(insert(observed).values(**observe, **{"class": "0", "number": 5}))
    AuditLog(filled.engine).note("Bo", "purged")
    backup(filled.engine, filled.pictures, tmp_path / "b.zip")
    before = rows_of(filled.engine)
    after = blank(kind, "b")
    for action in ("account_added", "sign_in"):
        AuditLog(after).note("command x", action)
    with writing(after) as connection:
        connection.execute(insert(observed), [observe | {"class": name, "number": 2} for name in "01"])
    there = [row[1:] for row in rows_of(after)["audit"]]
    assert restore(tmp_path / "b.zip", url_of(after), filled.pictures).beside == 4
    found = rows_of(after)
    assert found["audit"][: len(before["audit"])] == before["audit"]
    assert [row[1:] for row in found["audit"][len(before["audit"]) :]] == there
    ids = [row[0] for row in found["audit"]]
    assert ids == sorted(set(ids)) and {row[-2:] for row in found["observed"]} == {("0", 7), ("1", 2)}
    assert all(found[name] == rows for name, rows in before.items() if name not in ("audit", "observed"))
    for statement in ("DELETE FROM audit", "UPDATE audit SET person = 'x'"):  # the log refuses again
        with pytest.raises(Exception, match="only added"), writing(after) as connection:
            connection.execute(text(statement))
    AuditLog(after).note("Ana", "sign_in")
    assert rows_of(after)["audit"][-1][0] > ids[-1]


def test_a_restore_that_fails_keeps_what_was_noted(filled, blank, kind, tmp_path, monkeypatch) -> None:
    backup(filled.engine, filled.pictures, tmp_path / "b.zip")
    after = blank(kind, "b")
    AuditLog(after).note("command x", "account_added")
    before = rows_of(after)
    monkeypatch.setattr("decisions.restore.check_agree", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        restore(tmp_path / "b.zip", url_of(after), filled.pictures)
    assert rows_of(after) == before
    with pytest.raises(Exception, match="only added"), writing(after) as connection:
        connection.execute(text("DELETE FROM audit"))


# --- the file ----------------------------------------------------------------------------------------------


def test_nothing_or_the_old_one_is_left_of_a_backup_broken_off(filled, tmp_path, monkeypatch) -> None:
    out = tmp_path / "b.zip"

    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(PictureStore, "read", broken)
    there = set(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        backup(filled.engine, filled.pictures, out)
    assert set(tmp_path.iterdir()) - {tmp_path / "rayon.db-wal", tmp_path / "rayon.db-shm"} <= there
    out.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        backup(filled.engine, filled.pictures, out)
    assert out.read_bytes() == b"old"


def test_a_backup_that_is_killed_leaves_the_old_one(tmp_path) -> None:
    out, (told, tell) = tmp_path / "b.zip", os.pipe()
    out.write_bytes(b"old")
    engine = open_database(f"sqlite:///{tmp_path / 's.db'}")
    pictures = PictureStore(str(tmp_path / "pictures"))
    DecisionStore(engine, pictures).add([new_item("a", image=b"\x89PNG")])
    engine.dispose()
    child = os.fork()
    if not child:
        try:
            pictures.read = lambda reference: (os.write(tell, b"."), signal.pause())
            backup(open_database(f"sqlite:///{tmp_path / 's.db'}"), pictures, out)
        finally:
            os._exit(1)
    assert os.read(told, 1) == b"."
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(told)
    os.close(tell)
    assert out.read_bytes() == b"old"
    [left] = tmp_path.glob(".b.zip.*.part")
    os.utime(left, (0, 0))
    engine = open_database(f"sqlite:///{tmp_path / 's.db'}")
    backup(engine, pictures, out)
    assert not list(tmp_path.glob("*.part")) and zipfile.is_zipfile(out)
    engine.dispose()


@pytest.mark.parametrize("where", ["no/b.zip", ".", "rayon.db", "rayon.db-wal"])
def test_where_no_backup_can_be(tmp_path, pictures, where, request) -> None:
    shutil.copy(request.getfixturevalue("_sqlite_template"), tmp_path / "rayon.db")
    engine = open_database(f"sqlite:///{tmp_path / 'rayon.db'}")
    before = (tmp_path / "rayon.db").stat().st_ino
    with pytest.raises(ValueError, match=r"name another|no folder"):
        backup(engine, pictures, tmp_path / where)
    assert (tmp_path / "rayon.db").stat().st_ino == before
    engine.dispose()


# --- the commands ------------------------------------------------------------------------------------------


@pytest.fixture
def at_home(monkeypatch):
    """Makes a folder the home of the settings."""

    def move(home: Path) -> None:
        monkeypatch.setenv("RAYON_HOME", str(home))
        settings.cache_clear()

    yield move
    settings.cache_clear()


def test_from_one_home_to_another(at_home, tmp_path, capsys) -> None:
    one, other, file = tmp_path / "one", tmp_path / "other", tmp_path / "b.zip"
    at_home(one)
    store = open_store()
    store.record(new_item("Tasse", image=b"\x89PNG"), Verdict("accepted"), "Ana", "h1")
    assert main(["backup", str(file), "--accounts"]) == OK and main(["verify", str(file)]) == OK
    told = capsys.readouterr()
    assert "There is no file of accounts" in told.err and "no file\n" in told.out
    at_home(tmp_path / "zeroth")
    assert main(["restore", str(file), "--accounts"]) == OK and "those that are here stay" in capsys.readouterr().err
    at_home(one)
    (one / "accounts.json").write_text('{"format": 1, "accounts": []}')
    assert main(["backup", str(file), "--accounts"]) == OK and main(["verify", str(file)]) == OK
    said = capsys.readouterr().out
    assert "and 1 pictures," in said and "decisions" in said and "yes" in said

    at_home(other)
    assert main(["restore", str(file), "--accounts"]) == OK
    assert "and 1 pictures are back." in capsys.readouterr().out
    assert (other / "accounts.json").read_bytes() == (one / "accounts.json").read_bytes()
    assert (other / "accounts.json").stat().st_mode & 0o077 == 0
    again = open_store()
    assert again.engine is not store.engine and list(again.log()) == list(store.log())
    [noted] = AuditLog(again.engine).page(AuditFilter(action="restored"))
    assert noted.subject == "b.zip" and noted.details["accounts"] is True
    assert len(AuditLog(store.engine).page(AuditFilter(action="backed_up"))) == 2

    for arguments in (["--accounts"], []):
        assert main(["restore", str(file), *arguments]) == FAILED
        assert "there are rows in" in capsys.readouterr().err
    at_home(tmp_path / "third")
    assert main(["restore", str(file)]) == OK and not (tmp_path / "third" / "accounts.json").exists()
    assert "were left out" in capsys.readouterr().err
    assert main(["backup", str(file), "--without-pictures"]) == OK and main(["verify", str(file)]) == OK
    assert "0 of 1 that products name (left out)" in " ".join(capsys.readouterr().out.split())
    at_home(tmp_path / "fourth")
    assert main(["restore", str(file), "--accounts"]) == FAILED and main(["verify", str(tmp_path)]) == FAILED
    assert not (tmp_path / "fourth").exists(), "nothing is made before the file is in order"
    for opened in (store, again):
        opened.engine.dispose()


def test_accounts_that_are_there(at_home, tmp_path, capsys) -> None:
    """On one machine from SQLite to PostgreSQL they are the same; in a new deployment its first one is there."""
    home, file = tmp_path / "home", tmp_path / "b.zip"
    at_home(home)
    open_store().engine.dispose()
    accounts = home / "accounts.json"
    accounts.write_text('{"format": 1, "accounts": []}')
    assert main(["backup", str(file), "--accounts"]) == OK
    (home / "rayon.db").rename(home / "old.db")
    assert main(["restore", str(file), "--accounts"]) == OK and "restores them" not in capsys.readouterr().err
    assert [path.name for path in home.glob("accounts.json*")] == ["accounts.json"]

    other = '{"format": 1, "accounts": [1]}'
    accounts.write_text(other)
    (home / "rayon.db").rename(home / "older.db")
    assert main(["restore", str(file), "--accounts"]) == FAILED
    assert "--replace-accounts" in capsys.readouterr().err and accounts.read_text() == other
    assert main(["restore", str(file), "--accounts", "--replace-accounts"]) == OK
    [aside] = home.glob("accounts.json.2*")
    assert aside.read_text() == other and aside.name in capsys.readouterr().out
    assert accounts.read_text() == '{"format": 1, "accounts": []}' and accounts.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["accounts.json", "accounts.json.lock", "sign-in/key", "link"])
def test_files_of_its_own_are_not_replaced(at_home, tmp_path, capsys, name) -> None:
    at_home(tmp_path)
    (tmp_path / "sign-in").mkdir()
    (tmp_path / "link").symlink_to("accounts.json")
    (tmp_path / "accounts.json").write_text("{}")
    for command in (["backup", str(tmp_path / name)], ["export", "--out", str(tmp_path / name)]):
        assert main(command) == FAILED and "of Rayon's own" in capsys.readouterr().err
    assert (tmp_path / "accounts.json").read_text() == "{}"


def test_nobody_reads_what_is_printed(at_home, tmp_path) -> None:
    at_home(tmp_path)
    assert main(["backup", str(tmp_path / "b.zip")]) == OK
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "decisions", "verify", str(tmp_path / "b.zip")]
    done = subprocess.run(command, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert done.returncode == FAILED and not done.stderr
