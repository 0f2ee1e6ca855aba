"""Counts, agreement and what a threshold leaves to the model."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.items import Decision
from decisions.statistics import by_category, by_day, by_person, corrections, standing_log, totals, wilson
from decisions.threshold import automatic, threshold_for
from model.product import RankedCategory


def row(id_, decision, code=None, person="Ana", key=None, replaces=None, undoes=None, seconds=None, first=10):
    return Decision(
        id=id_,
        key=key or f"k{id_}",
        decision=decision,
        code=code,
        note=None,
        person=person,
        decided_at=datetime(2026, 3, 1 + id_ % 3, tzinfo=UTC),
        seconds=seconds,
        model="m",
        suggestions=(RankedCategory(first, 0.5),),
        replaces=replaces,
        undoes=undoes,
        action=f"a{id_}",
    )


def items(*rows) -> pd.DataFrame:
    """Rows that were sent, each of a product of its own."""
    frame = pd.DataFrame(rows, columns=["reason", "weight", "confidence", "state", "code", "first"])
    frame["code"] = frame["code"].astype("Int64")
    return frame.assign(key=[f"k{number}" for number in range(len(frame))], job="j")


LOG = [
    row(1, "accepted", 10, seconds=2.0),
    row(2, "corrected", 40, seconds=4.0),
    row(3, "unknown", seconds=9.0),
    row(4, "skipped"),
    row(5, "accepted", 10),
    row(6, "undone", undoes=5, key="k5"),
    row(7, "approved", 10, "Bob", "k1", replaces=1),
    row(8, "corrected", 50, "Bob", "k2", replaces=2),
    row(9, "approved", None, "Bob", "k3", replaces=3),
]


def test_wilson_is_the_closed_form() -> None:
    low, high = wilson(np.array([8, 0, 0]), np.array([10, 0, 5]))
    # Newcombe 1998 gives 0.4902 to 0.9433 for 8 of 10.
    assert [low[0], high[0]] == pytest.approx([0.4902, 0.9433], abs=1e-4)
    assert np.isnan(low[1]) and np.isnan(high[1])
    assert low[2] == pytest.approx(0, abs=1e-9) and 0 < high[2] < 1


def test_what_was_taken_back_counts_for_nobody() -> None:
    assert standing_log(LOG)["id"].tolist() == [1, 2, 3, 4, 7, 8, 9]
    assert standing_log([]).empty and by_person(standing_log([])).empty and by_day(standing_log([])).empty


def test_by_person() -> None:
    found = by_person(standing_log(LOG))
    ana, bob = found.loc["Ana"], found.loc["Bob"]
    assert (ana.decided, ana.agreed, ana.unknown, ana.skipped, ana.seconds) == (2, 1, 1, 1, 4.0)
    assert (ana.looked_at, ana.upheld, ana["share"]) == (3, 2, 0.5)
    assert (bob.decided, bob.agreed, bob.unknown, bob.looked_at) == (2, 1, 1, 0)


def test_by_category_and_in_all() -> None:
    found = items(
        ("doubt", 1, 0.3, "pending", None, 10),
        ("doubt", 1, 0.3, "decided", 10, 10),
        ("doubt", 1, 0.3, "approved", 40, 10),
        ("doubt", 1, 0.3, "decided", None, 10),
        ("audit", 1, 0.3, "skipped", None, 40),
    )
    table = by_category(found)
    assert table.loc[10, ["waiting", "decided", "agreed", "unknown", "skipped"]].tolist() == [1, 2, 1, 1, 0]
    assert table.loc[40, ["decided", "skipped"]].tolist() == [0, 1] and np.isnan(table.loc[40, "share"])
    whole = totals(found)
    assert (whole["waiting"], whole["decided"], whole["approved"], whole["named"]) == (1, 2, 1, 2)
    assert whole["low"] < whole["share"] == 0.5 < whole["high"]
    nothing = totals(items())
    assert nothing["waiting"] == 0 and np.isnan(nothing["share"])


def test_corrections() -> None:
    many = [("doubt", 1, 0.3, "decided", code, 10) for code in (40, 50, 50, 10, None)]
    found = corrections(items(*many, ("doubt", 1, 0.3, "skipped", None, 10)))
    assert found.to_numpy().tolist() == [[10, 50, 2], [10, 40, 1]]


def test_by_day() -> None:
    found = by_day(standing_log(LOG))
    assert found["decided"].sum() == 6 and found["agreed"].sum() == 2 and found.index.is_monotonic_increasing


def test_a_threshold_weighs_the_audit_for_all_it_stands_for() -> None:
    found = items(
        *[("doubt", 1.0, 0.25, "decided", 40, 10)] * 10,  # doubtful, and all wrong
        *[("audit", 9.0, 0.95, "decided", 10, 10)] * 8,
        *[("audit", 9.0, 0.95, "decided", 40, 10)] * 2,
    )
    all_, sure = automatic(found, [0.0, 0.5]).itertuples()
    assert all_.share == 1 and all_.accuracy == pytest.approx(72 / 100) and all_.judged == 20
    assert sure.share == pytest.approx(0.9) and sure.accuracy == pytest.approx(0.8) and sure.represented == 1
    assert sure.low == pytest.approx(0.4902, abs=1e-4)  # as 8 of 10: ten rows, whatever they stand for


def test_the_decided_stand_for_those_of_about_the_same_confidence() -> None:
    found = items(
        *[("doubt", 1.0, 0.25, "decided", 40, 10)] * 4,  # the most doubtful are decided first, and wrong
        *[("doubt", 1.0, 0.55, "decided", 10, 10)],
        *[("doubt", 1.0, 0.55, "pending", None, 10)] * 3,
        *[("doubt", 1.0, 0.75, "pending", None, 10)] * 2,
    )
    [level] = automatic(found, [0.0]).itertuples()
    assert level.accuracy == pytest.approx(0.5) and level.judged == 5  # not 1 of 5
    assert level.represented == pytest.approx(0.8)


def test_nothing_decided_gives_no_number() -> None:
    for found in (items(), items(("audit", 2.0, 0.9, "pending", None, 10))):
        [level] = automatic(found, [0.5]).itertuples()
        assert np.isnan(level.accuracy) and level.judged == 0 and np.isnan(level.unanswered)


def test_rows_of_one_product_are_one_to_an_interval() -> None:
    once = items(*[("audit", 4.0, 0.9, "decided", 10 + 30 * (n < 3), 10) for n in range(12)])
    often = pd.concat([once] * 25, ignore_index=True)
    [one], [many] = (automatic(found, [0.5]).itertuples(index=False) for found in (once, often))
    assert many == pytest.approx(one)


@pytest.mark.parametrize("side", ["first", "job"])
def test_who_decides_on_one_side_alone_learns_nothing_of_the_other(side: str) -> None:
    """Half of the rows are of an easy category, or file, and the only ones that were decided on."""
    easy = items(*[("audit", 5.0, 0.9, "decided", 10, 10)] * 40)
    hard = items(*[("audit", 5.0, 0.9, "pending", None, 10)] * 40).assign(**{side: 20 if side == "first" else "k"})
    hard["key"] += "h"
    both = pd.concat([easy, hard], ignore_index=True)
    [level] = automatic(both, [0.5]).itertuples()
    assert level.represented == 0.5 and level.low < 0.5 and level.high == 1
    assert threshold_for(automatic(both, np.arange(100) / 100), 0.9) is None
    some = both.index[40:60]
    both.loc[some, "state"], both.loc[some, "code"] = "decided", 99
    [level] = automatic(both, [0.5]).itertuples()
    assert level.represented == 1 and level.accuracy == pytest.approx(0.5), "20 stand for 40"


def test_what_nobody_could_answer_is_told() -> None:
    found = items(
        *[("audit", 5.0, 0.9, "decided", 10, 10)] * 6,
        *[("audit", 5.0, 0.9, "skipped", None, 10)],
        *[("audit", 5.0, 0.9, "decided", None, 10)],
        *[("audit", 5.0, 0.9, "pending", None, 10)] * 12,
    )
    [level] = automatic(found, [0.5]).itertuples()
    assert level.accuracy == 1 and level.unanswered == pytest.approx(0.25)


def test_who_thinks_again_is_counted_once() -> None:
    log = [
        row(1, "corrected", 40, "Ana", "k1"),
        row(2, "corrected", 50, "Ana", "k1", replaces=1),
        row(3, "accepted", 10, "Ana", "k1", replaces=2),
        row(4, "corrected", 60, "Bob", "k1", replaces=3),
        row(5, "approved", 10, "Cem", "k1", replaces=4),
    ]
    found = by_person(standing_log(log))
    assert found.loc["Ana", ["decided", "agreed", "looked_at", "upheld"]].tolist() == [1, 1, 1, 0]
    assert found.loc["Bob", ["decided", "looked_at", "upheld"]].tolist() == [1, 1, 0], "a third did not agree with Bob"


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_on_average_it_finds_what_is_true(seed: int) -> None:
    random = np.random.default_rng(seed)
    n = 4000
    confidence = random.beta(3, 1, n)
    right = random.random(n) < confidence
    doubtful = confidence < 0.6
    audited = ~doubtful & (random.random(n) < 0.2)
    sent = doubtful | audited
    decided = random.random(n) < np.where(confidence < 0.5, 0.9, 0.5)  # the more doubtful, the more is done
    frame = pd.DataFrame(
        {
            "reason": np.where(doubtful, "doubt", "audit"),
            "weight": np.where(doubtful, 1.0, 5.0),
            "confidence": confidence,
            "state": np.where(decided, "decided", "pending"),
            "code": pd.array(np.where(right, 10, 40), dtype="Int64"),
            "first": 10,
            "job": "j",
        }
    )[sent].reset_index(names="key")
    frame.loc[frame["state"] == "pending", "code"] = pd.NA
    curve = automatic(frame, np.array([0.0, 0.7]))
    for level, truth in zip(curve.itertuples(), (right.mean(), right[confidence >= 0.7].mean()), strict=True):
        spread = (level.high - level.low) / 2 / 1.96
        assert abs(level.accuracy - truth) < 5 * spread
        assert abs(level.share - (confidence >= level.threshold).mean()) < 0.06


def test_the_threshold_for_an_accuracy() -> None:
    curve = pd.DataFrame(
        {"threshold": [0.5, 0.6, 0.7, 0.8], "low": [0.96, 0.90, 0.95, 0.97], "judged": [100, 80, 60, 5]}
    )
    assert threshold_for(curve, 0.95) == 0.7
    assert threshold_for(curve, 0.9) == 0.5
    assert threshold_for(curve, 0.99) is None and threshold_for(curve.iloc[:0], 0.5) is None
