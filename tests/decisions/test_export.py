"""Exported decisions: read back by training, they are those that count in the store."""

import csv
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from decisions.command import main
from decisions.errors import DecisionError
from decisions.export import FORMATS, MORE, ExportError, ExportFilter, export
from decisions.items import Filter, Verdict
from decisions.store import DecisionStore
from model.decision_format import COLUMNS
from model.taxonomy import default_taxonomy
from model.training.data import read_labelled
from settings import settings as app_settings
from tests.decisions.samples import CODES, Clock, new_item, several
from ui.gallery import EXAMPLES

TAXONOMY = default_taxonomy()
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


ACTIONS = st.lists(
    st.tuples(st.sampled_from(["accepted", "corrected", "unknown", "skipped", "undo"]), st.integers(0, 5))
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACTIONS)
def test_what_training_reads_is_what_counts(store, clock: Clock, tmp_path_factory, actions) -> None:
    store.add(several(6))
    keys = sorted(store.frame()["key"])
    for what, place in actions:
        clock.go(seconds=1)
        try:
            if what == "undo":
                store.undo("Ana")
            else:
                store.decide(
                    store.find(keys[place]), Verdict(what, CODES[1] if what == "corrected" else None), "Ana", "h"
                )
        except DecisionError as error:
            assert error.reason == "nothing_to_undo"
    folder = tmp_path_factory.mktemp("export")
    for format_ in ("csv", "parquet"):
        done = export(store, folder / f"d.{format_}", format=format_)
        assert done.decisions == len(list(store.log()))
        if standing(store):
            assert read_back(folder / f"d.{format_}") == standing(store)


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_comes_back(store, tmp_path, text) -> None:
    store.add([new_item(text, description=text)])
    decide_all(store, [Verdict("accepted", note=text)])
    export(store, tmp_path / "d.csv")
    [row] = read_labelled(tmp_path / "d.csv", TAXONOMY).examples
    assert row.designation.split() == store.find(row.id).designation.split()
    with (tmp_path / "d.csv").open(encoding="utf-8", newline="") as file:
        assert not any(cell[:1] in ("=", "+", "-", "@") for line in csv.reader(file) for cell in line)


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
    store.undo("Ana")
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
    store.undo("Ana")
    store.decide(store.find(one.key), Verdict("corrected", CODES[2]), "Bob", "h2")
    export(store, tmp_path / "d.csv")
    assert read_back(tmp_path / "d.csv") == standing(store) == {one.key: CODES[2]}
    done = export(store, tmp_path / "d.csv", ExportFilter(until=clock.now + timedelta(seconds=1)))
    assert done.products == 0, "what was decided before the first is not known, only that it was after it"


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


def test_nothing_is_left_of_an_export_that_fails(store, tmp_path) -> None:
    place = tmp_path / "place"
    (place / "full").mkdir(parents=True)
    (place / "full" / "letter").write_text("dear")
    for out, pictures in ((place, False), (place / "no" / "d.csv", False), (place / "full", True)):
        with pytest.raises(ExportError):
            export(store, out, pictures=pictures)
    assert sorted(path.name for path in place.rglob("*")) == ["full", "letter"]


# --- from a terminal ----------------------------------------------------------------------------------------------


@pytest.fixture
def at(monkeypatch, tmp_path):
    """The command on a home of its own."""
    monkeypatch.setenv("RAYON_HOME", str(tmp_path / "home"))
    app_settings.cache_clear()
    yield tmp_path
    app_settings.cache_clear()


def test_the_command(at, capsys) -> None:
    from decisions.store import open_store

    store = open_store()
    store.add(several(3))
    decide_all(store, [Verdict("accepted"), Verdict("unknown")])
    assert main(["export", "--out", str(at / "d.csv"), "--people", "ids", "--since", "2020-01-01"]) == 0
    assert "2 decisions on 2 products" in capsys.readouterr().out and len(table(at / "d.csv")) == 2
    assert main(["export", "--out", str(at / "all"), "--with-pictures"]) == 0
    assert main(["export", "--out", str(at / "all")]) == 1
    assert "is a folder: name a file" in capsys.readouterr().err
    assert main(["kept"]) == 0
    assert " 3 " in capsys.readouterr().out
    assert main(["purge", "--older-than", "0"]) == 0
    assert "Would go: texts, notes and pictures of 3 products (1 of them" in capsys.readouterr().out
    assert len(store.frame()) == 3
    assert main(["purge", "--older-than", "0", "--yes"]) == 0
    assert len(store.frame()) == 2 and len(list(store.log())) == 2
    assert main(["kept"]) == 0
    assert "Nothing is kept." in capsys.readouterr().out
    assert main(["purge", "--older-than", "-1"]) == 2
    assert "--older-than must be" in capsys.readouterr().err


def test_wrong_use_and_a_store_out_of_reach(at, monkeypatch, capsys) -> None:
    with pytest.raises(SystemExit) as wrong:
        main(["export", "--out", "x.csv", "--since", "hier"])
    assert wrong.value.code == 2 and "is no moment" in capsys.readouterr().err
    monkeypatch.setenv("RAYON_DATABASE_URL", "postgresql://rayon:geheim@127.0.0.1:1/x")
    app_settings.cache_clear()
    assert main(["kept"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: The store of decisions cannot be reached") and "geheim" not in said
    monkeypatch.setenv("RAYON_LEASE_SECONDS", "soon")
    app_settings.cache_clear()
    assert main(["kept"]) == 2
    assert capsys.readouterr().err.startswith("error: RAYON_LEASE_SECONDS must be a whole number")
