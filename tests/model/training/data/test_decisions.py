"""Exported decisions: for each product the last one that stands."""

import random

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.taxonomy import default_taxonomy
from model.training.data import DataError, read_labelled
from model.training.data.decisions import COLUMNS, DECISIONS
from tests.model.made_up import write_rows


def event(product, decision, code="", at="2026-01-01T10:00:00Z", **other):
    row = {"product": product, "designation": f"Sac {product}", "decision": decision, "code": code, "decided_at": at}
    return row | other


def write(path, *events):
    write_rows(path, [COLUMNS, *([row.get(column, "") for column in COLUMNS] for row in events)])
    return path


def read(path, **options):
    return read_labelled(path, default_taxonomy(), **options)


def decided(data) -> dict[str, int]:
    return {row.id: row.code for row in data.examples}


def day(number):
    return f"2026-01-{number:02}T08:00:00Z"


def test_the_last_decision_counts(tmp_path):
    path = write(
        tmp_path / "d.csv",
        event("a", "corrected", 40, day(3)),
        event("a", "accepted", 10, day(1)),
        event("b", "accepted", 10, day(1)),
        event("b", "skipped", "", day(2)),
        event("c", "unknown", "", day(1)),
        event("d", "skipped", "", day(1)),
        event("d", "accepted", 50, day(2)),
    )
    data = read(path)
    assert data.source == "decisions"
    assert decided(data) == {"a": 40, "d": 50}
    assert data.notices == {"not_decided": 2, "no_description": 2}


def test_undone_takes_back_the_one_before(tmp_path):
    path = write(
        tmp_path / "d.csv",
        *(
            event("a", d, c, day(i))
            for i, (d, c) in enumerate([("accepted", 10), ("corrected", 40), ("undone", "")], 1)
        ),
        *(event("b", d, c, day(i)) for i, (d, c) in enumerate([("accepted", 10), ("undone", "")], 1)),
        *(event("c", d, c, day(i)) for i, (d, c) in enumerate([("undone", ""), ("accepted", 50)], 1)),
        *(
            event("d", d, c, day(i))
            for i, (d, c) in enumerate(
                [("accepted", 60), ("skipped", ""), ("unknown", ""), ("undone", ""), ("undone", "")], 1
            )
        ),
    )
    data = read(path)
    assert decided(data) == {"a": 10, "c": 50, "d": 60}
    assert data.notices["not_decided"] == 1


def test_of_the_same_moment_the_one_further_down_counts(tmp_path):
    same = ("2026-01-01T10:00:00Z", "2026-01-01T12:00:00+02:00", "2026-01-01 10:00:00.000")
    path = write(
        tmp_path / "d.csv", *(event("a", "corrected", code, at) for code, at in zip((10, 40, 50), same, strict=True))
    )
    assert decided(read(path)) == {"a": 50}


def test_moments_are_compared_not_their_spelling(tmp_path):
    path = write(
        tmp_path / "d.csv",
        event("a", "accepted", 40, "2026-01-01T09:30:00-05:00"),
        event("a", "accepted", 10, "2026-01-01T10:00:00Z"),
    )
    assert decided(read(path)) == {"a": 40}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(DECISIONS), st.sampled_from([10, 40])), min_size=1))
def test_the_order_of_the_rows_does_not_matter(tmp_path_factory, events):
    folder = tmp_path_factory.mktemp("d")
    rows = [
        event(product, decision, code if decision in ("accepted", "corrected") else "", f"2026-01-01T10:{i:02}:00Z")
        for i, (product, decision, code) in enumerate(events)
    ]
    shuffled = random.Random(0).sample(rows, len(rows))
    outcomes = []
    for name, order in (("a.csv", rows), ("b.csv", shuffled)):
        try:
            outcomes.append(decided(read(write(folder / name, *order))))
        except DataError as error:
            outcomes.append([problem.reason for problem in error.problems])
    assert outcomes[0] == outcomes[1]


def test_pictures_parquet_and_the_words_of_the_decision_that_counts(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"jpeg")
    frame = pd.DataFrame(
        [
            event("a", "accepted", 10, day(1), image="a.jpg", description="<p>été"),
            event("a", "corrected", 40, day(2), image="a.jpg", description="<p>hiver"),
            event("b", "accepted", 10, day(1)),
        ]
    )
    frame["code"] = pd.to_numeric(frame["code"])
    frame["decided_at"] = pd.to_datetime(frame["decided_at"])
    frame.to_parquet(tmp_path / "d.parquet")
    data = read(tmp_path / "d.parquet")
    assert [(row.id, row.code, row.description, row.picture) for row in data.examples] == [
        ("a", 40, "<p>hiver", str(tmp_path / "a.jpg")),
        ("b", 10, "", None),
    ]


def test_every_problem_of_a_row_is_said_and_its_product_left_out(tmp_path):
    path = write(
        tmp_path / "d.csv",
        event("a", "accepted", 10, day(1)),
        event("a", "corrected", 40, "yesterday"),
        event("b", "maybe", 10, "2026-01-01"),
        event("", "accepted", 10, day(1)),
        event("c", "accepted", 9999, day(1)),
        event("d", "accepted", "", day(1)),
        event("e", "accepted", 9999, day(1)),
        event("e", "corrected", 50, day(2)),
        event("f", "accepted", 60, day(1), image="../x.jpg"),
    )
    with pytest.raises(DataError) as caught:
        read(path)
    assert [(p.reason, p.details["rows"]) for p in caught.value.problems] == [
        ("no_time", ((3, "a"), (4, "b"))),
        ("unknown_decision", ((4, "b"),)),
        ("no_product", ((5, "row 4"),)),
        ("label_unknown", ((6, "c"),)),
        ("label_no_number", ((7, "d"),)),
        ("picture_outside", ((10, "f"),)),
    ]
    known = "accepted, corrected, unknown, skipped, approved, undone"
    assert f"decisions other than {known}: 1, at line 4 (id b); found “maybe”" in str(caught.value)
    data = read(path, leave_out_bad_rows=True)
    assert decided(data) == {"e": 50}  # what was taken back since need not be in the taxonomy
    assert data.notices["bad_rows"] == 7


def test_a_table_with_other_columns_beside_it_is_no_export(tmp_path):
    write_rows(tmp_path / "t.csv", [["designation", "code produit", "decision", "label"], ["Sac", "1", "x", 10]])
    assert read(tmp_path / "t.csv").source == "table"
    write_rows(tmp_path / "t.csv", [["product", "decision", "code"], ["a", "accepted", 10]])
    with pytest.raises(
        DataError, match=r"t\.csv has no column for designation, description, decided_at; it has product"
    ):
        read(tmp_path / "t.csv")
