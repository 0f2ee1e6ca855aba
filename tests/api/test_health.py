"""Ready is a server whose model answers known samples right, and whose database answers at all."""

import asyncio
import time
from dataclasses import replace

import pytest

import api.health
from api.health import Readiness
from decisions.errors import DecisionError
from model.bundle import BundleError
from tests.api.conftest import awaited, problem


def test_it_lives_whatever_the_model_says(make_client, monkeypatch):
    monkeypatch.setattr("api.health.active_classifier", lambda: 1 / 0)
    assert make_client().get("/health/live").json() == {"status": "ok"}


def test_ready_when_the_samples_are_answered_as_they_were(make_client, loaded):
    response = make_client().get("/health/ready")
    assert response.status_code == 200 and response.json() == {"status": "ok"}


def test_not_ready_when_one_answer_is_another(make_client, loaded, monkeypatch):
    right = loaded.predict

    def wrong(products):
        answers = right(products)
        first, second, *rest = answers[3].categories
        swapped = (replace(first, code=second.code), replace(second, code=first.code), *rest)
        return [*answers[:3], replace(answers[3], categories=swapped), *answers[4:]]

    monkeypatch.setattr(loaded, "predict", wrong)
    response = make_client().get("/health/ready")
    assert problem(response, 503)["reason"] == "not_ready_model" and int(response.headers["retry-after"]) > 0


@pytest.mark.parametrize("error", [BundleError("refused"), RuntimeError("anything"), MemoryError()], ids=repr)
def test_not_ready_without_a_model(make_client, monkeypatch, error):
    def refused():
        raise error

    monkeypatch.setattr("api.health.active_classifier", refused)
    assert problem(make_client().get("/health/ready"), 503)["reason"] == "not_ready_model"


def test_not_ready_without_a_database(make_client, loaded, monkeypatch):
    def away():
        raise DecisionError("database", {"error": "a secret address"})

    monkeypatch.setattr("api.health.open_store", away)
    response = make_client().get("/health/ready")
    assert problem(response, 503)["reason"] == "not_ready_database" and "secret" not in response.text


def test_a_model_without_samples_has_to_answer(make_client, loaded, monkeypatch):
    monkeypatch.setattr(api.health, "check", lambda classifier: False)
    client = make_client()
    assert client.get("/health/ready").status_code == 200


def test_one_look_serves_all_for_a_while():
    looks = []

    def look():
        looks.append(1)
        time.sleep(0.05)
        return ""

    async def asked() -> None:
        readiness = Readiness(look, kept_seconds=0.2)
        assert await asyncio.gather(*(readiness.problem() for _ in range(50))) == [""] * 50
        assert await readiness.problem() == "" and len(looks) == 1
        await asyncio.sleep(0.3)
        assert await readiness.problem() == "" and len(looks) == 2

    awaited(asked())


def test_while_it_loads_it_says_so_and_goes_on_loading():
    async def asked() -> None:
        readiness = Readiness(lambda: time.sleep(0.3) or "", kept_seconds=10)
        assert await readiness.problem(wait_seconds=0.01) == "starting"
        assert await readiness.problem(wait_seconds=5) == ""

    awaited(asked())
