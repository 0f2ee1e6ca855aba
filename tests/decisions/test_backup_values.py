"""Values that somebody has put into a backup: refused with a sentence, or a store that exports as any other."""

import json
import shutil
import warnings
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from decisions.audit import AuditLog
from decisions.backup import backup
from decisions.backup_format import BackupError
from decisions.command import FAILED, main
from decisions.database import open_database
from decisions.export import export
from decisions.items import Verdict
from decisions.pictures import PictureStore
from decisions.restore import restore, verify
from decisions.store import DecisionStore
from decisions.tables import metadata
from settings import settings
from tests.decisions.samples import new_item
from tests.decisions.test_backup_files import packed, parts, set_rows

TABLES = ("items", "decisions", "people", "audit", "sent", "jobs")
_HUGE = 10**400
_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 2**31, 2**63 - 1, 2**63, _HUGE, -_HUGE, float("inf"), float("nan"), 1e308]),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["undone", "accepted", "../../etc/passwd", "\ud800", "\0", "a" * 64, "pending", "x" * 5000]),
    st.sampled_from(
        ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-12-31T23:59:59+00:00", "2026-01-31",
         "2026-01-31T09:30:00+00:00", "0001-01-01T00:00:00+23:59:59.999999", "2249-12-31T23:59:59-23:59"]
    ),
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
        max_leaves=6,
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def good(_sqlite_template, tmp_path_factory) -> tuple[dict, dict[str, bytes]]:
    """A backup with rows in each of the tables."""
    folder = tmp_path_factory.mktemp("good")
    shutil.copy(_sqlite_template, folder / "rayon.db")
    store = DecisionStore(open_database(f"sqlite:///{folder / 'rayon.db'}"), PictureStore(str(folder / "pictures")))
    store.add([new_item("Chaise", job="j1", job_name="a.csv")])
    store.record(new_item("Tasse", image=b"\x89PNG one"), Verdict("accepted", seconds=2.0), "Ana", "h1")
    store.record(new_item("Bol"), Verdict("corrected", 40), "Ana", "h1")
    store.undo("Ana", "h1")
    AuditLog(store.engine).note("Ana", "purged")
    backup(store.engine, store.pictures, folder / "b.zip")
    store.engine.dispose()
    return parts(folder / "b.zip")


def changed(good: tuple[dict, dict[str, bytes]], file: Path, table: str, row: int, column: str, value: object) -> Path:
    """The same backup, but for a value."""
    manifest, members = deepcopy(good)
    rows = [json.loads(line) for line in members[f"tables/{table}.jsonl"].splitlines()]
    rows[row % len(rows)][metadata.tables[table].columns.keys().index(column)] = value
    set_rows(manifest, members, table, rows)
    return packed(file, manifest, members)


def check_whole(folder: Path) -> None:
    """Whatever a store is asked for as a whole, it gives."""
    engine = open_database(f"sqlite:///{folder / 'rayon.db'}")
    try:
        store = DecisionStore(engine, PictureStore(str(folder / "pictures")))
        export(store, folder / "d.zip", pictures=True, people="ids")
        export(store, folder / "d.parquet", format="parquet")
        store.frame(), list(store.log()), list(AuditLog(engine).rows())
        backup(engine, store.pictures, folder / "again.zip")
    finally:
        engine.dispose()


def tried(file: Path, template: Path, folder: Path) -> bool:
    """Whether it is restored; then the store is whole."""
    for left in (folder / "rayon.db", folder / "rayon.db-wal", folder / "rayon.db-shm"):
        left.unlink(missing_ok=True)
    shutil.copy(template, folder / "rayon.db")
    try:
        restore(file, f"sqlite:///{folder / 'rayon.db'}", PictureStore(str(folder / "pictures")))
    except BackupError as error:
        assert str(error).count("\n") == 0
        return False
    check_whole(folder)
    return True


def test_no_value_makes_a_store_that_does_not_export(good, _sqlite_template, tmp_path) -> None:
    assert tried(packed(tmp_path / "b.zip", *good), _sqlite_template, tmp_path)
    places = [(table, column) for table in TABLES for column in metadata.tables[table].c.keys()]  # noqa: SIM118

    @hypothesis_settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(places), st.integers(0, 3), _VALUES)
    def check(place, row, value) -> None:
        with warnings.catch_warnings(action="error"):
            tried(changed(good, tmp_path / "b.zip", place[0], row, place[1], value), _sqlite_template, tmp_path)

    check()


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("items", "added_at", "0001-01-01T00:00:00+14:00"), ("items", "added_at", "9999-12-31T23:59:59-14:00"),
        ("decisions", "decided_at", "1600-01-01T00:00:00+00:00"), ("items", "confidence", _HUGE),
        ("decisions", "seconds", float("inf")), ("items", "margin", float("nan")),
        ("items", "picture", "../../etc/passwd"), ("items", "picture", "A" * 64), ("items", "row", 2**31),
        ("items", "suggestions", []), ("items", "suggestions", {}), ("decisions", "suggestions", [[10]]),
        ("decisions", "suggestions", [["10", 0.5]]), ("decisions", "suggestions", [[10, None]]),
        ("decisions", "suggestions", [[2**64, 0.5]]), ("decisions", "suggestions", [[10, float("inf")]]),
        ("audit", "details", []), ("audit", "details", {"x": float("nan")}), ("audit", "details", {"x": "\ud800"}),
    ],
)  # fmt: skip
def test_values_out_of_bounds(good, tmp_path, table, column, value) -> None:
    file = changed(good, tmp_path / "b.zip", table, 0, column, value)
    for reads in (verify, lambda path: restore(path, f"sqlite:///{tmp_path / 'r.db'}", PictureStore(str(tmp_path)))):
        with pytest.raises(BackupError, match=f"{table}, row 1: ") as caught:
            reads(file)
        assert caught.value.reason == "damaged" and not (tmp_path / "r.db").exists()


@pytest.mark.parametrize(
    ("table", "column", "value", "what"),
    [
        ("items", "standing", 99, "is not there"), ("decisions", "person", "Nobody", "not in people"),
        ("decisions", "decision", "undone", "more is taken back"),
    ],
)  # fmt: skip
def test_rows_that_do_not_agree(good, tmp_path, new_database, table, column, value, what) -> None:
    file = changed(good, tmp_path / "b.zip", table, 0, column, value)
    with pytest.raises(BackupError, match=what) as caught:
        restore(file, new_database, PictureStore(str(tmp_path / "pictures")))
    assert caught.value.reason == "hostile"
    restore(packed(file, *good), new_database, PictureStore(str(tmp_path / "pictures")))


@pytest.mark.parametrize("field", [{"database": "\x1b]0;x\x07"}, {"database": "mysql"}, {"accounts_absent": "no"}])
def test_what_a_manifest_says_is_not_printed_as_it_is(good, tmp_path, capsys, field) -> None:
    manifest, members = good
    settings.cache_clear()
    assert main(["verify", str(packed(tmp_path / "b.zip", manifest | field, members))]) == FAILED
    told = capsys.readouterr()
    assert not told.out and "damaged" in told.err and "\x1b" not in told.err
