"""From a file to the moderators: what is sent, what is drawn, what stands in the table, what a row opened offers."""

import threading
import time

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import batch.runner
import ui.batch.queue
import ui.batch.sending
import ui.decide.asking
import ui.language
from batch.jobs import Job
from batch.results import Results
from batch.runner import run_job
from decisions.errors import DecisionError
from decisions.items import Filter, Verdict, product_key
from decisions.sampling import draw, seed_of
from decisions.store import DecisionStore, open_store
from model.product import Product
from settings import settings
from tests.batch.samples import LAMP, official_names, official_rows, pictures_zip, planned
from tests.pages.batch_page import VISITOR, copied, inline, keyed, metrics, opened, told

ROWS, PICTURES, VAGUE = 60, 4, 12
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
    while not ui.batch.sending.sending(job.id).ended:
        assert time.monotonic() < deadline
        time.sleep(0.01)


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
    assert (shown["Under 80%"], shown["Drawn from the rest"]) == (str(drawn.doubtful), str(drawn.audited))
    assert "1 row is left out: nothing in it could be read." in told(page)
    assert f"Send {len(drawn)} products" in keyed(page.button, "batch_queue_send_").label
    page = sent(page, job)
    added = metrics(page)["New in the queue"]
    items = {item.row: item for item in store.items(EVERYTHING, limit=100)}
    assert int(added) == len(items) and set(items) <= set(drawn.rows.tolist())
    assert {product_key(found.product(row)) for row in drawn.rows if found.pictures[row] in ("used", "missing")} <= {
        item.key for item in items.values()
    }
    for row, reason, weight in zip(drawn.rows.tolist(), drawn.reasons, drawn.weights, strict=True):
        if row in items:
            item = items[row]
            assert (item.reason, item.weight, item.job, item.job_name) == (reason, weight, job.id, "produits.csv")
            assert (item.code, item.model) == (found.codes[row, 0], found.spec.model)
            assert item.confidence == pytest.approx(float(found.confidence[row]))
            assert len(item.suggestions) == 5 and item.source == "batch"
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
    assert (shown["New in the queue"], shown["Decided already"]) == ("0", "1")
    assert int(shown["Waiting already"]) >= len(first) - 1
    assert store.find(first[0].key).standing.person == "Marie"
    keyed(page.button, "batch_queue_close_").click().run()
    assert "New in the queue" not in metrics(page) and "decided: 1" in told(page)


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
    assert "10 of 59 products were sent; they are there. Send again to complete it." in told(page)
    assert "server \\*gone\\*" in told(page)
    assert store.count(EVERYTHING) == 10
    page = sent(page, job)
    assert store.count(EVERYTHING) == len({product_key(_product(found, row)) for row in range(ROWS) if row != 30})
    assert metrics(page)["Waiting already"] == "11", "ten, and the row that is in the file twice"


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
    assert "5 of 59 products were sent" in told(page.run())
    assert store.count(EVERYTHING) == 5


def test_a_file_deleted_midway_is_told(job, monkeypatch):
    page = queue(job)
    monkeypatch.setattr(Results, "cells", lambda self, rows: 1 / 0)
    assert "0 of " in told(page := sent(page, job)) and "ZeroDivisionError" in told(page)


def test_pictures_that_are_gone_are_counted(job, monkeypatch):
    monkeypatch.setattr(Results, "image", lambda self, cells: None)
    page = sent(set_sliders(queue(job), 100, 0), job)
    assert f"{PICTURES} products were sent without their picture" in told(page)


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


def _product(found: Results, row: int) -> Product:
    """As it was classified: by hand, not by what is tested."""
    product = found.product(row)
    return product if found.pictures[row] == "used" else Product(product.designation, product.description)
