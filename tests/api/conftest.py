"""The interface as a program meets it, with the model that ships loaded once, and a home of its own for each test."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.application import BesidePages, application
from api.tokens import Tokens
from decisions.store import open_store
from settings import settings

URL = "http://127.0.0.1"


def awaited(work: Coroutine) -> Any:
    """What it comes to. In a thread of its own: the one of the tests has Playwright's loop once a browser was open."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def pages(scope, receive, send) -> None:
    """In the place of the pages."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-from", b"pages")]})
    await send({"type": "http.response.body", "body": b"a page"})


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    """State of the test's own."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    monkeypatch.setenv("RAYON_HOME", str(home))
    settings.cache_clear()
    yield home
    open_store().engine.dispose()
    settings.cache_clear()


@pytest.fixture
def loaded(monkeypatch, classifier):
    """The one model of the run, in the place of one that would be loaded again."""
    for module in ("api.classify", "api.health"):
        monkeypatch.setattr(f"{module}.active_classifier", lambda: classifier)
    return classifier


@pytest.fixture
def make_client(own_home) -> Callable[..., TestClient]:
    """Clients of one server; ``token`` for one that has it, ``local`` for a server that is open to this machine."""
    servers = {}

    def make(token: str | None = None, local: bool = False, base_url: str = URL, **options) -> TestClient:
        if local not in servers:
            servers[local] = BesidePages(pages, application(lambda: local))
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return TestClient(
            servers[local], base_url=f"{base_url}/api/v1", headers=headers, raise_server_exceptions=False, **options
        )

    return make


@pytest.fixture
def tokens(own_home) -> Tokens:
    return Tokens(open_store().engine)


@pytest.fixture
def client(make_client, tokens) -> TestClient:
    """A client that may do everything."""
    return make_client(tokens.add("all", ["classify", "jobs"]))


def problem(response, status: int) -> dict:
    """The problem in an answer that must be one; `status` and headers agree with RFC 9457."""
    body = response.json()
    assert response.status_code == status, body
    assert response.headers["content-type"] == "application/problem+json"
    assert body["status"] == status and body["title"] and body["detail"]
    assert body["type"] == f"urn:rayon:problem:{body['reason']}"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"
    return body
