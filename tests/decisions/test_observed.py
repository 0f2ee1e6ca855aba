"""Counts of what was classified: several processes add up, a write that fails loses nothing, nothing is told twice."""

import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest

from decisions.errors import DecisionError
from model.observed import MEASURES, counted_classes, observed
from tests.watch.answers import answer
from watch import observations
from watch.observations import Observations, counted, totals

NOW = datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC)


def of(engine, measure, source=None) -> dict:
    frame = counted(engine)
    frame = frame[(frame["measure"] == measure) & (frame["source"].eq(source) if source else True)]
    return {name: int(number) for name, number in frame.groupby("class")["number"].sum().items()}


def test_each_classification_counts_once_in_each_measure(engine):
    counts = Observations(lambda: engine, lambda: NOW)
    answers = [answer(), answer(), answer(10, 0.31, words=1, unknown=1), answer(words=0, text=False, image=True)]
    for one in answers:
        counts.note("page", one)
    assert counts.write() and counts.write()
    assert {measure: sum(of(engine, measure).values()) for measure in MEASURES} == {
        "words": 3, "unknown": 3, "confidence": 4, "category": 4, "inputs": 4
    }  # fmt: skip
    assert of(engine, "words") == {"1": 1, "6": 2}
    assert of(engine, "unknown") == {"0.5": 1, "0": 2}
    assert of(engine, "confidence") == {"text:0.9": 2, "text:0.3": 1, "image:0.9": 1}
    assert of(engine, "inputs") == {"text": 3, "image": 1}
    assert totals(engine) == {("page", "1560"): 3, ("page", "10"): 1}
    assert all(name in counted_classes(m, [1560, 10]) for one in answers for m, name in observed(one))


def test_processes_and_threads_add_up(engine):
    several = [Observations(lambda: engine, lambda: NOW) for _ in range(3)]

    def work(counts) -> None:
        for _ in range(40):
            counts.note("api", answer())
            counts.write()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, several * 2))
    assert all(counts.write() for counts in several)
    assert of(engine, "inputs") == {"text": 240}


def test_days_are_those_of_utc(engine):
    clock = [NOW]
    counts = Observations(lambda: engine, lambda: clock[0])
    counts.note("page", answer())
    clock[0] += timedelta(seconds=2)
    counts.note("page", answer())
    counts.write()
    days = counted(engine)
    assert list(days[days["measure"] == "inputs"]["day"]) == [date(2026, 6, 30), date(2026, 7, 1)]
    assert (
        len(counted(engine, since=date(2026, 7, 1))) == len(MEASURES) == len(counted(engine, until=date(2026, 6, 30)))
    )


def test_a_database_that_comes_back_gets_all_of_it(engine, caplog):
    reached = []

    def open_engine():
        if not reached:
            raise DecisionError("database", {"error": "gone"})
        return engine

    counts = Observations(open_engine, lambda: NOW)
    counts.note("page", answer())
    assert not counts.write() and "not written yet" in caplog.text
    counts.note("page", answer())
    reached.append(True)
    assert counts.write() and of(engine, "inputs") == {"text": 2}


def test_what_is_lost_is_logged(engine, caplog, monkeypatch):
    monkeypatch.setattr(observations, "_MOST_KEPT", 3)

    def open_engine():
        raise DecisionError("database", {"error": "gone"})

    counts = Observations(open_engine, lambda: NOW)
    counts.note("page", answer())
    with caplog.at_level(logging.ERROR):
        assert not counts.write()
    assert "1 classifications are lost" in caplog.text


def test_it_is_written_meanwhile_and_at_the_end(engine):
    counts = Observations(lambda: engine, lambda: NOW)
    with counts.being_written(seconds=60):
        counts.add("batch", "m-1", Counter({("inputs", "text"): 7}))
    assert of(engine, "inputs", "batch") == {"text": 7}


def test_another_source_is_no_source(engine):
    with pytest.raises(ValueError, match="no source"):
        Observations(lambda: engine).add("elsewhere", "m-1", {})
