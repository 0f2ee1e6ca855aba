"""What the audit log has of people who come and go."""

import logging
import re
import time

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

import decisions.audit
import ui.sign_in.audited as audited
from access.visitor import Visitor
from decisions.audit import AuditLog
from decisions.errors import DecisionError
from decisions.store import open_store
from tests.ui.sign_in.conftest import PASSWORD
from ui.sign_in.form import OUT, PAGE
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


def test_many_names_make_room_for_one_another(monkeypatch):
    monkeypatch.setattr(audited, "_noted", {})
    monkeypatch.setattr(audited, "_MOST", 20)
    assert all(audited._first(("name", str(number))) for number in range(50))
    assert not audited._first(("name", "49")) and len(audited._noted) <= 20
