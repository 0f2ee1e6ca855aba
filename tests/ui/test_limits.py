"""What the pages take on at once, with an application behind the limits that is as busy as the test wants it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse

from ui.limits import STRANGER, Limits

STREAM, UPLOAD = "/_stcore/stream", "/_stcore/upload_file/session/file"
HTML = {"accept": "text/html"}


class Marking:
    """What `Guard` does: whoever says so is a stranger."""

    def __init__(self, app) -> None:
        self.app = app

    async def __call__(self, scope, receive, send) -> None:
        strange = any(name == b"x-stranger" for name, _ in scope.get("headers", []))
        await self.app(scope | {STRANGER: strange}, receive, send)


@pytest.fixture
def exits(client):
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def release():
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def inside():
    return threading.Event()


@pytest.fixture
def client(release, inside):
    async def window(websocket) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(text)

    def page(request) -> PlainTextResponse:
        if request.method == "PUT" and request.headers.get("x-slow"):
            inside.set()
            release.wait(30)
        return PlainTextResponse("page")

    application = Starlette(
        routes=[
            WebSocketRoute("/{path:path}", window),
            Route("/{path:path}", page, methods=["GET", "PUT"]),
        ],
        middleware=[Middleware(Marking), Middleware(Limits, windows=4, upload_bytes=100)],
    )
    with TestClient(application) as client:
        yield client


def open_windows(client, stack, number, **headers):
    for _ in range(number):
        stack.enter_context(client.websocket_connect(STREAM, headers=headers))


def test_so_many_windows_and_no_more(client, exits):
    open_windows(client, exits, 3)
    assert client.get("/batch", headers=HTML).text == "page"
    last = client.websocket_connect(STREAM)
    last.__enter__()
    refused = client.get("/batch", headers=HTML | {"accept-language": "fr-FR"})
    assert refused.status_code == 503 and refused.headers["retry-after"] == "20" == refused.headers["refresh"]
    assert "Beaucoup de personnes" in refused.text and 'lang="fr"' in refused.text
    assert "default-src 'none'" in refused.headers["content-security-policy"]
    with pytest.raises(WebSocketDenialResponse) as denied, client.websocket_connect(STREAM):
        pass
    assert denied.value.status_code == 503 and denied.value.headers["retry-after"] == "20"
    assert client.get("/static/x.js", headers=HTML).status_code == 200  # those who are in need it
    last.__exit__(None, None, None)
    assert client.get("/batch", headers=HTML).status_code == 200
    open_windows(client, exits, 1)


def test_strangers_keep_nobody_out(client, exits):
    open_windows(client, exits, 1, **{"x-stranger": "1"})
    with pytest.raises(WebSocketDenialResponse), client.websocket_connect(STREAM, headers={"x-stranger": "1"}):
        pass
    open_windows(client, exits, 3)


def test_other_web_sockets_are_no_windows(client, exits):
    for _ in range(6):
        exits.enter_context(client.websocket_connect("/other"))
    open_windows(client, exits, 4)


def test_so_many_bytes_on_their_way_and_no_more(client, release, inside):
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(client.put, UPLOAD, content=b"x" * 80, headers={"x-slow": "1"})
        assert inside.wait(30)
        busy = client.put(UPLOAD, content=b"x" * 30)
        assert busy.status_code == 503 and busy.headers["retry-after"] == "20"
        assert client.put(UPLOAD, content=b"x" * 20).status_code == 200
        release.set()
        assert slow.result().status_code == 200
    assert client.put(UPLOAD, content=b"x" * 30).status_code == 200


def test_one_alone_is_let_in_however_long(client):
    assert client.put(UPLOAD, content=b"x" * 1000).status_code == 200


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "²"])
def test_a_length_that_is_none(client, length):
    headers = {"content-length": length.encode("utf-8")}
    assert client.put(UPLOAD, content=b"x", headers=headers).status_code == 411


def test_a_file_of_unknown_length(client):
    assert client.put(UPLOAD, content=iter([b"x"])).status_code == 411
