"""The form and the watch over requests, with an application behind them that anybody would like to reach."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from itertools import count

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from access import passwords
from access.roles import Role
from access.sessions import COOKIE
from tests.ui.sign_in.conftest import PASSWORD
from ui.sign_in.form import OUT, PAGE
from ui.sign_in.guard import Guard
from ui.sign_in.routes import FORM_COOKIE, back, routes

_counter = count()
PAGES = {"accept": "text/html,*/*"}


async def window(websocket) -> None:
    """Says which window it is, as Streamlit does, then which of what comes in would have done something."""
    offered = [part.strip() for part in websocket.headers.get("sec-websocket-protocol", "").split(",")]
    await websocket.accept(subprotocol=offered[0] or None)
    begin = ForwardMsg()
    begin.new_session.initialize.session_id = offered[2] if len(offered) > 2 else f"new {next(_counter)}"
    await websocket.send_bytes(begin.SerializeToString())
    with suppress(WebSocketDisconnect):
        while True:
            message = BackMsg.FromString(await websocket.receive_bytes())
            run = message.rerun_script
            acts = bool(run.widget_states.widgets or run.fragment_id or message.WhichOneof("type") != "rerun_script")
            await websocket.send_text(f"{'acts' if acts else 'looks'} {run.query_string}")


async def page(request) -> PlainTextResponse:
    return PlainTextResponse(f"page {request.url.path}")


@pytest.fixture
def make_client() -> Iterator:
    """Makes browsers."""
    application = Starlette(
        routes=[
            *routes(),
            WebSocketRoute("/_stcore/stream", window),
            Route("/{path:path}", page, methods=["GET", "POST", "PUT", "DELETE"]),
        ],
        middleware=[Middleware(Guard)],
    )

    def make(address: str = "http://127.0.0.1:8501") -> TestClient:
        return TestClient(application, base_url=address, follow_redirects=False, headers={"accept-language": "en"})

    yield make


@pytest.fixture
def client(people, make_client) -> TestClient:
    return make_client()


def stream(client: TestClient) -> str:
    return f"{str(client.base_url).replace('http', 'ws', 1).rstrip('/')}/_stcore/stream"


def token(client: TestClient) -> str:
    return re.search(r'name="token" value="([^"]+)"', client.get(PAGE).text)[1]


def sign_in(client: TestClient, name: str = "Moderator", password: str = PASSWORD, **more: str):
    return client.post(PAGE, data={"token": token(client), "name": name, "password": password} | more)


# --- the form -------------------------------------------------------------------------------------------------


def test_signing_in_and_out(client):
    assert client.get("/review?job=1", headers=PAGES).headers["location"] == f"{PAGE}?back=%2Freview%3Fjob%3D1"
    answer = sign_in(client, back="/review?job=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/review?job=1")
    assert "HttpOnly" in answer.headers["set-cookie"] and "samesite=lax" in answer.headers["set-cookie"].lower()
    assert client.get("/review", headers=PAGES).text == "page /review"
    kept = client.cookies[COOKIE]
    assert "You are signed in as Moderator." in client.get(PAGE).text
    answer = client.post(OUT, data={"token": token(client)})
    assert answer.status_code == 303 and COOKIE not in client.cookies
    client.cookies.set(COOKIE, kept)
    answer = client.get("/review", headers=PAGES)
    assert answer.status_code == 303 and "Max-Age=0" in answer.headers["set-cookie"]


def test_streamlits_own_way_out_ends_the_session_on_the_server_too(client, make_client):
    sign_in(client)
    copied = client.cookies[COOKIE]
    client.get("/auth/logout", headers=PAGES)
    thief = make_client()
    thief.cookies.set(COOKIE, copied)
    assert thief.get("/media/x.png").status_code == 401


def test_a_session_that_was_there_before_is_not_taken_over(client, people):
    planted = people.sessions.begin(people.accounts.get("Analyst"))
    client.cookies.set(COOKIE, planted, domain="127.0.0.1", path="/")
    assert sign_in(client).status_code == 303
    assert client.cookies[COOKIE] != planted
    assert people.visitor(planted, None) is None  # who planted it has nothing left of it
    assert people.visitor(client.cookies[COOKIE], None).name == "Moderator"


def test_behind_https_the_cookie_is_for_https(people, make_client):
    client = make_client("https://rayon.example.org")
    assert "secure" in sign_in(client).headers["set-cookie"].lower()


def test_two_windows_with_the_form_do_not_spoil_each_other(client):
    first = token(client)
    token(client)
    assert sign_in(client, token=first).status_code == 303


@pytest.mark.parametrize("name", ["Moderator", "Nobody", "", "x" * 5000, "<b>\"'"])
def test_what_does_not_go_together_is_told_and_shown_as_text(client, name):
    answer = sign_in(client, name, "wrong and long")
    assert answer.status_code == 401 and COOKIE not in client.cookies
    assert "do not go together" in answer.text and "<b>" not in answer.text


def test_guessing_is_slowed_down_and_told(client):
    statuses = [sign_in(client, password=f"wrong and long {n}").status_code for n in range(7)]
    assert statuses == [401] * 5 + [429] * 2
    answer = sign_in(client)
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) >= 1 and COOKIE not in client.cookies


def without_cookie(client, fields):
    client.cookies.delete(FORM_COOKIE)


FORGED = {
    "no token": lambda client, fields: fields.pop("token"),
    "an empty token": lambda client, fields: fields.update(token=""),
    "another's token": lambda client, fields: fields.update(token=token(TestClient(client.app, client.base_url))),
    "a token made later": lambda client, fields: fields.update(token=f"9{fields['token']}"),
    "a token of strange digits": lambda client, fields: fields.update(token=f"²{fields['token']}"),
    "no cookie": without_cookie,
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
@pytest.mark.parametrize("path", [PAGE, OUT])
def test_a_form_from_elsewhere_does_nothing(client, people, forge, path):
    if path == OUT:
        assert sign_in(client).status_code == 303
    fields = {"token": token(client), "name": "Moderator", "password": PASSWORD}
    forge(client, fields)
    assert client.post(path, data=fields).status_code == 403
    assert (people.visitor(client.cookies.get(COOKIE), None) is not None) is (path == OUT)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://example.org"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_request_from_another_page_does_nothing(client, headers):
    fields = {"token": token(client), "name": "Moderator", "password": PASSWORD}
    assert client.post(PAGE, data=fields, headers=headers).status_code == 403


@pytest.mark.parametrize("body", [b"", b"\xff\xfe=1", b"&" * 1000, b"name", b"token=%00", b"=" * 16_000])
def test_a_body_that_is_no_form(client, body):
    assert client.post(PAGE, content=body).status_code == 403


def test_a_body_without_end(client):
    def endless():
        for _ in range(100_000):
            yield b"x" * 1000

    assert client.post(PAGE, content=endless()).status_code == 413


@pytest.mark.parametrize(
    "elsewhere",
    ["//example.org", "/\\example.org", "http://example.org", "example.org", "/a\r\nSet-Cookie: x=y", "javascript:x",
     "/a b", "/?x=//", "", None, "/" + "a" * 600, "/auth/../\u202e"],
)  # fmt: skip
def test_the_way_back_stays_here(client, elsewhere):
    assert back(elsewhere) == "/"
    assert sign_in(client, back=elsewhere or "").headers["location"] == "/"


def test_the_page_is_watched_by_the_browser_too(client):
    answer = client.get(PAGE)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store" and answer.headers["x-frame-options"] == "DENY"
    assert 'lang="fr"' in client.get(f"{PAGE}?lang=fr").text


def test_accounts_that_cannot_be_read_let_nobody_in(client, people):
    fields = {"token": token(client), "name": "Moderator", "password": PASSWORD}
    people.accounts.path.write_text("{")
    assert client.post(PAGE, data=fields).status_code == 503
    assert client.get("/", headers=PAGES).status_code == 303


def test_a_crowd_at_the_door_is_told_to_come_again(people, make_client, monkeypatch):
    """Passwords that take long to look at: two at once, twenty wait, the rest is answered at once."""
    release, begun = threading.Event(), []

    def slow(kept: str | None, password: str) -> bool:
        begun.append(password)
        release.wait(30)
        return False

    monkeypatch.setattr(passwords, "matches", slow)
    client = make_client()
    with client, ThreadPoolExecutor(30) as pool:
        form = {"token": token(client), "password": PASSWORD}
        answers = [pool.submit(client.post, PAGE, data=form | {"name": f"name {n}"}) for n in range(25)]
        done, _ = wait(answers, timeout=10, return_when=FIRST_COMPLETED)
        while len(done) < 3:
            done, _ = wait(answers, timeout=0.2)
        assert len(begun) == 2 and all(one.result().status_code == 503 for one in done)
        assert all(one.result().headers["retry-after"] == "5" for one in done)
        release.set()
        assert sorted(one.result().status_code for one in answers) == [401] * 22 + [503] * 3


# --- the watch ------------------------------------------------------------------------------------------------

FOR_STRANGERS = ["/_stcore/health", "/_stcore/script-health-check", "/favicon.png", "/_stcore/host-config",
                 "/static/x.js", "/_stcore/bidi-components/x.js", "/component/x", "/oauth2callback",
                 "/auth/login", "/api/v1/x"]  # fmt: skip
FOR_OTHERS = ["/media/x.png", "/_stcore/upload_file/a/b", "/_stcore/metrics", "/_stcore/x", "/x", "/app/static/x",
              "/oauth2callback/x", "/staticx", "/_stcore/health/x"]  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_what_strangers_reach(client, method):
    reached = [path for path in FOR_STRANGERS + FOR_OTHERS if client.request(method, path).status_code == 200]
    assert reached == FOR_STRANGERS
    assert sign_in(client).status_code == 303
    assert all(client.request(method, path).status_code == 200 for path in FOR_OTHERS)


def test_nobody_runs_pages_without_a_window(client, open_door):
    for _ in range(2):
        assert client.post("/_stcore/agent/interact").status_code == 404
        sign_in(client)


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        ("http://127.0.0.1:8501", True),
        ("http://localhost", True),
        ("http://[::1]:8501", True),
        ("http://192.168.0.2:8501", False),
        ("http://rayon.example.org", False),
    ],
)
def test_without_sign_in_only_this_machine_is_let_in(open_door, make_client, monkeypatch, address, reached):
    from settings import settings

    client = make_client(address)
    assert (client.get("/", headers=PAGES).status_code == 200) is reached
    assert (client.get("/", headers=PAGES | {"host": "rebound.example.org"}).status_code == 200) is False
    if not reached:
        with pytest.raises(WebSocketDisconnect), client.websocket_connect(stream(client)):
            pass
    monkeypatch.setenv("RAYON_OPEN", "1")
    settings.cache_clear()
    assert client.get("/", headers=PAGES).status_code == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via"])
def test_a_proxys_request_is_not_this_machines(open_door, make_client, monkeypatch, header):
    from settings import settings

    client = make_client()
    assert client.get("/", headers=PAGES | {header: "192.0.2.1"}).status_code == 403
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(stream(client), headers={header: "192.0.2.1"}):
        pass
    monkeypatch.setenv("RAYON_OPEN", "1")
    settings.cache_clear()
    assert client.get("/", headers=PAGES | {header: "192.0.2.1"}).status_code == 200


# --- windows --------------------------------------------------------------------------------------------------


def message(query: str, **kind: object) -> bytes:
    """A click on a button, with what else is named."""
    sent = BackMsg()
    sent.rerun_script.query_string = query
    sent.rerun_script.widget_states.widgets.add(id="button", trigger_value=True)
    sent.rerun_script.fragment_id = "a part"
    return sent.SerializeToString()


def said(websocket, query: str, sent: bytes | None = None) -> str:
    websocket.send_bytes(sent or message(query))
    return websocket.receive_text()


def test_a_window_acts_for_as_long_as_the_session_lasts(client, people):
    sign_in(client)
    with client.websocket_connect(stream(client)) as mine:
        mine.receive_bytes()
        assert said(mine, "one") == "acts one"
        people.sessions.end(people.visitor(client.cookies[COOKIE], None))
        assert said(mine, "two") == "looks two"
        other = BackMsg(clear_cache=True).SerializeToString()
        mine.send_bytes(other)  # is passed over, as is what is no message
        mine.send_bytes(b"\xff\xff\xff")
        wanted = BackMsg()
        wanted.backend_operation_request.deferred_file.file_id = "a file"
        assert said(mine, "", wanted.SerializeToString()).rstrip() == "looks", "and is told why there is none"
        assert said(mine, "three") == "looks three"


@pytest.mark.parametrize(
    "change",
    [
        lambda people: people.accounts.set_password("Moderator", PASSWORD + "!"),
        lambda people: people.accounts.set_role("Moderator", Role.ANALYST),
        lambda people: people.accounts.remove("Moderator"),
        lambda people: people.accounts.path.write_text("{"),
    ],
    ids=["password", "role", "removed", "spoilt"],
)
def test_a_window_ends_with_the_account(client, people, change):
    sign_in(client)
    with client.websocket_connect(stream(client)) as mine:
        mine.receive_bytes()
        change(people)
        assert said(mine, "one") == "looks one"


def test_a_window_ends_when_its_time_is_over(client, people, monkeypatch):
    sign_in(client)
    with client.websocket_connect(stream(client)) as mine:
        mine.receive_bytes()
        now = people.sessions._clock
        monkeypatch.setattr(people.sessions, "_clock", lambda: now() + 12 * 3600)
        assert said(mine, "one") == "looks one"


def test_a_stranger_only_looks(client):
    with client.websocket_connect(stream(client)) as window:
        window.receive_bytes()
        assert said(window, "one") == "looks one"


def resumed(client: TestClient, name: str | None = None) -> str:
    """The window that a connection gets when it asks for that one."""
    offered = ["streamlit", "xsrf"] if name is None else ["streamlit", "xsrf", name]
    with client.websocket_connect(stream(client), subprotocols=offered) as window:
        begin = ForwardMsg.FromString(window.receive_bytes())
        return begin.new_session.initialize.session_id


def test_a_window_is_resumed_by_the_same_person_alone(client, make_client):
    sign_in(client)
    mine = resumed(client)
    assert resumed(client, mine) == mine
    assert resumed(client, "never seen") not in (mine, "never seen")
    other = make_client()
    assert resumed(other, mine) != mine
    sign_in(other, "Analyst")
    assert resumed(other, mine) != mine
    sign_in(other, "moderator")
    assert resumed(other, mine) == mine
