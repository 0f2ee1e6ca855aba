"""The audit log on both databases: rows are added, found again, and never changed."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import delete, text, update

import decisions.audit
from decisions.audit import ACTIONS, AuditFilter, AuditLog, note, note_command
from decisions.database import writing
from decisions.errors import DecisionError
from decisions.tables import audit


@pytest.fixture
def log(engine, clock) -> AuditLog:
    return AuditLog(engine, clock)


def told(entries) -> list[tuple[str, str, str]]:
    return [(entry.person, entry.action, entry.subject) for entry in entries]


def test_what_is_noted_is_found_newest_first(log, clock):
    log.note("Ana", "sign_in")
    clock.now += timedelta(hours=1)
    log.note("Ben", "model_activated", "open-1", before="open-0", products=3, names=True)
    newest, oldest = log.page()
    assert (newest.person, newest.action, newest.subject) == ("Ben", "model_activated", "open-1")
    assert newest.details == {"before": "open-0", "products": 3, "names": True} and newest.at == clock.now
    assert oldest.at == clock.now - timedelta(hours=1) and oldest.details == {}
    assert log.people() == ["Ana", "Ben"] and log.count() == 2


def test_filters_and_pages(log, clock):
    begun = clock.now
    for number in range(7):
        log.note("Ana" if number % 2 else "Ben", "sign_in" if number < 4 else "sign_out", str(number))
        clock.now += timedelta(minutes=1)
    assert [e.subject for e in log.page(first=2, size=3)] == ["4", "3", "2"]
    assert [e.subject for e in log.page(AuditFilter(person="Ana", action="sign_in"))] == ["3", "1"]
    times = AuditFilter(since=begun + timedelta(minutes=2), until=begun + timedelta(minutes=5))
    assert [e.subject for e in log.page(times)] == ["4", "3", "2"] and log.count(times) == 3
    assert log.page(AuditFilter(person="Nobody")) == []


def test_all_rows_come_a_few_at_a_time(log, monkeypatch):
    monkeypatch.setattr(decisions.audit, "_AT_ONCE", 3)
    for number in range(6):
        log.note("Ana", "sign_in", str(number))
    assert [e.subject for e in log.rows()] == list("543210")
    assert told(log.rows()) == told(log.page())


@pytest.mark.parametrize("change", [update(audit).values(person="Eve"), delete(audit)])
def test_a_row_stays_as_it_is(engine, log, change):
    log.note("Ana", "purged", days=90)
    with pytest.raises(DecisionError, match="only added"), writing(engine) as connection:
        connection.execute(change)
    assert told(log.page()) == [("Ana", "purged", "")]


INSTEAD = {
    "sqlite": ("INSERT OR REPLACE INTO audit", ""),
    "postgresql": ("INSERT INTO audit", " ON CONFLICT (id) DO UPDATE SET person = EXCLUDED.person"),
}


def test_nor_does_another_take_its_place(engine, log, kind):
    log.note("Ana", "purged", days=90)
    [before] = log.page()
    begin, end = INSTEAD[kind]
    values = "(:id, '2026-01-01 00:00:00', 'Eve', 'sign_in', '', '{}')"
    into = f"{begin} (id, at, person, action, subject, details) VALUES {values}{end}"
    with pytest.raises(DecisionError, match="only added"), writing(engine) as connection:
        connection.execute(text(into), {"id": before.id})
    assert log.page() == [before]


def test_nor_are_all_taken_away_at_once(engine, log, kind):
    if kind == "sqlite":
        pytest.skip("SQLite has no TRUNCATE")
    log.note("Ana", "purged")
    with pytest.raises(DecisionError, match="only added"), writing(engine) as connection:
        connection.execute(text("TRUNCATE audit"))
    assert log.count() == 1


@given(
    st.text(), st.text(), st.dictionaries(st.text(min_size=1, max_size=9), st.text() | st.integers(-9, 9), max_size=3)
)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
def test_any_text_can_be_noted(log, person, subject, details):
    log.note(person, "exported", subject, **{f"x{name!a}": value for name, value in details.items()})
    entry = log.page(size=1)[0]
    assert len(entry.person) <= 120 and len(entry.subject) <= 300 and len(entry.details) == len(details)
    if person.isprintable() and len(person) <= 120:
        assert entry.person == person


def test_a_session_is_noted_once_however_many_look(log):
    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(lambda _: log.note_session("a" * 32, "Ana", "sign_in", way="provider"), range(16)))
    assert sum(added) == log.count() == 1 and "aaa" not in str(log.page())
    assert log.note_session("b" * 32, "Ana", "sign_in") and log.note_session("a" * 32, "Ben", "sign_in")


def test_an_action_that_nobody_knows_is_a_mistake(log):
    with pytest.raises(ValueError, match="'dance'"):
        log.note("Ana", "dance")
    assert all(len(action) <= 40 for action in ACTIONS)


def test_many_at_once_lose_nothing(log):
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda number: log.note("Ana", "sign_in", str(number)), range(30)))
    assert sorted(int(entry.subject) for entry in log.rows()) == list(range(30))


def test_a_database_out_of_reach_is_logged_and_stops_nobody(monkeypatch, caplog):
    def away():
        raise DecisionError("database", {"error": "no route"})

    monkeypatch.setattr(decisions.audit, "open_store", away)
    with caplog.at_level(logging.ERROR):
        note("Ana\nsign_in by Eve", "sign_in")
        note_command("token_added", "shop")
    assert (
        "no route" in caplog.text
        and "Ana\\nsign_in by Eve" in caplog.text
        and "token_added by 'command " in caplog.text
    )
