"""What anybody can see from outside that a server in service does, and does not."""

import csv
import io
import time

import pytest

SOFA = "Canapé d'angle convertible gris"
CODE = 1560


def test_it_lives_and_is_ready(stranger) -> None:
    for path in ("live", "ready"):
        answer = stranger.get(f"/api/v1/health/{path}")
        assert answer.status_code == 200 and answer.json() == {"status": "ok"}


def test_a_known_product_is_put_where_it_belongs(client) -> None:
    answer = client.post("/api/v1/classify", files={"designation": (None, SOFA), "top_k": (None, "3")})
    assert answer.status_code == 200
    first = answer.json()["categories"][0]
    assert first["code"] == CODE and 0.5 < first["probability"] <= 1


def test_a_file_there_and_back(client) -> None:
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerows([["sku", "designation"], ["1", SOFA], ["2", ""], ["3", SOFA]])
    sent = client.post("/api/v1/jobs", files={"file": ("products.csv", table.getvalue().encode(), "text/csv")})
    assert sent.status_code == 202, sent.text
    job = f"/api/v1/jobs/{sent.json()['id']}"
    try:
        deadline = time.monotonic() + 300
        while (state := client.get(job).json())["state"] not in ("done", "failed", "cancelled"):
            assert time.monotonic() < deadline, state
            time.sleep(0.5)
        assert state["state"] == "done", state
        rows = list(csv.DictReader(io.StringIO(client.get(f"{job}/result").content.decode("utf-8-sig"))))
        assert [row["sku"] for row in rows] == ["1", "2", "3"]
        assert [rows[n]["rayon_code"] for n in (0, 2)] == [str(CODE)] * 2
    finally:
        assert client.delete(job).status_code in (200, 204)
    assert client.get(job).status_code == 404


@pytest.mark.parametrize("token", [None, "made-up", "rayon_" + "0" * 43])
def test_a_stranger_is_refused(stranger, token) -> None:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    for method, path in (("POST", "classify"), ("GET", "jobs"), ("GET", "model"), ("GET", "categories")):
        answer = stranger.request(method, f"/api/v1/{path}", headers=headers)
        assert answer.status_code == 401, (path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_one_has_to_sign_in(stranger) -> None:
    answer = stranger.get("/auth/sign-in")
    assert answer.status_code == 200 and 'type="password"' in answer.text
    assert answer.headers["cache-control"] == "no-store"
    wrong = stranger.post("/auth/sign-in", data={"name": "Administrator", "password": "guessed"})
    assert wrong.status_code == 403, "a form of another site"


@pytest.mark.parametrize("path", ["/", "/auth/sign-in", "/api/v1/health/live"])
def test_a_browser_is_told_what_not_to_do(stranger, path) -> None:
    headers = stranger.get(path).headers
    assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_the_window_talks_by_a_web_socket(deployed, stranger) -> None:
    """It is opened, through whatever stands before the server; from another site's page it is not."""
    headers = {
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "streamlit",
    }  # fmt: skip
    with stranger.stream("GET", "/_stcore/stream", headers=headers | {"Origin": deployed.url}) as answer:
        assert answer.status_code == 101 and answer.headers["upgrade"].lower() == "websocket"
    with stranger.stream("GET", "/_stcore/stream", headers=headers | {"Origin": "https://evil.example"}) as answer:
        assert answer.status_code == 403
