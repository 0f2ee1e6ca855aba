"""Decisions taken away, and what is kept deleted."""

import csv
import errno
import io
import json
import tempfile
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from streamlit.testing.v1 import AppTest

import ui.language
import ui.review.taking
from decisions.export import MORE, Exported, ExportFilter, export
from decisions.items import NewItem, Verdict, product_key
from decisions.store import DecisionStore, open_store
from model.decision_format import COLUMNS
from model.product import Product, RankedCategory
from settings import settings
from tests.batch.samples import LAMP
from tests.pages.batch_page import keyed, metrics, told

HOSTILE = "<b>file</b> **x** [y](//z).csv"
SUGGESTED = (RankedCategory(2060, 0.7), RankedCategory(2583, 0.2))
ITEMS = [
    NewItem(Product("Lampe de chevet", None, LAMP), SUGGESTED, "open-1"),
    NewItem(Product("Piscine", "Neuf"), SUGGESTED, "open-1", "batch", "doubt", 1.0, "j1", HOSTILE, 3),
    NewItem(Product("=1+1"), SUGGESTED, "open-1", "batch", "audit", 20.0, "j1", HOSTILE, 9),
    NewItem(Product("Waits"), SUGGESTED, "open-1"),
]


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("RAYON_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(ui.language, "DEFAULT", "en")  # AppTest names options outside of any session
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


@pytest.fixture
def store(home) -> DecisionStore:
    """Three products decided on, one that waits."""
    store = open_store()
    store.add(ITEMS)
    verdicts = (Verdict("accepted"), Verdict("corrected", 2583, "of Marie’s"), Verdict("unknown"))
    for new, verdict in zip(ITEMS, verdicts, strict=False):
        store.decide(store.find(product_key(new.product)), verdict, "Marie Curie", "here")
    return store


def _script():
    from decisions.store import open_store
    from ui.review.taking import render_export, render_kept

    render_export(open_store())
    render_kept(open_store())


def opened() -> AppTest:
    page = AppTest.from_function(_script, default_timeout=60)
    page.session_state["app_language"] = "en"
    return checked(page.run())


def checked(page: AppTest) -> AppTest:
    assert not page.exception
    return page


def prepared(page: AppTest) -> Path:
    checked(page.button(key="review_taking_prepare").click().run())
    return page.session_state["review_taking_prepared"].path


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def test_the_file_is_the_export(store, home):
    page = opened()
    path = prepared(page)
    expected = home / "expected.csv"
    done = export(store, expected, language="en")
    assert path.read_bytes() == expected.read_bytes()
    assert list(rows(path)[0]) == [*COLUMNS, *MORE] and done == Exported(3, 3)
    assert "3 decisions on 3 products." in told(page)
    button = keyed(page.get("download_button"), "review_taking_download")
    assert button.proto.label.startswith("Download decisions.csv")


def test_pictures_come_as_a_zip_with_the_table(store):
    page = opened()
    page.toggle(key="review_taking_pictures").set_value(True)
    keyed(page.button_group, "review_taking_format").set_value("parquet").run()
    with zipfile.ZipFile(prepared(page)) as archive:
        names = archive.namelist()
        table = pq.read_table(io.BytesIO(archive.read("decisions.parquet"))).to_pylist()
        [image] = [row["image"] for row in table if row["image"]]
        assert sorted(names) == sorted(["decisions.parquet", image])
        assert archive.read(image) == LAMP
    assert "1 picture is with them." in told(page)


def test_names_can_be_left_out(store):
    page = opened()
    keyed(page.button_group, "review_taking_people").set_value("ids").run()
    assert "Notes are left as they were written" in told(page)
    found = rows(prepared(page))
    assert {row["person"] for row in found} == {store.aliases()["Marie Curie"]}
    assert "Marie Curie" not in json.dumps(found)


def test_every_filter_reaches_the_export(store, monkeypatch):
    asked: list[ExportFilter] = []

    def noted(_store, path, where, *rest):
        asked.append(where)
        path.write_text("x")
        return Exported()

    monkeypatch.setattr(ui.review.taking, "export", noted)
    page = opened()
    prepared(page)
    assert asked.pop() == ExportFilter()
    assert "No decision passes these filters." in told(page)
    for key, place in (("span", 2), ("job", 1), ("category", 1), ("state", 3)):
        keyed(page.selectbox, f"review_taking_{key}").set_value(place).run()
    prepared(page)
    where = asked.pop()
    assert (where.job, where.category, where.state, where.until) == ("j1", 10, "skipped", None)
    assert abs(datetime.now(UTC) - timedelta(days=7) - where.since) < timedelta(minutes=1)
    keyed(page.selectbox, "review_taking_span").set_value(5).run()
    page.date_input(key="review_taking_first").set_value(datetime(2026, 3, 1).date())
    page.date_input(key="review_taking_last").set_value(datetime(2026, 3, 31).date()).run()
    prepared(page)
    where = asked.pop()
    assert (where.since, where.until) == (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))


def test_a_file_made_for_other_filters_is_not_offered(store):
    page = opened()
    path = prepared(page)
    keyed(page.selectbox, "review_taking_state").set_value(2).run()
    assert "prepare the file again" in told(page) and not page.get("download_button")
    again = prepared(page)
    assert not path.exists() and len(rows(again)) == 3


def test_a_file_that_cannot_be_written_is_told(store, monkeypatch):
    def full(*args, **more):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", full)
    page = checked(opened().button(key="review_taking_prepare").click().run())
    assert "could not write the file (No space left on device)" in told(page)


def test_what_is_kept_is_told(store):
    page = opened()
    shown = metrics(page)
    assert (shown["Products"], shown["Pictures"]) == ("4", "1")
    [table] = [element.value for element in page.dataframe]
    assert sorted(table["job"]) == sorted([HOSTILE, "Classified one by one"])
    assert table["products"].tolist() == [2, 2] and table["characters"].sum() == int(shown["Characters of text"])
    assert table["size"].sum() == pytest.approx(len(LAMP) / 1e6)


def test_what_is_old_goes_once_it_is_confirmed(store, monkeypatch):
    old = datetime.now(UTC) + timedelta(days=200)
    page = opened()
    path = prepared(page)
    panel = "review_kept_panel_0"
    page.session_state[panel] = True
    checked(page.run())
    assert "Nothing that is kept came so long ago." in told(page)
    assert not [button for button in page.button if button.key == "review_kept_now"]
    monkeypatch.setattr(store, "_clock", lambda: old)
    page.session_state[panel] = True
    checked(page.run())
    assert "of 4 products; 1 of these without a decision" in told(page)
    assert store.find(product_key(ITEMS[0].product)).designation == "Lampe de chevet", "not before it is confirmed"
    checked(page.button(key="review_kept_now").click().run())
    assert "Deleted." in told(page)
    assert store.find(product_key(ITEMS[3].product)) is None
    left = store.find(product_key(ITEMS[1].product))
    assert (left.designation, left.standing.code, left.standing.note) == (None, 2583, None)
    assert not path.exists(), "a file prepared before held what was deleted"
    assert "Deleted." not in told(page.run())


def test_an_empty_store_says_so(home):
    page = opened()
    assert "Nothing is kept." in told(page)
