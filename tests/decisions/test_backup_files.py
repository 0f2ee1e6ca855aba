"""Backups that are damaged, made up, older or newer: a sentence, and a store in which nothing is."""

import contextlib
import hashlib
import json
import shutil
import stat
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text

from decisions import backup_file
from decisions.backup import backup
from decisions.backup_format import BackupError, kind_of
from decisions.database import open_database, reading
from decisions.items import Verdict
from decisions.pictures import PictureStore
from decisions.restore import restore, verify
from decisions.store import DecisionStore
from decisions.tables import metadata
from tests.decisions.samples import new_item

PICTURE = b"\x89PNG one"
REFERENCE = hashlib.sha256(PICTURE).hexdigest()


@pytest.fixture(scope="module")
def good(_sqlite_template, tmp_path_factory) -> Path:
    """A backup with something in it, made once."""
    folder = tmp_path_factory.mktemp("good")
    shutil.copy(_sqlite_template, folder / "rayon.db")
    store = DecisionStore(open_database(f"sqlite:///{folder / 'rayon.db'}"), PictureStore(str(folder / "pictures")))
    store.record(new_item("Tasse", image=PICTURE), Verdict("accepted"), "Ana", "h1")
    (folder / "accounts.json").write_text('{"format": 1, "accounts": []}')
    backup(store.engine, store.pictures, folder / "b.zip", folder / "accounts.json")
    store.engine.dispose()
    return folder / "b.zip"


def parts(file: Path) -> tuple[dict, dict[str, bytes]]:
    """The manifest, and what else is in a backup."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return json.loads(members.pop("manifest.json")), members


def packed(path: Path, manifest: object, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        archive.writestr("manifest.json", json.dumps(manifest))
    return path


def set_rows(manifest: dict, members: dict, table: str, rows: list) -> None:
    """Puts rows in, the manifest telling of them."""
    data = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    members[f"tables/{table}.jsonl"] = data
    manifest["tables"][table] |= {"rows": len(rows), "sha256": hashlib.sha256(data).hexdigest()}


@pytest.fixture
def refuses(tmp_path) -> Iterator:
    """Whether a file is refused for a reason, by `restore` into a new database in which nothing is then."""

    def check(file: Path, reason: str) -> str:
        target = tmp_path / "target.db"
        with pytest.raises(BackupError) as caught:
            restore(file, f"sqlite:///{target}", PictureStore(str(tmp_path / "pictures")), tmp_path / "accounts.json")
        assert caught.value.reason == reason, caught.value
        assert not (tmp_path / "accounts.json").exists()
        if target.exists():
            engine = open_database(f"sqlite:///{target}")
            with reading(engine) as connection:
                for name in metadata.tables:
                    assert not connection.execute(text(f"SELECT count(*) FROM {name}")).scalar()
            engine.dispose()
        return str(caught.value)

    yield check


def test_the_good_one_is_good(good) -> None:
    assert (verify(good).named, verify(good).there, verify(good).manifest.pictures) == (1, 1, 1)


def test_no_damage_passes(good, tmp_path) -> None:
    """Whichever byte is another: refused, or it says the very same."""
    data, file = good.read_bytes(), tmp_path / "b.zip"
    manifest, members = parts(good)

    @hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, len(data) - 1), st.integers(1, 255))
    def flip(place: int, bits: int) -> None:
        file.write_bytes(data[:place] + bytes([data[place] ^ bits]) + data[place + 1 :])
        with contextlib.suppress(BackupError):
            verify(file)
            assert parts(file) == (manifest, members)

    @hypothesis_settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, len(data) - 1))
    def cut(length: int) -> None:
        file.write_bytes(data[:length])
        with pytest.raises(BackupError):
            verify(file)

    flip()
    cut()


@pytest.mark.parametrize("name", ["decisions", "accounts.json", "picture", "people"])
def test_another_content_is_refused(good, tmp_path, refuses, name) -> None:
    manifest, members = parts(good)
    full = {"accounts.json": name, "picture": f"pictures/{REFERENCE}"}.get(name, f"tables/{name}.jsonl")
    members[full] = members[full].replace(b"a", b"b") + b"\n"
    assert full.split("/")[-1].split(".")[0] in refuses(packed(tmp_path / "b.zip", manifest, members), "damaged")


@pytest.mark.parametrize("name", ["tables/sent.jsonl", f"pictures/{REFERENCE}", "accounts.json"])
def test_what_is_missing_is_refused(good, tmp_path, refuses, name) -> None:
    manifest, members = parts(good)
    del members[name]
    refuses(packed(tmp_path / "b.zip", manifest, members), "damaged")


@pytest.mark.parametrize(
    "name",
    ["../evil", "/etc/passwd", "tables/../../evil.jsonl", "pictures/../evil", "C:\\evil", "pictures/", "tables/a.jsonl",
     f"pictures/{'0' * 63}", f"pictures/{REFERENCE}/x", ".env", "é"],
)  # fmt: skip
def test_names_that_are_none_of_ours(good, tmp_path, refuses, name) -> None:
    manifest, members = parts(good)
    refuses(packed(tmp_path / "b.zip", manifest, members | {name: b"x"}), "hostile")


def test_twice_the_same_name(good, tmp_path, refuses) -> None:
    manifest, members = parts(good)
    packed(tmp_path / "b.zip", manifest, members)
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(tmp_path / "b.zip", "a") as archive:
        archive.writestr("tables/items.jsonl", b"")
    refuses(tmp_path / "b.zip", "hostile")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices(good, tmp_path, refuses, kind) -> None:
    manifest, members = parts(good)
    link = zipfile.ZipInfo("tables/items.jsonl")
    link.external_attr = (kind | 0o777) << 16
    del members["tables/items.jsonl"]
    packed(tmp_path / "b.zip", manifest, members)
    with zipfile.ZipFile(tmp_path / "b.zip", "a") as archive:
        archive.writestr(link, b"/etc/passwd")
    refuses(tmp_path / "b.zip", "hostile")


def test_compressions_that_unpack_without_bound(good, tmp_path, refuses) -> None:
    manifest, members = parts(good)
    refuses(packed(tmp_path / "b.zip", manifest, members, zipfile.ZIP_LZMA), "hostile")


def test_bombs(good, tmp_path, refuses, monkeypatch) -> None:
    manifest, members = parts(good)
    picture = members | {f"pictures/{REFERENCE}": bytes(65 * 2**20)}
    assert "bytes" in refuses(packed(tmp_path / "b.zip", manifest, picture), "hostile")
    assert "bytes" in refuses(packed(tmp_path / "b.zip", manifest | {"x": "0" * 5 * 2**20}, members), "hostile")
    monkeypatch.setattr(backup_file, "LONGEST_ROW", 10_000)
    endless = members | {"tables/items.jsonl": b"[" * 20_000}
    assert "a row without end" in refuses(packed(tmp_path / "b.zip", manifest, endless), "hostile")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 5, 5))
    refuses(good, "no_space")


def test_members_over_each_other(good, tmp_path, refuses) -> None:
    """Two names in the list lead to the bytes of one member."""
    manifest, members = parts(good)
    packed(tmp_path / "b.zip", manifest, members)
    with zipfile.ZipFile(tmp_path / "b.zip", "a") as archive:
        again = archive.getinfo("tables/items.jsonl")
        other = zipfile.ZipInfo("tables/jobs.jsonl")
        other.header_offset, other.CRC, other.compress_size, other.file_size, other.compress_type = (
            again.header_offset, again.CRC, again.compress_size, again.file_size, again.compress_type
        )  # fmt: skip
        archive.filelist[:] = [info for info in archive.filelist if info.filename != other.filename] + [other]
        archive._didModify = True
    assert "over each other" in refuses(tmp_path / "b.zip", "hostile")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rayon_backup": 2}, "newer"),
        ({"step": "9999"}, "newer"),
        ({"rayon_backup": "1"}, "not_a_backup"),
        ({"rayon_backup": None}, "not_a_backup"),
        ({"step": 3}, "damaged"),
        ({"made_at": "yesterday"}, "damaged"),
        ({"tables": []}, "damaged"),
        ({"tables": {"items; DROP TABLE items": {}}}, "damaged"),
        ({"accounts": "../x"}, "damaged"),
        ({"pictures": -1}, "damaged"),
        ({"pictures": 2}, "damaged"),
        ({"with_pictures": "yes"}, "damaged"),
    ],
)
def test_manifests_that_are_off(good, tmp_path, refuses, change, reason) -> None:
    manifest, members = parts(good)
    refuses(packed(tmp_path / "b.zip", manifest | change, members), reason)


@pytest.mark.parametrize("manifest", [[], None, 3, "x", [[]] * 5])
def test_manifests_that_are_none(good, tmp_path, refuses, manifest) -> None:
    refuses(packed(tmp_path / "b.zip", manifest, parts(good)[1]), "damaged")


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("people", {"columns": {"name": "text", "mood": "text"}}),
        ("people", {"columns": {"name": "text"}}),
        ("people", {"columns": {"name": "text", 'alias"; --': "text"}}),
        ("people", {"columns": {"name": "text", "alias": "blob"}}),
        ("people", {"columns": {}}),
        ("decisions", {"last": -1}),
        ("decisions", {"last": "1"}),
        ("alembic_version", None),
        ("sqlite_master", None),
        ("people", None),
    ],
)
def test_tables_that_are_off(good, tmp_path, refuses, table, change) -> None:
    manifest, members = parts(good)
    if table in manifest["tables"] and change is None:
        del manifest["tables"][table], members[f"tables/{table}.jsonl"]
    elif change is None:
        manifest["tables"][table] = {"columns": {"version_num": "text"}, "last": None}
        set_rows(manifest, members, table, [["0001"]])
    else:
        manifest["tables"][table] |= change
    known = (change or {}).get("columns") == {"name": "text", "mood": "text"}
    refuses(packed(tmp_path / "b.zip", manifest, members), "hostile" if known or change is None else "damaged")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (["Ana"], "damaged"), (["Ana", "p-1", "more"], "damaged"), (["Ana", 3], "damaged"),
        ({"name": "Ana"}, "damaged"), ("x", "damaged"), (["Ana", None], "rows"), ([["Ana"], "p"], "damaged"),
        (None, "damaged"),
    ],
)  # fmt: skip
def test_rows_that_are_off(good, tmp_path, refuses, row, reason) -> None:
    manifest, members = parts(good)
    set_rows(manifest, members, "people", [["Bo", "p-0"], row])
    refuses(packed(tmp_path / "b.zip", manifest, members), reason)


def test_values_of_another_kind_are_refused(good, tmp_path, refuses) -> None:
    manifest, members = parts(good)
    for name, table in metadata.tables.items():
        if not manifest["tables"][name]["rows"]:
            continue
        [row] = map(json.loads, members[f"tables/{name}.jsonl"].splitlines())
        for place, column in enumerate(table.columns):
            if kind_of(column.type) == "json":
                continue
            changed, others = [*row], dict(members)
            changed[place] = [1]
            again = json.loads(json.dumps(manifest))
            set_rows(again, others, name, [changed])
            assert f"{name}, row 1" in refuses(packed(tmp_path / "b.zip", again, others), "damaged")


def test_what_is_no_file_at_all(tmp_path, refuses) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("PK")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.txt", "x")
    refuses(tmp_path / "nowhere", "unreadable")
    refuses(tmp_path, "unreadable")
    refuses(tmp_path / "empty", "not_a_backup")
    refuses(tmp_path / "text", "damaged")
    refuses(tmp_path / "other.zip", "not_a_backup")


# --- other steps -------------------------------------------------------------------------------------------


@pytest.fixture
def older(tmp_path) -> Path:
    """A backup of the first step: the tables were others then."""
    moment = "2026-01-31T09:30:00+00:00"
    item = {
        "key": ("text", "a" * 64), "designation": ("text", "Tasse"), "description": ("text", None),
        "picture": ("text", None), "suggestions": ("json", [[10, 0.5]]), "model": ("text", "open-1"),
        "source": ("text", "batch"), "reason": ("text", "audit"), "weight": ("float", 12.5), "job": ("text", "j1"),
        "job_name": ("text", "a.csv"), "row": ("integer", 5), "category": ("integer", 10), "confidence": ("float", 0.5),
        "margin": ("float", 0.5), "added_at": ("moment", moment), "state": ("text", "decided"),
        "second_look": ("boolean", False), "standing": ("integer", 7), "holder": ("text", None),
        "held_by": ("text", None), "held_until": ("moment", None), "purged_at": ("moment", None),
    }  # fmt: skip
    decision = {
        "id": ("integer", 7), "key": ("text", "a" * 64), "decision": ("text", "corrected"), "code": ("integer", 40),
        "note": ("text", None), "person": ("text", "Ana"), "decided_at": ("moment", moment), "seconds": ("float", 2.5),
        "model": ("text", "open-1"), "suggestions": ("json", [[10, 0.5]]), "replaces": ("integer", None),
        "undoes": ("integer", None), "action": ("text", "a"),
    }  # fmt: skip
    person = {"name": ("text", "Ana"), "alias": ("text", "p-1")}
    manifest = {
        "rayon_backup": 1, "step": "0001", "made_at": moment, "database": "sqlite", "pictures": 0, "missing": 0,
        "with_pictures": True, "accounts": None, "tables": {},
    }  # fmt: skip
    members: dict[str, bytes] = {}
    for name, row, last in (("items", item, None), ("people", person, None), ("decisions", decision, 7)):
        manifest["tables"][name] = {"columns": {key: kind for key, (kind, _) in row.items()}, "last": last}
        set_rows(manifest, members, name, [[value for _, value in row.values()]])
    return packed(tmp_path / "older.zip", manifest, members)


def test_an_older_one_is_brought_up_to_date(older, new_database, pictures) -> None:
    assert restore(older, new_database, pictures).rows == 3
    engine = open_database(new_database)
    store = DecisionStore(engine, pictures)
    [decision] = store.log()
    assert (decision.id, decision.code, decision.seconds) == (7, 40, 2.5)
    assert store.jobs() == {"j1": "a.csv"} and store.sent()["weight"].tolist() == [12.5]
    store.record(new_item("new"), Verdict("accepted"), "Ana", "h1")
    assert max(row.id for row in store.log()) == 8
    engine.dispose()


def test_an_older_one_wants_a_database_without_tables(older, database, pictures) -> None:
    with pytest.raises(BackupError, match="a database without tables") as caught:
        restore(older, database, pictures)
    assert caught.value.reason == "older"


def test_an_older_one_that_failed_can_be_tried_again(older, new_database, pictures, tmp_path) -> None:
    manifest, members = parts(older)
    set_rows(manifest, members, "people", [["Ana", None]])
    with pytest.raises(BackupError, match="people are not taken"):
        restore(packed(tmp_path / "off.zip", manifest, members), new_database, pictures)
    assert restore(older, new_database, pictures).rows == 3
