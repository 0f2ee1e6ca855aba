"""Rows of files that were sent: what the threshold is worked out from, whatever else becomes of their products."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from decisions.export import ExportFilter, export
from decisions.items import Added, Filter, NewItem, Verdict, product_key
from decisions.privacy import purge
from decisions.sampling import draw, seed_of
from decisions.store import DecisionStore
from decisions.threshold import automatic
from model.product import Product
from tests.decisions.samples import new_item, ranked

ROWS, DOUBTFUL = 400, 80
CONFIDENCE = np.concatenate([np.linspace(0.3, 0.59, DOUBTFUL), np.linspace(0.6, 0.99, ROWS - DOUBTFUL)])


def rows_of(job: str, products: Iterable[int] = range(ROWS), model: str = "open-1") -> list[NewItem]:
    """What is sent of a file with these products: all that are doubtful, and an audit of 10 %."""
    products = np.asarray(list(products))
    drawn = draw(CONFIDENCE[products], 0.6, 0.1, seed_of(job))
    found = zip(drawn.rows, drawn.reasons, drawn.weights, strict=True)
    return [
        NewItem(
            Product(f"Produit {products[row]}"),
            ranked(10, 40, first=float(CONFIDENCE[products[row]])),
            *(model, "batch", str(reason), float(weight)),
            *(job, f"{job}.csv", int(row)),
        )
        for row, reason, weight in found
    ]


def share(store: DecisionStore) -> float:
    """What a threshold of 60 % would leave to the model."""
    [level] = automatic(store.sent(), [0.6]).itertuples()
    return level.share


def test_a_row_is_kept_as_it_was_sent(store, clock) -> None:
    new = replace(new_item("A", first=0.75), source="batch", reason="audit", weight=12.5, job="j", job_name="é", row=7)
    store.add([new, replace(new, row=8), replace(new, row=9, reason="sent"), replace(new, row=None)])
    found = store.sent()
    assert found[["job", "row", "reason", "weight", "confidence", "model", "first", "state"]].to_numpy().tolist() == [
        ["j", row, "audit", 12.5, 0.75, "open-1", 10, "pending"] for row in (7, 8)
    ]
    assert (found["sent_at"] == clock.now).all() and found["code"].isna().all()
    store.record(new, Verdict("corrected", 60), "Ana", "h")
    assert store.sent()[["state", "decision", "code"]].to_numpy().tolist() == [["decided", "corrected", 60]] * 2


def test_the_same_products_in_several_files_do_not_change_the_share(store) -> None:
    for job in ("one", "two", "three", "four"):
        store.add(rows_of(job))
        assert share(store) == pytest.approx(1 - DOUBTFUL / ROWS)


def test_the_same_product_many_times_in_a_file_counts_as_often(store) -> None:
    often = np.concatenate([np.arange(ROWS), np.repeat(np.arange(DOUBTFUL), 4)])  # the doubtful five times
    added = store.add(rows_of("j", often))
    assert added.added < len(store.sent()) == added.added + added.waiting
    assert share(store) == pytest.approx((ROWS - DOUBTFUL) / (ROWS + 4 * DOUBTFUL))


def test_a_row_sent_again_with_a_greater_chance_stands_for_fewer(store) -> None:
    new = replace(new_item("A"), source="batch", reason="audit", weight=10.0, job="j", row=0)
    for weight, reason, kept in ((10.0, "audit", 10.0), (4.0, "audit", 4.0), (20.0, "audit", 4.0), (1.0, "doubt", 1.0)):
        store.add([replace(new, weight=weight, reason=reason)])
        assert store.sent()["weight"].tolist() == [kept]
    assert store.sent()["reason"].tolist() == ["doubt"]


def test_a_row_decided_before_its_file_was_sent_counts(store) -> None:
    rows = rows_of("j")
    for new in rows[:20]:
        store.record(replace(new, reason="sent", weight=1.0), Verdict("corrected", 40), "Ana", "h")
    assert store.add(rows) == Added(added=len(rows) - 20, decided=20)
    assert share(store) == pytest.approx(1 - DOUBTFUL / ROWS)
    found = store.sent()
    assert (found["state"] == "decided").sum() == 20 and len(found) == len(rows)


def test_what_is_purged_undecided_still_counts(store, clock) -> None:
    rows = rows_of("j")
    store.add(rows)
    for item in store.items(Filter(reason="audit"), 10):
        store.decide(item, Verdict("accepted"), "Ana", "h")
    [before] = automatic(store.sent(), [0.6]).itertuples(index=False)
    clock.go(days=200)
    assert purge(store, timedelta(days=180)).removed == len(rows) - 10
    assert store.states() == {"decided": 10}
    [after] = automatic(store.sent(), [0.6]).itertuples(index=False)
    assert after == before
    assert store.jobs() == {"j": "j.csv"}
    assert store.add(rows) == Added(added=len(rows) - 10, decided=10)


def test_the_name_of_a_file_goes_with_its_products(store, clock) -> None:
    store.add(rows_of("private"))
    clock.go(days=2)
    store.add(rows_of("later", range(10, 50)))
    purge(store, timedelta(days=1))
    # Some of what came with the first file had come with the second as well: it is gone, too.
    assert store.jobs() == {} and store.sent()["state"].isna().all()


def test_a_product_is_found_by_each_of_its_files(store, tmp_path) -> None:
    shared, alone = new_item("both"), new_item("first only")
    store.add([replace(new, job="a", job_name="a.csv", row=n, reason="doubt") for n, new in enumerate((shared, alone))])
    store.add([replace(shared, job="b", job_name="b.csv", row=4, reason="doubt")])
    assert store.jobs() == {"a": "a.csv", "b": "b.csv"}
    for job, found in (("a", {"both", "first only"}), ("b", {"both"}), ("c", set())):
        where = Filter(job=job)
        assert {item.designation for item in store.items(where)} == found and store.count(where) == len(found)
    store.decide(store.items(Filter(job="b"))[0], Verdict("accepted"), "Ana", "h")
    assert export(store, tmp_path / "b.csv", ExportFilter(job="b")).decisions == 1
    assert export(store, tmp_path / "c.csv", ExportFilter(job="c")).decisions == 0
    for job, row in (("a", 1), ("b", 5)):
        export(store, tmp_path / f"{job}.csv", ExportFilter(job=job))
        [told] = pd.read_csv(tmp_path / f"{job}.csv").itertuples()
        assert (told.job, told.job_name, told.row) == (job, f"{job}.csv", row)


def test_a_product_says_how_it_came_first_and_is_found_by_all_it_was_sent_for(store) -> None:
    new = new_item("A")
    rows = [replace(new, job="j", row=row, reason=reason) for row, reason in ((3, "sent"), (5, "audit"), (9, "doubt"))]
    store.add(rows)
    store.add(rows[::-1])
    item = store.find(product_key(new.product))
    assert (item.row, item.reason) == (3, "sent")
    assert [store.count(Filter(reason=reason)) for reason in ("sent", "audit", "doubt")] == [1, 1, 1]


def test_who_has_not_been_decided_on_gets_the_newer_model(store) -> None:
    old = rows_of("one")[:4]
    store.add(old)
    skipped, decided, *_ = store.items(Filter())
    store.decide(skipped, Verdict("skipped"), "Ana", "h")
    store.decide(decided, Verdict("accepted"), "Ana", "h")
    opened = store.claim("h", "Ana")
    new = [replace(row, model="open-2", job="two", suggestions=ranked(60, 10, first=0.5)) for row in old]
    assert store.add(new) == Added(waiting=3, decided=1)
    for item in store.items(Filter()) + store.items(Filter("skipped")):
        assert (item.model, item.code, item.confidence, item.margin) == ("open-2", 60, 0.5, 0.25)
    assert store.find(decided.key).model == "open-1"
    kept = store.decide(opened, Verdict("accepted"), "Ana", "h")
    assert (kept.model, kept.code) == ("open-1", 10), "what was on screen is what was answered"
