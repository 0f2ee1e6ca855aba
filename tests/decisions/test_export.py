"""Exported decisions: read back by training, they are those that count in the store."""

import csv
import errno
import json
import os
import zipfile
from datetime import timedelta
from itertools import product
from pathlib import Path
from unittest.mock import Mock

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from decisions.database import open_database
from decisions.errors import DecisionError
from decisions.export import FORMATS, MORE, ExportError, ExportFilter, export
from decisions.items import Filter, Verdict
from decisions.pictures import PictureStore
from decisions.store import DecisionStore
from model.decision_format import COLUMNS
from model.taxonomy import default_taxonomy
from model.training.data import DataError, read_labelled
from tests.decisions.samples import CODES, Clock, empty, new_item, several
from ui.gallery import EXAMPLES

TAXONOMY = default_taxonomy()
ONE_DATABASE = pytest.mark.parametrize("kind", ["sqlite"])  # what is about files is the same on both
HOSTILE = ['=HYPERLINK("http://x";"y")', "-1+1|cmd", 'a "quoted"\r\n line', "\u202eright", "NUL\0", "Sac \ud800", "'=1"]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def standing(store: DecisionStore) -> dict[str, int]:
    """The category that counts, of each product that has one."""
    found = store.frame()
    return {row.key: int(row.code) for row in found[found["code"].notna()].itertuples()}


def read_back(path: Path) -> dict[str, int]:
    return {row.id: row.code for row in read_labelled(path, TAXONOMY).examples}


def decide_all(store: DecisionStore, verdicts: list[Verdict], person: str = "Ana") -> None:
    for verdict in verdicts:
        item = store.claim("h", person)
        store.decide(item, verdict, person, "h")


def act(store: DecisionStore, person: str, what: str, key: str) -> None:
    """One thing that a person does; nothing where it makes no sense."""
    try:
        if what == "undo":
            store.undo(person, person)
        else:
            code = CODES[1] if what == "corrected" else None
            store.decide(store.find(key), Verdict(what, code), person, person)
    except DecisionError as error:
        assert error.reason in ("nothing_to_undo", "undo_changed", "own", "changed", "skip_decided")


WHAT = ("accepted", "corrected", "unknown", "skipped", "approved", "undo")
ACTIONS = st.lists(st.tuples(st.sampled_from(["Ana", "Bob"]), st.sampled_from(WHAT), st.integers(0, 2)), max_size=12)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=ACTIONS, cut=st.integers(0, 11))
def test_what_training_reads_is_what_counts(store, clock: Clock, tmp_path_factory, actions, cut) -> None:
    """Now, and as of any moment: what came after, undoing included, is as if it had not happened yet."""
    empty(store.engine)
    store.add(several(3))
    keys = sorted(store.frame()["key"])
    until, then, logged = clock.now, {}, 0
    for number, (person, what, place) in enumerate(actions):
        clock.go(seconds=1)
        act(store, person, what, keys[place])
        if number == cut:
            until, then, logged = clock.now + timedelta(microseconds=1), standing(store), len(list(store.log()))
    folder = tmp_path_factory.mktemp("export")
    expected = ((ExportFilter(), standing(store), len(list(store.log()))), (ExportFilter(until=until), then, logged))
    for format_, (where, counting, rows) in product(FORMATS, expected):
        path = folder / f"d.{format_}"
        assert export(store, path, where, format=format_).decisions == rows
        if counting:
            assert read_back(path) == counting
        else:
            with pytest.raises(DataError):
                read_labelled(path, TAXONOMY)


@pytest.mark.parametrize("format_", FORMATS)
def test_any_text_comes_back(store, tmp_path, format_) -> None:
    """A formula in no cell of a CSV; texts that are alike but for what is hostile in them stay apart."""
    path = tmp_path / f"d.{format_}"
    store.add([new_item(text, description=text) for text in HOSTILE])
    decide_all(store, [Verdict("accepted", note=text) for text in HOSTILE])
    export(store, path, format=format_)
    rows = read_labelled(path, TAXONOMY).examples
    assert len(rows) == len(HOSTILE)
    for row in rows:
        item = store.find(row.id)
        assert [row.designation.split(), row.description.split()] == [item.designation.split()] * 2
    if format_ == "csv":
        with path.open(encoding="utf-8", newline="") as file:
            cells = [cell for line in csv.reader(file) for cell in line]
        assert not any(cell[:1] in ("=", "+", "-", "@") for cell in cells)


@pytest.mark.parametrize("out", ["folder", "archive.zip"])
def test_pictures_lie_beside_the_table(store, tmp_path, out) -> None:
    pictures = [example.image for example in EXAMPLES[:2]]
    store.add(
        [new_item("one", image=pictures[0]), new_item("same", image=pictures[0]), new_item("two", image=pictures[1])]
    )
    store.add([new_item("none")])
    decide_all(store, [Verdict("accepted")] * 4)
    done = export(store, tmp_path / out, pictures=True)
    assert (done.products, done.pictures, done.missing) == (4, 2, 0)
    if out.endswith(".zip"):
        with zipfile.ZipFile(tmp_path / out) as archive:
            archive.extractall(tmp_path / "folder")
    found = read_labelled(tmp_path / "folder", TAXONOMY).examples  # as a folder, without naming the table
    assert {row.designation: row.picture and Path(row.picture).read_bytes() for row in found} == {
        "one": pictures[0], "same": pictures[0], "two": pictures[1], "none": None,
    }  # fmt: skip
    with pytest.raises(ExportError):
        export(store, tmp_path / "folder", pictures=True)


def test_a_purged_picture_is_counted(store, tmp_path, pictures) -> None:
    store.add([new_item("one", image=EXAMPLES[0].image)])
    decide_all(store, [Verdict("accepted")])
    pictures.remove(store.frame()["key"].map(store.find)[0].picture)
    assert export(store, tmp_path / "f", pictures=True).missing == 1
    assert read_labelled(tmp_path / "f", TAXONOMY).examples[0].picture is None


def test_filters(store, clock: Clock, tmp_path) -> None:
    store.add(several(3, job="j1", job_name="a.csv", source="batch", reason="doubt"))
    decide_all(store, [Verdict("accepted"), Verdict("corrected", CODES[2]), Verdict("unknown")])
    clock.go(days=2)
    store.add([new_item("later", job="j2")])
    decide_all(store, [Verdict("accepted")])

    def products(**where) -> int:
        return export(store, tmp_path / "d.csv", ExportFilter(**where)).products

    assert products() == 4 and products(job="j2") == 1 and products(job="none") == 0
    assert products(category=CODES[2]) == 1 and products(category=CODES[0]) == 2 and products(suggested=CODES[0]) == 4
    assert products(state="decided") == 4 and products(state="approved") == 0
    middle = clock.now - timedelta(days=1)
    assert products(since=middle) == 1 and products(until=middle) == 3


def test_an_undo_within_the_window_takes_its_decision_along(store, clock: Clock, tmp_path) -> None:
    store.add([new_item("one")])
    decide_all(store, [Verdict("accepted")])
    clock.go(days=2)
    since = clock.now - timedelta(days=1)
    store.undo("Ana", "Ana")
    export(store, tmp_path / "d.csv", ExportFilter(since=since))
    assert [row["decision"] for row in table(tmp_path / "d.csv")] == ["accepted", "undone"]
    export(store, tmp_path / "d.csv", ExportFilter(until=since))
    assert [(row["decision"], row["counts"]) for row in table(tmp_path / "d.csv")] == [("accepted", "yes")]


def test_clocks_that_differ_do_not_turn_the_order_round(store, clock: Clock, tmp_path) -> None:
    """Two machines; the one on which a decision is undone, and another taken, is behind."""
    store.add([new_item("one"), new_item("two")])
    one, two = store.items(Filter())
    store.decide(one, Verdict("accepted"), "Ana", "h1")
    store.decide(two, Verdict("accepted"), "Ana", "h1")
    clock.go(seconds=-5)
    store.undo("Ana", "Ana")
    store.decide(store.find(one.key), Verdict("corrected", CODES[2]), "Bob", "h2")
    export(store, tmp_path / "d.csv")
    assert read_back(tmp_path / "d.csv") == standing(store) == {one.key: CODES[2]}
    done = export(store, tmp_path / "d.csv", ExportFilter(until=clock.now + timedelta(seconds=1)))
    assert done.products == 0, "what was decided before the first is not known, only that it was after it"


@ONE_DATABASE
def test_texts_as_long_as_can_be_are_read_back(store, tmp_path) -> None:
    """Quotation marks are doubled in CSV; what is cut is told."""
    store.add([new_item("a" + '"' * 1_100_000, description="b" + '"' * 900_000)])
    decide_all(store, [Verdict("accepted")])
    for format_ in FORMATS:
        done = export(store, tmp_path / f"d.{format_}", format=format_)
        [row] = read_labelled(tmp_path / f"d.{format_}", TAXONOMY).examples
        assert (len(row.designation), len(row.description), done.cut) == (900_000, 900_000, 2)


def test_names_stay_at_home(store, tmp_path) -> None:
    store.add(several(2))
    decide_all(store, [Verdict("accepted")], "Ana Lopez")
    decide_all(store, [Verdict("accepted")], "Bob")
    export(store, tmp_path / "d.csv", people="ids")
    assert [row["person"] for row in table(tmp_path / "d.csv")] == [store.aliases()[n] for n in ("Ana Lopez", "Bob")]
    assert "Lopez" not in (tmp_path / "d.csv").read_text(encoding="utf-8")


def test_the_columns(store, tmp_path) -> None:
    store.add([new_item("one", job="j", job_name="a.csv", row=4)])
    decide_all(store, [Verdict("accepted", note="sûr", seconds=2.5)])
    export(store, tmp_path / "d.parquet", format="parquet", language="en")
    found = pq.read_table(tmp_path / "d.parquet")
    assert tuple(found.column_names) == (*COLUMNS, *MORE)
    [row] = found.to_pylist()
    assert row["label"] == TAXONOMY[CODES[0]].label_en and str(row["row"]) == "5" and row["note"] == "sûr"
    assert [pair[0] for pair in json.loads(row["suggestions"])] == list(CODES)


@ONE_DATABASE
def test_a_file_is_replaced_and_an_empty_folder_filled(store, tmp_path) -> None:
    """The folder may be a volume, or where somebody stands: it stays the one it is."""
    store.add([new_item("one", image=EXAMPLES[0].image)])
    decide_all(store, [Verdict("accepted")])
    (tmp_path / "d.csv").write_text("old")
    export(store, tmp_path / "d.csv")
    assert len(table(tmp_path / "d.csv")) == 1
    (tmp_path / "volume").mkdir()
    before = (tmp_path / "volume").stat().st_ino
    export(store, tmp_path / "volume", pictures=True)
    assert (tmp_path / "volume").stat().st_ino == before
    assert sorted(path.name for path in (tmp_path / "volume").iterdir()) == ["decisions.csv", "images"]
    assert read_labelled(tmp_path / "volume", TAXONOMY).examples[0].picture


@ONE_DATABASE
def test_nothing_is_left_of_an_export_that_is_refused(store, tmp_path) -> None:
    place = tmp_path / "place"
    (place / "full").mkdir(parents=True)
    (place / "full" / "letter").write_text("dear")
    os.mkfifo(place / "pipe")
    refused = [
        (place, False, "is_folder"),
        (place / "no" / "d.csv", False, "no_folder"),
        (place / "full", True, "not_empty"),
        (place / "full" / "letter", True, "not_empty"),
        (place / "pipe", False, "no_file"),
        (place / ("d" * 300), False, "unwritable"),
        (place / ("d" * 300), True, "unwritable"),
        (place / "full" / "letter" / "d.csv", False, "no_folder"),
    ]
    for out, pictures, reason in refused:
        with pytest.raises(ExportError) as error:
            export(store, out, pictures=pictures)
        assert error.value.reason == reason and str(error.value)
    assert sorted(path.name for path in place.rglob("*")) == ["full", "letter", "pipe"]


@ONE_DATABASE
@pytest.mark.parametrize("out", ["d.csv", "d.parquet", "d.zip", "folder", "there"])
def test_nothing_is_left_of_an_export_that_breaks_off(store, tmp_path, monkeypatch, out) -> None:
    """The disk is full, the storage gone, or somebody interrupts: the file of before stays as it was."""
    store.add([new_item("one", image=EXAMPLES[0].image), new_item("two", image=EXAMPLES[1].image)])
    decide_all(store, [Verdict("accepted")] * 2)
    place = tmp_path / "place"
    (place / "there").mkdir(parents=True)
    if "." in out:
        (place / out).write_text("old")
    files = sorted(place.rglob("*"))
    format_ = "parquet" if out.endswith("parquet") else "csv"
    with_pictures = "." not in out or out.endswith(".zip")
    full = OSError(errno.ENOSPC, "No space left on device")
    gone = DecisionError("pictures", {"place": "s3://bucket", "error": "gone"})
    for raised, expected in ((full, ExportError), (gone, DecisionError), (KeyboardInterrupt(), KeyboardInterrupt)):
        # In the second row: of the first, table and picture are written.
        monkeypatch.setattr("decisions.export.margin", Mock(side_effect=[0.5, raised]))
        with pytest.raises(expected):
            export(store, place / out, format=format_, pictures=with_pictures)
    assert sorted(place.rglob("*")) == files
    if "." in out:
        assert (place / out).read_text() == "old"


def test_the_store_is_not_written_over(tmp_path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'rayon.db'}")
    store = DecisionStore(engine, PictureStore(str(tmp_path / "pictures")))
    store.add(several(1))
    (tmp_path / "link").symlink_to("rayon.db")
    for name in ("rayon.db", "rayon.db-wal", "link"):
        with pytest.raises(ExportError) as error:
            export(store, tmp_path / name)
        assert error.value.reason == "is_store"
    assert len(store.frame()) == 1
    engine.dispose()
