"""Who may do what: every route against every kind of token, what a revoked one is worth, what is open to whom."""

import itertools

import pytest

from api.access import Guard
from api.application import application
from api.rate import RateLimiter
from settings import settings
from tests.api.conftest import problem
from tests.api.samples import LAMP

TEXT = {"designation": (None, LAMP)}
JOB = "0" * 32
# Method, path, scope (None: open to all; "": any token), status for whoever may.
ROUTES = [
    ("POST", "/classify", "classify", 200),
    ("POST", "/jobs", "jobs", 422),
    ("GET", "/jobs", "jobs", 200),
    ("GET", f"/jobs/{JOB}", "jobs", 404),
    ("GET", f"/jobs/{JOB}/result", "jobs", 404),
    ("DELETE", f"/jobs/{JOB}", "jobs", 404),
    ("GET", "/categories", "", 200),
    ("GET", "/model", "", 200),
    ("GET", "/health/live", None, 200),
    ("GET", "/health/ready", None, 200),
    ("GET", "/openapi.json", None, 200),
]
# Scopes of the token; None for what is no token that counts.
TOKENS = {
    "none": None,
    "wrong": None,
    "empty": None,
    "other kind": None,
    "revoked": None,
    "classify": {"classify"},
    "jobs": {"jobs"},
    "both": {"classify", "jobs"},
}


@pytest.fixture(autouse=True)
def _model(loaded):
    """Some routes ask the model."""


@pytest.fixture
def credentials(tokens):
    """The Authorization header of each kind."""
    made = {name: tokens.add(name, scopes) for name, scopes in TOKENS.items() if scopes}
    made["revoked"] = tokens.add("revoked", ["classify", "jobs"])
    tokens.revoke("revoked")
    headers = {name: {"Authorization": f"Bearer {token}"} for name, token in made.items()}
    return headers | {
        "none": {},
        "wrong": {"Authorization": f"Bearer rayon_{'x' * 43}"},
        "empty": {"Authorization": "Bearer "},
        "other kind": {"Authorization": "Basic dXNlcjpwYXNz"},
    }


def test_the_table_has_every_route():
    found = application().openapi()["paths"]
    known = {(method, path.replace(JOB, "{identity}")) for method, path, *_ in ROUTES if path != "/openapi.json"}
    assert known == {(method.upper(), path) for path, methods in found.items() for method in methods}


@pytest.mark.parametrize(("route", "kind"), list(itertools.product(ROUTES, TOKENS)), ids=lambda v: v if isinstance(v, str) else f"{v[0]} {v[1][:12]}")  # fmt: skip  # noqa: E501
def test_each_route_with_each_token(make_client, credentials, route, kind):
    method, path, scope, allowed = route
    files = TEXT if method == "POST" else None
    response = make_client().request(method, path, headers=credentials[kind], files=files)
    scopes = TOKENS[kind]
    if scope is None:
        assert response.status_code == allowed
    elif scopes is None:
        assert problem(response, 401)["reason"] == "token"
        assert response.headers["www-authenticate"].startswith("Bearer ")
    elif scope and scope not in scopes:
        assert problem(response, 403)["reason"] == "scope"
        assert 'error="insufficient_scope"' in response.headers["www-authenticate"]
    else:
        assert response.status_code == allowed, response.text


def test_a_token_is_worth_nothing_once_it_is_revoked(make_client, tokens):
    token = tokens.add("shop", ["classify"])
    client = make_client(token)
    assert client.post("/classify", files=TEXT).status_code == 200
    tokens.revoke("shop")
    for _ in range(2):
        assert problem(client.post("/classify", files=TEXT), 401)["reason"] == "token"


def test_a_token_elsewhere_than_in_its_header_is_none(make_client, tokens):
    token = tokens.add("shop", ["classify"])
    client = make_client()
    problem(client.post(f"/classify?access_token={token}", files=TEXT), 401)
    client.cookies.set("access_token", token)
    problem(client.post("/classify", files=TEXT), 401)


# --- open, for a demonstration --------------------------------------------------------------------------------


def test_open_on_this_machine_until_there_is_a_token(make_client, tokens):
    client = make_client(local=True)
    assert client.get("/model").json()["access"] == "open"
    assert client.post("/classify", files=TEXT).status_code == 200
    token = tokens.add("shop", ["jobs"])
    problem(client.post("/classify", files=TEXT), 401)
    tokens.revoke("shop")
    problem(client.post("/classify", files=TEXT), 401)
    assert token


def test_never_open_elsewhere(make_client):
    problem(make_client(local=False).post("/classify", files=TEXT), 401)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"X-Forwarded-For": "192.0.2.1"},
        {"Forwarded": "for=192.0.2.1"},
    ],
    ids=str,
)
def test_open_to_this_machine_alone(make_client, headers):
    response = make_client(local=True).post("/classify", files=TEXT, headers=headers)
    assert problem(response, 403)["reason"] == "not_local"


def test_open_at_no_other_address(make_client):
    response = make_client(local=True, base_url="http://192.0.2.7").post("/classify", files=TEXT)
    assert problem(response, 403)["reason"] == "not_local"


@pytest.mark.parametrize("headers", [{"Origin": "http://127.0.0.1"}, {"Sec-Fetch-Site": "same-origin"}], ids=str)
def test_open_to_a_page_of_this_server(make_client, headers):
    assert make_client(local=True).post("/classify", files=TEXT, headers=headers).status_code == 200


# --- how often ------------------------------------------------------------------------------------------------


@pytest.fixture
def slow_rate(monkeypatch):
    monkeypatch.setenv("RAYON_API_RATE", "12")
    settings.cache_clear()


def test_too_many_requests(slow_rate, make_client, tokens):
    busy, calm = make_client(tokens.add("busy", ["jobs"])), make_client(tokens.add("calm", ["jobs"]))
    assert [busy.get("/jobs").status_code for _ in range(3)] == [200] * 3
    response = busy.get("/jobs")
    assert problem(response, 429)["reason"] == "rate" and 1 <= int(response.headers["retry-after"]) <= 5
    assert calm.get("/jobs").status_code == 200
    assert busy.get("/health/live").status_code == 200


def test_too_many_guesses(slow_rate, make_client, tokens):
    good = make_client(tokens.add("shop", ["jobs"]))
    guesses = [make_client(f"rayon_{i:043}").get("/jobs").status_code for i in range(5)]
    assert guesses == [401, 401, 401, 429, 429]
    assert good.get("/jobs").status_code == 200


def test_the_rate_is_even_and_its_memory_bounded():
    now = [0.0]
    limiter = RateLimiter(60, lambda: now[0])
    assert [limiter.take("a") for _ in range(16)] == [0] * 15 + [1]
    now[0] += 1.0
    assert [limiter.take("a") for _ in range(2)] == [0, 1]
    now[0] += 1000
    assert [limiter.take("a") for _ in range(16)] == [0] * 15 + [1]
    for i in range(12_000):
        limiter.take(str(i))
    assert len(limiter._buckets) == 10_000
    assert not any(RateLimiter(0).take("a") for _ in range(1000))


def test_no_browser_can_have_the_owner_of_a_client(tokens):
    """What a browser shows as its secret is checked against `ui.batch.owner`: it has no colon in it."""
    from ui.batch.owner import valid

    guard = Guard(lambda: True, RateLimiter(0))
    assert guard.open(tokens)
    assert valid("api:open") is None and valid("api:1" + "0" * 40) is None
