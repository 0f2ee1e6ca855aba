"""``GET /metrics``: who is let in, what is said, and what a database out of reach changes."""

import json
import re

import pytest
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from api.application import PREFIX, BesidePages, application
from api.problems import busy
from api.scraping import scrape
from decisions.errors import DecisionError
from tests.api.conftest import URL, awaited
from tests.api.samples import LAMP
from tests.logged import json_lines
from watch.metrics import metrics
from watch.requests import Named, Watch


@pytest.fixture
def served(loaded):
    """The interface and its metrics as a server has them; ``local``: open to this machine alone."""
    metrics.cache_clear()

    def serve(local: bool = False, token: str | None = None, **options) -> TestClient:
        api = application(lambda: local, look=lambda: "")
        watched = [Middleware(Watch, pages=["/"]), Middleware(BesidePages, api=Named(api, PREFIX))]
        app = Starlette(routes=[scrape(api)], middleware=watched)
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        options.setdefault("base_url", URL)
        return TestClient(app, headers=headers, raise_server_exceptions=False, **options)

    yield serve
    metrics.cache_clear()


@pytest.fixture
def out_of_reach(monkeypatch):
    """The database is gone, from when it is called."""

    def go() -> None:
        def gone():
            raise DecisionError("database", {"error": "gone"})

        for module in ("api.access", "api.scraping"):
            monkeypatch.setattr(f"{module}.open_store", gone)

    return go


def value(text: str, line: str) -> float | None:
    found = re.search(rf"^{re.escape(line)} (\S+)$", text, re.M)
    return None if found is None else float(found[1])


def test_only_who_may_is_let_in(served, tokens):
    good, other = tokens.add("prometheus", ["metrics"]), tokens.add("shop", ["classify", "jobs"])
    assert served(token=good).get("/metrics").status_code == 200
    assert served(True, token=good).get("/metrics").status_code == 200
    assert problem_of(served().get("/metrics"), 401) == "token"
    assert problem_of(served(True, token="rayon_" + "x" * 43).get("/metrics"), 401) == "token"
    assert problem_of(served(token=other).get("/metrics"), 403) == "scope"
    tokens.revoke("prometheus")
    assert problem_of(served(token=good).get("/metrics"), 401) == "token"
    assert served(token=good).post("/metrics").status_code == 405
    assert served(token=other).get("/metrics/x").status_code == 404


def problem_of(response, status: int) -> str:
    assert response.status_code == status and response.headers["content-type"] == "application/problem+json"
    return response.json()["reason"]


@pytest.mark.parametrize(
    "headers", [{"X-Forwarded-For": "1.2.3.4"}, {"Origin": "http://evil.test"}, {"Host": "evil.test"}]
)
def test_without_a_token_only_this_machine_itself(served, headers):
    assert served(True).get("/metrics").status_code == 200
    assert problem_of(served(True).get("/metrics", headers=headers), 403) == "not_local"


def test_requests_answers_and_refusals_are_counted(served, tokens):
    token = tokens.add("both", ["metrics", "classify"])
    client = served(token=token)
    for path in ("/api/v1/classify", "/api/v1/nothing/here", "/secret-path?x=1", "/api/v1/jobs/" + "0" * 32):
        client.request("POST" if path.endswith("classify") else "GET", path, files=None)
    done = client.post("/api/v1/classify", files={"designation": (None, LAMP)}, params={"q": "SECRET"}).json()
    client.post("/api/v1/classify", files={"designation": (None, LAMP), "explain": (None, "true")})
    client.request("BREW", "/api/v1/classify")
    client.post("/api/v1/classify", files={"image": ("x.png", b"no picture")})
    text = client.get("/metrics").text
    code = done["categories"][0]["code"]
    assert value(text, f'rayon_classifications_total{{category="{code}",source="api"}}') == 2
    assert value(text, 'rayon_explanations_total{source="api"}') == 1
    assert value(text, 'rayon_refused_total{reason="not_an_image",source="api"}') == 1
    assert value(text, 'rayon_requests_total{method="POST",route="/api/v1/classify",status="200"}') == 2
    assert value(text, 'rayon_requests_total{method="GET",route="/api/v1/jobs/{job}",status="403"}') in (1, None)
    assert value(text, 'rayon_requests_total{method="GET",route="other",status="404"}') == 1
    assert value(text, 'rayon_classifier_seconds_count{source="api"}') == 3
    assert value(text, "rayon_ready") == value(text, "rayon_store_up") == 1
    assert value(text, 'rayon_jobs{state="done"}') == value(text, 'rayon_queue_products{state="pending"}') == 0
    assert "SECRET" not in text and "secret-path" not in text and "nothing/here" not in text
    routes = set(re.findall(r'route="([^"]*)"', text))
    assert routes <= {"/api/v1/classify", "/api/v1/other", "/api/v1/jobs/{job}", "/api/v1/jobs/{identity}", "other"}
    assert set(re.findall(r'method="([^"]*)"', text)) == {"GET", "POST", "other"}


def test_a_database_out_of_reach_fails_no_scrape(served, tokens, out_of_reach):
    good, new = tokens.add("prometheus", ["metrics"]), tokens.add("new", ["metrics"])
    client, local = served(token=good), served(True)
    assert value(client.get("/metrics").text, "rayon_store_up") == 1
    out_of_reach()
    answered = served(True).get("/metrics")
    assert answered.status_code == 200 and value(answered.text, "rayon_store_up") == 0
    assert value(answered.text, 'rayon_jobs{state="done"}') == 0 and "rayon_queue_products{" not in answered.text
    assert local.get("/metrics").status_code == 200
    # A token that was good a moment ago is; of another nobody can say.
    assert client.get("/metrics").status_code == 200
    assert problem_of(client.get("/metrics", headers={"Authorization": f"Bearer {new}"}), 503) == "database"


def test_overload_is_counted(served, tokens, monkeypatch):
    client = served(token=tokens.add("both", ["metrics", "classify"]))
    monkeypatch.setattr("api.workers.Workers.check", lambda self: (_ for _ in ()).throw(busy("No place.", 2)))
    assert client.post("/api/v1/classify", files={"designation": (None, LAMP)}).status_code == 503
    assert value(client.get("/metrics").text, "rayon_overload_total") == 1


# --- the log ----------------------------------------------------------------------------------------------------


@pytest.fixture
def logged():
    """What is written meanwhile, as JSON."""
    with json_lines() as lines:
        yield lines


def test_nothing_that_was_sent_is_in_the_log(served, tokens, logged, monkeypatch):
    token = tokens.add("shop", ["classify", "jobs"])
    client = served(token=token)
    secret = {
        "designation": (None, "Canapé ZZSECRET\n{}"),
        "description": (None, "ZZSECRET"),
        "top_k": (None, "ZZSECRET"),
    }
    client.post("/api/v1/classify?q=ZZSECRET", files=secret)
    secret.pop("top_k")
    assert client.post("/api/v1/classify?q=ZZSECRET", files=secret).status_code == 200
    client.post("/api/v1/classify", files={"image": ("ZZSECRET.png", b"ZZSECRET")})
    client.post(
        "/api/v1/classify", content=b"ZZSECRET", headers={"Content-Type": "multipart/form-data; boundary=ZZSECRET"}
    )
    client.post("/api/v1/classify", json={"designation": "ZZSECRET"})
    client.post("/api/v1/jobs", files={"file": ("ZZSECRET.csv", b"designation\nZZSECRET\n\x00\xff")})
    client.get("/api/v1/jobs/ZZSECRET")
    client.get("/ZZSECRET?ZZSECRET=ZZSECRET", headers={"Cookie": "rayon=ZZSECRET", "Authorization": "Bearer ZZSECRET"})

    def fails(*_):
        raise RuntimeError("cannot read ZZSECRET")

    monkeypatch.setattr("api.classify._classify", fails)
    assert client.post("/api/v1/classify", files=secret).status_code == 500
    logged = [line for line in logged if '"logger": "httpx2"' not in line]  # the client's, in this very process
    own = [json.loads(line) for line in logged]
    requests = [one for one in own if one["logger"] == "rayon.requests"]
    assert len(requests) == 9 and {one["role"] for one in requests[:7]} == {"program"}
    assert not [line for line in logged if "ZZSECRET" in line or token in line]


def test_a_request_keeps_its_name_from_header_to_problem_to_log(served, tokens, logged):
    client = served(token=tokens.add("shop", ["classify"]))
    answered = client.post("/api/v1/classify", headers={"X-Request-ID": "order-4711"})
    assert answered.headers["x-request-id"] == "order-4711"
    assert answered.json()["instance"] == "urn:rayon:request:order-4711"
    [line] = [one for one in map(json.loads, logged) if one["logger"] == "rayon.requests"]
    assert (line["request"], line["status"], line["route"]) == ("order-4711", 415, "/api/v1/classify") and line[
        "ms"
    ] >= 0
    forged = client.get("/api/v1/model", headers={"X-Request-ID": 'x"} {"level": "error'})
    assert re.fullmatch(r"[0-9a-f]{32}", forged.headers["x-request-id"])


def test_who_goes_away_before_the_answer_is_no_error_of_the_server(logged):
    """As Streamlit takes files: by `Request.form`, inside of what makes answers of errors."""
    metrics.cache_clear()
    head = b'--b\r\nContent-Disposition: form-data; name="f"; filename="ZZSECRET.png"\r\n\r\nhalf'
    answers = []

    def parts():
        yield {"type": "http.request", "body": head, "more_body": True}
        while True:
            yield {"type": "http.disconnect"}

    async def takes(request):
        await request.form()

    async def fails(request):
        raise ValueError("ZZSECRET")

    async def ask(path: str, messages) -> None:
        async def receive():
            return next(messages)

        async def send(message) -> None:
            answers.append(message)

        headers = [(b"content-type", b"multipart/form-data; boundary=b")]
        scope = {"type": "http", "method": "PUT", "path": path, "headers": headers, "query_string": b""}
        await app(scope, receive, send)

    routes = [Route("/_stcore/upload_file/x", takes, methods=["PUT"]), Route("/fails", fails, methods=["PUT"])]
    app = Starlette(routes=routes, middleware=[Middleware(Watch)])
    awaited(ask("/_stcore/upload_file/x", parts()))
    assert not answers
    with pytest.raises(ValueError, match="ZZSECRET"):
        awaited(ask("/fails", parts()))
    [gone, failed] = [one for one in map(json.loads, logged) if one["logger"] == "rayon.requests"]
    assert (gone["status"], gone["route"], "error" in gone) == (499, "/_stcore/*", False) and failed["status"] == 500
    count = metrics().requests.labels
    assert count("/_stcore/*", "PUT", "499")._value.get() == 1 == count("other", "PUT", "500")._value.get()
    assert count("/_stcore/*", "PUT", "500")._value.get() == 0
    metrics.cache_clear()


def test_windows_are_counted_while_they_are_open():

    metrics.cache_clear()
    seen = []

    async def app(_scope, _receive, send) -> None:
        await send({"type": "websocket.accept"})
        seen.append(metrics().windows._value.get())
        raise RuntimeError("gone")

    async def nothing(*_) -> None:
        return None

    async def run() -> None:
        with pytest.raises(RuntimeError):
            await Watch(app)({"type": "websocket", "path": "/_stcore/stream", "headers": []}, nothing, nothing)

    awaited(run())
    assert seen == [1] and metrics().windows._value.get() == 0
