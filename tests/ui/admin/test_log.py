"""The audit log on the page and as a file."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

import ui.admin.log
from access.roles import Role
from decisions.audit import AuditFilter, AuditLog
from decisions.errors import DecisionError
from decisions.store import open_store
from tests.ui.admin.conftest import log, said
from ui.admin.log import as_csv


@pytest.fixture
def noted(home) -> AuditLog:
    moments = iter(datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(hours=hour) for hour in range(100))
    made = AuditLog(open_store().engine, lambda: next(moments))
    for number in range(60):
        made.note("Ana" if number % 3 else "Ben", "job_deleted" if number % 2 else "sign_in", f"s{number}", rows=number)
    return made


def subjects(page) -> list[str]:
    return list(page.dataframe[0].value["subject"])


def test_newest_first_filtered_and_page_by_page(come, noted, opened):
    page = opened("log")
    assert subjects(page)[:2] == ["s59", "s58"] and len(subjects(page)) == 50 and "60 entries" in said(page)
    page.number_input[0].set_value(2).run()
    assert subjects(page) == [f"s{number}" for number in range(9, -1, -1)]
    next(one for one in page.selectbox if one.key.startswith("admin_log_person")).set_value(2).run()
    assert not page.exception and all(int(one[1:]) % 3 == 0 for one in subjects(page))
    next(one for one in page.selectbox if one.key.startswith("admin_log_action")).set_value(1).run()
    assert all(int(one[1:]) % 6 == 0 for one in subjects(page)) and "10 entries" in said(page)
    page.date_input(key="admin_log_first").set_value(datetime(2026, 3, 3).date()).run()
    assert min(int(one[1:]) for one in subjects(page)) == 36


def test_nothing_that_passes_is_told(come, home, opened):
    assert "Nothing that passes" in said(opened("log"))


def test_the_file_has_every_row_and_no_formula(come, noted):
    noted.note("=1+1", "exported", "@x", people="names")
    made = as_csv(noted, AuditFilter())
    assert made.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(made.decode("utf-8-sig"))))
    assert rows[0] == ["id", "at", "person", "action", "subject", "details"] and len(rows) == 62
    assert rows[1][2:] == ["'=1+1", "exported", "'@x", '{"people": "names"}']
    assert rows[-1][1] == "2026-03-01T12:00:00+00:00"


@pytest.mark.parametrize("sign", [";", ",", "\t", "|"])
def test_no_cell_is_a_formula_for_a_program_that_splits_elsewhere(come, home, sign):
    """A French Excel splits at semicolons, and takes quotes in the midst of what it calls a cell as they are."""
    log = AuditLog(open_store().engine)
    for start in ("", " ", '"', ' " ', "a"):
        log.note(f"a{sign}{start}=cmd|' /C calc'!A0", "exported", f"{start}-1{sign}{sign}+2{sign}\n@x")
    lines = as_csv(log, AuditFilter()).decode("utf-8-sig").splitlines()
    cells = [cell.strip(' "') for line in lines for cell in line.split(sign)]
    assert len(cells) > 10 and not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@")]


def test_why_there_is_no_file_is_told(come, noted, people, opened):
    page = opened("log")
    make = ui.admin.log._maker(noted, AuditFilter(), page.session_state["admin_log_problems"])
    people.accounts.set_role("Administrator", Role.MODERATOR)
    with pytest.raises(PermissionError):
        make()
    come("Administrator")
    people.accounts.set_role("Administrator", Role.ADMINISTRATOR)
    come("Administrator")
    assert "you may not administer this server, or not any more" in said(page.run())
    page.session_state["admin_log_problems"].append(DecisionError("database", {"error": "no route"}))
    assert "no route" in said(page.run())


def test_who_is_no_administrator_any_more_gets_no_file(come, noted, people):
    problems = []
    make = ui.admin.log._maker(noted, AuditFilter(), problems)
    assert make().count(b"\r\n") == 61
    assert (log()[0].person, log()[0].action, log()[0].details) == ("Administrator", "audit_exported", {"rows": 60})
    people.accounts.remove("Administrator")
    assert not problems
    with pytest.raises(PermissionError):
        make()
    assert len(problems) == 1
    come("Moderator")
    with pytest.raises(PermissionError):
        ui.admin.log._maker(noted, AuditFilter(), [])()


def test_a_store_out_of_reach_is_told_and_the_models_are_there(come, home, opened, monkeypatch):
    def away():
        raise DecisionError("database", {"error": "no route"})

    monkeypatch.setattr(ui.admin.log, "open_store", away)
    page = opened("log")
    assert "no route" in said(page) and not page.dataframe
    assert "Install another model" in said(opened("models"))
