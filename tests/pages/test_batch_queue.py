"""From a file to the moderators: what is sent, what is drawn, what stands in the table, what a row opened offers."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pandas as pd
import pyarrow.parquet as pq
import pytest
from streamlit.testing.v1 import AppTest

import batch.runner
import ui.batch.cached
import ui.batch.downloads
import ui.batch.queue
import ui.batch.sending
import ui.decide.asking
import ui.language
from batch.jobs import Job
from batch.output import DECIDED, OURS
from batch.results import Results
from batch.runner import run_job
from decisions.errors import DecisionError
from decisions.items import Filter, NewItem, Verdict, product_key
from decisions.sampling import draw, seed_of
from decisions.store import DecisionStore, open_store
from model.product import Product
from model.taxonomy import default_taxonomy
from settings import ROOT, settings
from tests.batch.samples import HEADER, LAMP, official_names, official_rows, pictures_zip, planned
from tests.pages.batch_page import VISITOR, copied, inline, keyed, metrics, opened, told
from ui.batch.corrected import Decided
from ui.batch.downloads import OFFERS, _maker

ROWS, PICTURES, VAGUE = 60, 4, 12
MODERATOR = "Léa Q."
HOSTILE = "<script>alert(1)</script> **x** =1+1 \u202e"
EVERYTHING = Filter()


@pytest.fixture(scope="session")
def sendable(exports, tmp_path_factory) -> Job:
    """A finished job: vague rows, some pictures, one row twice, one with nothing in it, one that is hostile."""
    home = tmp_path_factory.mktemp("sendable")
    (home / "exports").symlink_to(exports / "exports")
    rows = official_rows(ROWS)
    for i in range(VAGUE):
        rows[i][1], rows[i][2] = f"Lot divers {i}", ""
    rows[20][1:3] = rows[21][1:3] = ["Lampe de chevet", ""]
    rows[30][1] = rows[30][2] = ""
    rows[31][1] = HOSTILE
    names = official_names(rows)
    pictures = dict.fromkeys(names[:PICTURES], LAMP) | {names[5]: b"no picture"}
    job = planned(home, rows, pictures_zip(home / "a.zip", pictures), owner=VISITOR)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch.runner, "run_local", inline)
        assert run_job(job, home, alone=False) == "done"
    return job


@pytest.fixture
def job(sendable, tmp_path, monkeypatch):
    """The job in a home of the test's own, which has a database of its own."""
    monkeypatch.setenv("RAYON_HOME", str(tmp_path))
    monkeypatch.setattr(ui.language, "DEFAULT", "en")  # AppTest names options outside of any session
    monkeypatch.setattr(ui.batch.sending, "_sendings", {})
    settings.cache_clear()
    ui.batch.cached._results.clear()  # those of the same job in another test's home
    yield copied(sendable, tmp_path)
    settings.cache_clear()


@pytest.fixture
def found(job) -> Results:
    return Results(job)


@pytest.fixture
def store(job) -> DecisionStore:
    return open_store()


def queue(job: Job) -> AppTest:
    """The tab on a page in English."""
    page = opened(job, language="en")
    page.session_state["batch_tabs_en"] = "To the moderators"
    return page.run()


def sent(page: AppTest, job: Job) -> AppTest:
    """The page once all that it offers has been sent."""
    keyed(page.button, "batch_queue_send_").click().run()
    assert not page.exception
    finish(job)
    return page.run()


def finish(job: Job) -> None:
    deadline = time.monotonic() + 30
    while not ui.batch.sending.sending(job).ended:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def restarted(monkeypatch) -> None:
    """As a server knows nothing of what another was at."""
    monkeypatch.setattr(ui.batch.sending, "_sendings", {})


def set_sliders(page: AppTest, below: int, share: int) -> AppTest:
    keyed(page.slider, "batch_queue_below_").set_value(below)
    keyed(page.slider, "batch_queue_share_").set_value(share)
    return page.run()


def ticked(page: AppTest, row: int) -> AppTest:
    page.session_state[keyed(page.dataframe, "batch_grid_products_").key] = {
        "selection": {"rows": [row], "columns": [], "cells": []}
    }
    page.run()
    assert not page.exception
    return page


def test_what_is_doubtful_and_a_sample_of_the_rest_are_sent(job, found, store):
    page = queue(job)
    assert not page.exception
    assert keyed(page.slider, "batch_queue_below_").value == 60, "the model's threshold"
    page = set_sliders(page, 80, 25)
    drawn = draw(found.confidence, 0.8, 0.25, seed_of(job.id), found.inputs != "none")
    assert drawn.doubtful >= 3 and drawn.audited >= 3
    shown = metrics(page)
    assert (shown["Rows under 80%"], shown["Rows drawn from the rest"]) == (str(drawn.doubtful), str(drawn.audited))
    assert "1 row is left out: nothing in it could be read." in told(page)
    assert f"Send {len(drawn)} rows" in keyed(page.button, "batch_queue_send_").label
    page = sent(page, job)
    added = metrics(page)["New products in the queue"]
    assert metrics(page)["Rows sent"] == str(len(drawn))
    items = {item.row: item for item in store.items(EVERYTHING, limit=100)}
    assert int(added) == len(items) and set(items) <= set(drawn.rows.tolist())
    assert {product_key(found.product(row)) for row in drawn.rows if found.pictures[row] in ("used", "missing")} <= {
        item.key for item in items.values()
    }
    assert store.sent()[["row", "reason", "weight"]].to_numpy().tolist() == [
        list(one) for one in zip(drawn.rows.tolist(), drawn.reasons, drawn.weights, strict=True)
    ]
    for row, reason in zip(drawn.rows.tolist(), drawn.reasons, strict=True):
        if row in items:
            item = items[row]
            assert (item.reason, item.job, item.job_name) == (reason, job.id, "produits.csv")
            assert (item.code, item.model) == (found.codes[row, 0], found.spec.model)
            assert item.confidence == pytest.approx(float(found.confidence[row]))
            assert len(item.suggestions) == 9 and item.source == "batch"
            assert [one.code for one in item.suggestions[:3]] == found.codes[row].tolist()
            assert [one.probability for one in item.suggestions] == sorted(
                (one.probability for one in item.suggestions), reverse=True
            )
            assert (item.picture is not None) == (found.pictures[row] == "used")
    assert f"to decide: {len(items)}" in told(page)
    keyed(page.button, "batch_queue_go_").click().run()
    assert page.session_state["review_filter"] == {"state": "pending", "job": job.id}


def test_sending_again_adds_nothing_and_leaves_decisions_alone(job, store):
    page = sent(set_sliders(queue(job), 80, 10), job)
    first = store.items(EVERYTHING, limit=100)
    store.decide(first[0], Verdict("unknown"), "Marie", "elsewhere")
    page = sent(page, job)
    shown = metrics(page)
    assert (shown["New products in the queue"], shown["Rows decided already"]) == ("0", "1")
    assert int(shown["Rows waiting already"]) == int(shown["Rows sent"]) - 1
    assert store.find(first[0].key).standing.person == "Marie"
    keyed(page.button, "batch_queue_close_").click().run()
    assert "New products in the queue" not in metrics(page) and "decided: 1" in told(page)


def test_sending_that_breaks_off_is_completed_by_sending_again(job, found, store, monkeypatch):
    monkeypatch.setattr(ui.batch.sending, "_CHUNK", 5)
    add, calls = DecisionStore.add, []

    def failing(self, new):
        calls.append(1)
        if len(calls) == 3:
            raise DecisionError("database", {"error": "server *gone*"})
        return add(self, new)

    monkeypatch.setattr(DecisionStore, "add", failing)
    page = sent(set_sliders(queue(job), 100, 0), job)
    assert "10 of 59 rows are in the queue" in told(page)
    assert "server \\*gone\\*" in told(page)
    assert store.count(EVERYTHING) == 10
    page = sent(page, job)
    assert store.count(EVERYTHING) == len({product_key(_product(found, row)) for row in range(ROWS) if row != 30})
    assert metrics(page)["Rows waiting already"] == "11", "ten, and the row that is in the file twice"
    assert not (job.folder / "sending.json").exists()


def test_a_page_shows_how_far_it_is_and_stops_it(job, store, monkeypatch):
    monkeypatch.setattr(ui.batch.sending, "_CHUNK", 5)
    add, go = DecisionStore.add, threading.Event()

    def waiting(self, new):
        assert go.wait(30)
        return add(self, new)

    monkeypatch.setattr(DecisionStore, "add", waiting)
    page = set_sliders(queue(job), 100, 0)
    keyed(page.button, "batch_queue_send_").click().run()
    assert not page.exception and "the sending goes on" in told(page)
    other = queue(job)
    assert not [button for button in other.button if (button.key or "").startswith("batch_queue_send_")]
    keyed(other.button, "batch_queue_stop_").click().run()
    go.set()
    finish(job)
    assert "5 of 59 rows are in the queue" in told(page.run())
    assert store.count(EVERYTHING) == 5
    restarted(monkeypatch)
    page = queue(job)
    assert "5 of 59 rows are in the queue" in told(page), "told after a restart, too"
    time.sleep(0.2)
    assert store.count(EVERYTHING) == 5, "what a person stopped does not go on by itself"
    keyed(page.button, "batch_queue_on_").click().run()
    finish(job)
    shown = metrics(page.run())
    assert not page.exception
    assert (shown["Rows sent"], shown["New products in the queue"], shown["Rows waiting already"]) == ("59", "58", "1")
    assert "59 rows made 58 new products" in told(page)


def test_what_was_stopped_can_be_left_at_that(job, store, monkeypatch):
    monkeypatch.setattr(ui.batch.sending, "_CHUNK", 5)
    add = DecisionStore.add
    monkeypatch.setattr(
        DecisionStore, "add", lambda self, new: ui.batch.sending.sending(job).stopping.set() or add(self, new)
    )
    page = sent(set_sliders(queue(job), 100, 0), job)
    keyed(page.button, "batch_queue_close_").click().run()
    restarted(monkeypatch)
    page = queue(job)
    assert "5 of 59 rows" not in told(page) and "to decide: 5" in told(page)
    assert not (job.folder / "sending.json").exists()


# What is done before and after is the same as in a server: only the tab that sends is left out.
CHILD = """
import sys, time
from pathlib import Path
import ui.batch.sending as sending
from batch.jobs import Job
from batch.output import DECIDED, OURS
from batch.results import Results
from decisions.store import DecisionStore, open_store

sending._CHUNK = 5
add, calls = DecisionStore.add, []
def halting(self, new):
    added = add(self, new)
    calls.append(1)
    if len(calls) == 3:
        print("in", flush=True)
        time.sleep(600)  # killed here: what is in the store is not yet noted
    return added
DecisionStore.add = halting
sending.send(Results(Job(Path(sys.argv[1]))), 1.0, 0.0, open_store())
time.sleep(600)
"""


@pytest.fixture
def killed(job):
    """A server that has put fifteen rows into the store, and noted ten of them; to be killed."""
    with subprocess.Popen([sys.executable, "-c", CHILD, str(job.folder)], cwd=ROOT, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout.readline().strip() == b"in"
            yield child
        finally:
            child.kill()


def test_a_sending_whose_server_was_killed_goes_on_when_its_file_is_opened(killed, job, found, store):
    page = queue(job)
    assert "the sending goes on" in told(page), "another process is at it"
    assert not [button for button in page.button if (button.key or "").startswith(("batch_queue_st", "batch_queue_se"))]
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert store.count(EVERYTHING) == 15
    noted = json.loads((job.folder / "sending.json").read_text())
    assert (noted["below"], noted["share"], noted["done"], noted["total"]) == (1.0, 0.0, 10, 59)
    page = opened(job, language="en")  # on the first tab
    assert not page.exception
    assert "the sending goes on now" in page.toast[0].value
    finish(job)
    assert not (job.folder / "sending.json").exists()
    assert store.count(EVERYTHING) == len({product_key(_product(found, row)) for row in range(ROWS) if row != 30})
    assert sorted(store.sent()["row"]) == [row for row in range(ROWS) if row != 30]
    page = queue(job)
    assert metrics(page)["Rows sent"] == "59" and not page.toast


def test_a_sending_that_ends_whoever_takes_it_up_waits_for_a_person(killed, job, store):
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    path = job.folder / "sending.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"tries": 3}))
    page = queue(job)
    assert not page.exception and not page.toast
    assert "10 of 59 rows are in the queue" in told(page)
    keyed(page.button, "batch_queue_on_").click().run()
    finish(job)
    assert store.count(EVERYTHING) == 58 and not path.exists()


def test_a_note_that_cannot_be_written_lets_nothing_begin(job, store, monkeypatch):
    def full(path, value):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ui.batch.sending, "write_json", full)
    page = sent(set_sliders(queue(job), 100, 0), job)
    assert "No space left on device" in told(page) and "0 of 59 rows" in told(page)
    assert store.count(EVERYTHING) == 0


def test_parts_with_fewer_categories_send_those_they_have(job, store):
    parts = job.parts
    for number in parts.written():
        table = parts.read(number)
        parts.write(
            number, table.drop_columns([f"{name}{i}" for name in ("code", "probability") for i in range(6, 10)])
        )
    sent(set_sliders(queue(job), 100, 0), job)
    assert {len(item.suggestions) for item in store.items(EVERYTHING, limit=100)} == {5}


def test_a_file_deleted_midway_is_told(job, monkeypatch):
    page = queue(job)
    monkeypatch.setattr(Results, "cells", lambda self, rows: 1 / 0)
    assert "0 of " in told(page := sent(page, job)) and "ZeroDivisionError" in told(page)


def test_pictures_that_are_gone_are_counted(job, monkeypatch):
    monkeypatch.setattr(Results, "image", lambda self, cells: None)
    page = sent(set_sliders(queue(job), 100, 0), job)
    assert f"{PICTURES} rows were sent without their picture" in told(page)


def test_without_a_database_the_result_still_shows(job, monkeypatch):
    def refused():
        raise DecisionError("database", {"error": "refused"})

    monkeypatch.setattr(ui.decide.asking, "open_store", refused)
    page = queue(job)
    assert not page.exception
    assert "Nothing can be sent to the queue at the moment" in told(page)
    page.session_state["batch_tabs_en"] = "Products"
    page = ticked(page.run(), 0)
    assert "decision" not in keyed(page.dataframe, "batch_grid_products_").value
    assert "Nothing can be decided at the moment" in told(page)
    assert "code " in "\n".join(element.proto.body for element in page.html)


@pytest.mark.parametrize("row", [0, 5, 31])
def test_a_row_is_decided_on_where_it_is_opened(job, found, store, row):
    page = opened(job, language="en")
    page.session_state["decide_person"] = "Marie"
    assert "decision" not in keyed(page.dataframe, "batch_grid_products_").value, "none is to be shown"
    page = ticked(page, row)
    page.button(key="batch_decide_accept").click().run()
    assert not page.exception
    item = store.find(product_key(_product(found, row)))
    assert (item.source, item.job, item.job_name, item.row) == ("batch", job.id, "produits.csv", row)
    assert (item.standing.decision, item.standing.code) == ("accepted", int(found.codes[row, 0]))
    shown = keyed(page.dataframe, "batch_grid_products_").value["decision"]
    assert shown[row].startswith("accepted: ") and shown[row].endswith("(Marie)")
    assert pd.isna(shown[row + 1])
    assert ", by Marie," in told(page), "the row stays open"


def test_the_table_shows_what_became_of_each_row_whichever_way(job, found, store):
    page = sent(set_sliders(queue(job), 100, 0), job)
    items = {item.key: item for item in store.items(EVERYTHING, limit=100)}
    one, other = product_key(_product(found, 20)), product_key(_product(found, 1))
    store.decide(items[one], Verdict("corrected", 2583, HOSTILE), "Léa", "elsewhere")
    store.decide(items[other], Verdict("skipped"), "Léa", "elsewhere")
    page.session_state["batch_tabs_en"] = "Products"
    shown = keyed(page.run().dataframe, "batch_grid_products_").value["decision"]
    assert shown[20] == shown[21] and shown[20].startswith("corrected: 2583 · ")
    assert shown[1] == "skipped (Léa)" and shown[2] == "to decide" and pd.isna(shown[30])


def taken(found: Results, format: str, looked: dict | None, problems: dict | None = None) -> bytes:
    """A download, as the page makes it."""
    offer = next(offer for offer in OFFERS if offer.format == format)
    with _maker(found, offer, {} if problems is None else problems, looked)() as file:
        return file.read()


def downloads(job: Job) -> AppTest:
    page = opened(job, language="en")
    page.session_state["batch_tabs_en"] = "Download"
    page.run()
    assert not page.exception
    return page


def decide(store: DecisionStore, found: Results, row: int, verdict: Verdict) -> None:
    """Decided on wherever: not from this file."""
    new = NewItem(_product(found, row), found.suggestions([row])[0], "another")
    store.record(new, verdict, MODERATOR, "elsewhere")


def test_the_downloads_say_what_was_decided(job, found, store):
    before = {format: taken(found, format, None) for format in ("csv", "parquet")}
    assert not downloads(job).toggle, "nobody has decided on anything"
    decide(store, found, 20, Verdict("corrected", 2583, HOSTILE))
    decide(store, found, 0, Verdict("accepted"))
    decide(store, found, 1, Verdict("unknown"))
    decide(store, found, 31, Verdict("skipped"))
    page = downloads(job)
    assert keyed(page.toggle, "batch_decided_").value is False
    assert taken(found, "csv", None) == before["csv"], "as it was, unless asked for"
    keyed(page.toggle, "batch_decided_").set_value(True).run()
    assert not page.exception and "Nobody’s name" in told(page)
    looked = {}
    header, *rows = csv.reader(io.StringIO(taken(found, "csv", looked).decode(), newline=""))
    assert header == [*HEADER, *OURS, *DECIDED] and len(rows) == ROWS
    _, *plain = csv.reader(io.StringIO(before["csv"].decode(), newline=""))
    assert [row[: -len(DECIDED)] for row in rows] == plain
    pools, first = default_taxonomy()[2583].label("en"), [str(code) for code in found.codes[:, 0].tolist()]
    label = {row: default_taxonomy()[int(first[row])].label("en") for row in range(ROWS)}
    expected = {row: ["", "", "", first[row], label[row]] for row in range(ROWS)}
    expected[20] = expected[21] = ["corrected", "2583", pools, "2583", pools]  # the same product
    expected[0] = ["accepted", first[0], label[0], first[0], label[0]]
    expected[1][0], expected[31][0] = "unknown", "skipped"
    assert [row[-len(DECIDED) :] for row in rows] == list(expected.values())
    assert looked["csv"].rows == 5 and not looked["csv"].unseen
    table = pq.read_table(io.BytesIO(taken(found, "parquet", {}))).to_pandas()
    assert table["rayon_final_code"].astype(str).tolist() == [row[-2] for row in expected.values()]
    assert table["rayon_decided_code"].dropna().tolist() == [int(first[0]), 2583, 2583]
    submission = taken(found, "submission", {}).decode().splitlines()
    assert submission[1:] == [f"{row},{expected[row][-2]}" for row in range(ROWS)]
    for offer in OFFERS:
        assert MODERATOR.encode() not in taken(found, offer.format, {}), "nobody's name"


def test_the_file_with_decisions_is_the_one_of_this_moment(job, found, store, monkeypatch):
    decide(store, found, 2, Verdict("accepted"))
    assert b",accepted," in taken(found, "csv", {})
    kept = set(job.folder.glob("result-*"))
    with monkeypatch.context() as patch:
        patch.setattr(ui.batch.downloads, "write", lambda *_, **__: 1 / 0)
        taken(found, "csv", {})  # nothing was decided since: not made anew
    decide(store, found, 3, Verdict("unknown"))
    monkeypatch.setattr(Results, "image", lambda self, cells: 1 / 0)  # no picture is read a second time
    assert b",unknown," in taken(found, "csv", {})
    assert len(set(job.folder.glob("result-*"))) == len(kept), "the one before is gone"
    store.undo(MODERATOR, "elsewhere")
    store.undo(MODERATOR, "elsewhere")
    looked = {}
    assert taken(found, "csv", looked) == taken(found, "csv", None), "nothing counts any more: the file as it is"
    assert looked["csv"].rows == 0


def test_decisions_that_cannot_be_found_are_told(job, found, store, monkeypatch):
    decide(store, found, 0, Verdict("accepted"))
    decide(store, found, 20, Verdict("accepted"))
    problems, looked = {}, {}
    with monkeypatch.context() as patch:
        patch.setattr(Results, "image", lambda self, cells: None)
        assert taken(found, "csv", looked).count(b",accepted,") == 2, "the row that is in the file twice"
    assert (looked["csv"].rows, looked["csv"].unseen) == (2, PICTURES)
    assert taken(found, "csv", looked).count(b",accepted,") == 3, "the pictures are back"
    page = downloads(job)
    keyed(page.toggle, "batch_decided_").set_value(True)
    page.session_state[f"batch_looked_{job.id}"] = {"csv": Decided({}, 2, PICTURES), "xlsx": Decided({}, 0, 0)}
    page.run()
    assert not page.exception and f"The pictures of {PICTURES} rows cannot be read any more" in told(page)
    assert "2 rows have a decision" in told(page) and "No row of this file has a decision" in told(page)

    def refused():
        raise DecisionError("database", {"error": "refused"})

    monkeypatch.setattr(ui.batch.downloads, "open_store", refused)
    with pytest.raises(DecisionError):
        taken(found, "parquet", {}, problems)
    assert problems["parquet"].reason == "database"
    page.session_state[f"batch_problems_{job.id}"] = problems
    assert "cannot be reached: refused" in told(page.run())
    monkeypatch.setattr(ui.decide.asking, "open_store", refused)
    page = downloads(job)
    assert not page.toggle and "What moderators decided cannot be added at the moment" in told(page)


def _product(found: Results, row: int) -> Product:
    """As it was classified: by hand, not by what is tested."""
    product = found.product(row)
    return product if found.pictures[row] == "used" else Product(product.designation, product.description)
