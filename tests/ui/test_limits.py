"""What the pages take on at once, with an application behind the limits that is as busy as the test wants it."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse

from tests.api.conftest import awaited
from ui import limits
from ui.limits import STRANGER, WHO, Limits

STREAM, UPLOAD = "/_stcore/stream", "/_stcore/upload_file/session/file"
HTML = {"accept": "text/html"}


class Marking:
    """What `Guard` does: whoever says so is a stranger, or somebody."""

    def __init__(self, app) -> None:
        self.app = app

    async def __call__(self, scope, receive, send) -> None:
        headers = dict(scope.get("headers", []))
        who = headers.get(b"x-who", b"address:").decode()
        await self.app(scope | {STRANGER: b"x-stranger" in headers, WHO: who}, receive, send)


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
def kept():
    """Bytes that sessions keep in memory."""
    return {}


@pytest.fixture
def client(release, inside, kept, monkeypatch):
    runs = 0
    monkeypatch.setattr(limits, "_LEAVING_SECONDS", 0.3)
    monkeypatch.setattr(limits, "_STEP", 10)

    async def window(websocket) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(text)

    async def page(request) -> PlainTextResponse:
        nonlocal runs
        runs += 1
        if request.method == "PUT":
            await request.body()
        if request.headers.get("x-slow"):
            inside.set()
            await run_in_threadpool(release.wait, 30)
        return PlainTextResponse(f"page {runs}" if "health" in request.url.path else "page")

    application = Starlette(
        routes=[
            WebSocketRoute("/{path:path}", window),
            Route("/{path:path}", page, methods=["GET", "PUT"]),
        ],
        middleware=[Middleware(Marking), Middleware(Limits, windows=4, upload_bytes=100, held=lambda: kept)],
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
    other = HTML | {"x-who": "account:Other"}
    refused = client.get("/batch", headers=other | {"accept-language": "fr-FR"})
    assert refused.status_code == 503 and refused.headers["retry-after"] == "20" == refused.headers["refresh"]
    assert "Beaucoup de personnes" in refused.text and 'lang="fr"' in refused.text
    assert "default-src 'none'" in refused.headers["content-security-policy"]
    with pytest.raises(WebSocketDenialResponse) as denied, client.websocket_connect(STREAM, headers=other):
        pass
    assert denied.value.status_code == 503 and denied.value.headers["retry-after"] == "20"
    assert client.get("/static/x.js", headers=other).status_code == 200  # those who are in need it
    last.__exit__(None, None, None)
    assert client.get("/batch", headers=other).status_code == 200
    open_windows(client, exits, 1)


def test_whoever_loads_a_page_again_keeps_the_place(client, exits):
    """The document comes before the window of before is left, and the new window a moment after."""
    open_windows(client, exits, 3)
    before = client.websocket_connect(STREAM)
    before.__enter__()
    assert client.get("/batch", headers=HTML).status_code == 200
    leaving = threading.Timer(0.1, before.__exit__, (None, None, None))
    leaving.start()
    open_windows(client, exits, 1)
    leaving.join()


def test_a_person_takes_no_more_than_a_quarter(client, exits):
    open_windows(client, exits, 1, **{"x-who": "account:Ana"})
    with pytest.raises(WebSocketDenialResponse), client.websocket_connect(STREAM, headers={"x-who": "account:Ana"}):
        pass
    open_windows(client, exits, 1, **{"x-who": "account:Boris"})


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
    ana, boris = {"x-who": "account:Ana"}, {"x-who": "account:Boris"}
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(client.put, UPLOAD, content=b"x" * 80, headers=ana | {"x-slow": "1"})
        assert inside.wait(30)
        busy = client.put(UPLOAD, content=b"x" * 30, headers=boris)
        assert busy.status_code == 503 and busy.headers["retry-after"] == "20"
        assert client.put(UPLOAD, content=iter([b"x" * 30]), headers=boris).status_code == 503  # nothing announced
        assert client.put(UPLOAD, content=b"x" * 20, headers=boris).status_code == 200
        release.set()
        assert slow.result().status_code == 200
    assert client.put(UPLOAD, content=b"x" * 30, headers=boris).status_code == 200


def test_what_sessions_keep_counts_too(client, kept):
    """Under made-up names a session may keep any number of files."""
    ana, boris = {"x-who": "account:Ana"}, {"x-who": "account:Boris"}
    for number in range(4):
        answer = client.put(f"/_stcore/upload_file/one/{number}", content=b"x" * 20, headers=ana)
        assert answer.status_code == (200 if number < 2 else 503)  # a person has half
        if answer.status_code == 200:
            kept["one"] = kept.get("one", 0) + 20
    assert client.put("/_stcore/upload_file/two/x", content=b"x" * 40, headers=boris).status_code == 200
    kept["two"] = 40
    assert client.put("/_stcore/upload_file/three/x", content=b"x" * 30).status_code == 503
    kept.clear()
    assert client.put("/_stcore/upload_file/three/x", content=b"x" * 50).status_code == 200


def test_what_is_announced_and_never_sent_keeps_nobody_out():
    """Nothing has come, so nothing is held, whatever the length says."""
    done = []

    async def reading(scope, receive, send):
        while (await receive()).get("more_body"):
            pass
        done.append(scope["who"])

    async def never():
        await asyncio.sleep(3600)

    async def fifty():
        return {"type": "http.request", "body": b"x" * 50, "more_body": False}

    async def asked() -> None:
        watched = Limits(reading, windows=4, upload_bytes=100, held=dict)
        scope = {"type": "http", "method": "PUT", "path": UPLOAD, "headers": [(b"content-length", b"90")]}
        stuck = asyncio.create_task(watched(scope | {"who": "stuck"}, never, None))
        await asyncio.sleep(0.01)
        await watched(scope | {"who": "other", "headers": [(b"content-length", b"50")]}, fifty, None)
        stuck.cancel()

    awaited(asked())
    assert done == ["other"]


def test_one_alone_is_let_in_however_long(client):
    assert client.put(UPLOAD, content=b"x" * 1000).status_code == 200


def test_the_health_check_runs_once_for_all_who_ask(client):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.get("/_stcore/script-health-check").text, range(8)))
    assert answers == ["page 1"] * 8


def test_what_streamlit_keeps_is_read(monkeypatch):
    from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
    from streamlit.runtime.uploaded_file_manager import UploadedFileRec

    manager = MemoryUploadedFileManager("/upload")
    for number, size in enumerate((3, 4)):
        manager.add_file("session", UploadedFileRec(str(number), "a.png", "image/png", b"x" * size))
    monkeypatch.setattr(limits.runtime, "exists", lambda: True)
    monkeypatch.setattr(limits.runtime, "get_instance", lambda: SimpleNamespace(uploaded_file_mgr=manager))
    assert limits.held_by_session() == {"session": 7}
