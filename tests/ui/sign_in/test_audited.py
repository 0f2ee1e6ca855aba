"""What the audit log has of people who come and go."""

import logging
import re
import time

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

import decisions.audit
import ui.sign_in.audited as audited
import ui.sign_in.door
from access.sessions import COOKIE
from access.visitor import Visitor
from decisions.audit import AuditLog, note_session
from decisions.errors import DecisionError
from decisions.store import open_store
from settings import ROOT
from tests.ui.sign_in.conftest import PASSWORD
from ui.sign_in.form import OUT, PAGE
from ui.sign_in.guard import Guard
from ui.sign_in.routes import routes


@pytest.fixture
def client(people, monkeypatch):
    monkeypatch.setattr(audited, "_noted", {})
    with TestClient(Starlette(routes=routes()), base_url="http://rayon", follow_redirects=False) as client:
        yield client
    open_store().engine.dispose()


def sent(client, path: str = PAGE, **fields: str):
    token = re.search(r'name="token" value="([^"]+)"', client.get(PAGE).text)[1]
    return client.post(path, data=fields | {"token": token})


def noted() -> list[tuple[str, str, str]]:
    entries = AuditLog(open_store().engine).page()
    assert PASSWORD not in str(entries)
    return [(entry.person, entry.action, entry.subject) for entry in entries]


def test_who_signs_in_and_out_is_noted(client):
    assert sent(client, name="ANALYST", password=PASSWORD).status_code == 303
    assert sent(client, OUT).status_code == 303
    assert noted() == [("Analyst", "sign_out", ""), ("Analyst", "sign_in", "")]


def test_a_wrong_password_is_noted_once_it_leads_to_waiting_and_no_oftener(client):
    statuses = [sent(client, name="analyst", password=f"wrong {number}").status_code for number in range(9)]
    assert statuses[:5] == [401] * 5 and set(statuses[5:]) == {429}
    assert noted() == [("(no sign-in)", "sign_in_waits", "Analyst")]


def test_a_password_in_the_field_of_the_name_stays_out(client):
    for number in range(8):
        sent(client, name=PASSWORD, password=f"wrong {number}")
    assert noted() == [("(no sign-in)", "sign_in_waits", "(no such account)")]


def test_a_store_out_of_reach_keeps_nobody_out(client, monkeypatch, caplog):
    def away():
        raise DecisionError("database", {"error": "no route"})

    monkeypatch.setattr(decisions.audit, "open_store", away)
    with caplog.at_level(logging.ERROR):
        assert sent(client, name="analyst", password=PASSWORD).status_code == 303
    assert "not in the audit log: sign_in by 'Analyst'" in caplog.text and PASSWORD not in caplog.text


def test_who_comes_by_a_provider_is_noted_once_for_each_session(client):
    known = Visitor("anna@example.org", None, "provider", "a" * 32, time.time() + 60)
    for _ in range(3):
        audited.note_arrival(known)
    for _ in range(100):
        if found := noted():
            break
        time.sleep(0.05)
    time.sleep(0.1)
    assert noted() == found == [("anna@example.org", "sign_in", "")]
    assert AuditLog(open_store().engine).page()[0].details["role"] == "none"  # people without one are noted, too
    audited._noted.clear()  # as after a start, and in another replica
    note_session(known.session, known.name, "sign_in", way="provider")
    assert noted() == found
    note_session("b" * 32, known.name, "sign_in", way="provider")
    assert len(noted()) == 2 and known.session not in str(AuditLog(open_store().engine).page())


def test_who_comes_by_a_provider_and_has_no_role_is_noted(client, monkeypatch):
    known, arrived = Visitor("anna@example.org", None, "provider", "a" * 32, time.time() + 60), []
    monkeypatch.setattr(ui.sign_in.door, "visitor", lambda: known)
    monkeypatch.setattr(ui.sign_in.door, "note_arrival", arrived.append)
    shown = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=60).run()
    assert "have no role here" in shown.warning[0].value and arrived == [known]


def test_streamlits_own_way_out_is_noted_once(client, people):
    guarded = TestClient(Guard(Starlette(routes=routes())), base_url="http://rayon", follow_redirects=False)
    sent(client, name="analyst", password=PASSWORD)
    cookie = client.cookies[COOKIE]
    for _ in range(2):
        guarded.cookies.set(COOKIE, cookie)
        guarded.get("/auth/logout")
    for _ in range(100):
        if len(noted()) > 1:
            break
        time.sleep(0.05)
    time.sleep(0.1)
    assert noted() == [("Analyst", "sign_out", ""), ("Analyst", "sign_in", "")]


def test_who_ends_a_session_first_has_ended_it(people):
    known = people.visitor(people.sign_in("analyst", PASSWORD, "127.0.0.1"), None)
    assert people.sessions.end(known) and not people.sessions.end(known)


def test_many_names_make_room_for_one_another(monkeypatch):
    monkeypatch.setattr(audited, "_noted", {})
    monkeypatch.setattr(audited, "_MOST", 20)
    assert all(audited._first(("name", str(number))) for number in range(50))
    assert not audited._first(("name", "49")) and len(audited._noted) <= 20
