"""What is never read: bodies of strangers, and what is over a limit; asked as a server asks, message by message."""

import asyncio

import pytest

from api.application import PREFIX, application
from api.forms import Limits
from tests.api.conftest import awaited
from tests.api.samples import LAMP

CHUNK = 2**16
FORM = "multipart/form-data; boundary=b"
HEAD = b'--b\r\nContent-Disposition: form-data; name="image"; filename="x.png"\r\n\r\n'


def asked(path: str, token: str | None, chunks, content_type: str = FORM, length: int | None = None):
    """The status of the answer and how many bytes of the body were taken in."""
    taken, statuses = [], []
    source = iter(chunks)

    async def receive():
        chunk = next(source, None)
        if chunk is None:
            await asyncio.sleep(3600)
        taken.append(len(chunk))
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def send(message):
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    headers = [(b"content-type", content_type.encode()), (b"host", b"127.0.0.1")]
    if token is not None:
        headers.append((b"authorization", f"Bearer {token}".encode()))
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    scope = {
        "type": "http", "method": "POST", "path": PREFIX + path, "raw_path": (PREFIX + path).encode(),
        "headers": headers, "query_string": b"", "http_version": "1.1", "scheme": "http", "root_path": PREFIX,
        "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 9),
    }  # fmt: skip
    awaited(asyncio.wait_for(application()(scope, receive, send), 30))
    return statuses[0], sum(taken)


def endless(first: bytes = HEAD):
    yield first
    while True:
        yield bytes(CHUNK)


@pytest.mark.parametrize("path", ["/classify", "/jobs"])
def test_nothing_of_a_strangers_body_is_read(tokens, path):
    tokens.add("somebody", ["classify", "jobs"])
    assert asked(path, None, endless()) == (401, 0)
    assert asked(path, f"rayon_{'x' * 43}", endless()) == (401, 0)
    only = tokens.add("classify" if path == "/jobs" else "jobs", ["classify" if path == "/jobs" else "jobs"])
    assert asked(path, only, endless()) == (403, 0)


def test_reading_ends_at_the_limit(tokens):
    status, taken = asked("/classify", tokens.add("shop", ["classify"]), endless())
    assert status == 413 and taken <= 21 * 2**20 + 2 * CHUNK


def test_what_is_announced_too_large_is_not_read(tokens):
    token = tokens.add("shop", ["classify", "jobs"])
    assert asked("/classify", token, endless(), length=22 * 2**20) == (413, 0)
    assert asked("/jobs", token, endless(), length=6000 * 2**20) == (413, 0)


def test_a_false_announcement_is_no_way_around(tokens):
    status, taken = asked("/classify", tokens.add("shop", ["classify"]), endless(), length=100)
    assert status == 413 and taken <= 21 * 2**20 + 2 * CHUNK


def test_a_text_has_a_limit_of_its_own(tokens):
    text = b'--b\r\nContent-Disposition: form-data; name="designation"\r\n\r\n'
    status, taken = asked("/classify", tokens.add("shop", ["classify"]), endless(text))
    assert status == 413 and taken <= 2**18 + 3 * CHUNK


def test_a_part_without_end_of_its_head(tokens):
    status, taken = asked("/classify", tokens.add("shop", ["classify"]), endless(b"--b\r\nContent-Disposition: "))
    assert status in (400, 413, 422) and taken <= 21 * 2**20 + 2 * CHUNK


def test_another_kind_of_body_is_not_read(tokens):
    token = tokens.add("shop", ["classify"])
    assert asked("/classify", token, endless(), content_type="application/json") == (415, 0)


def test_whoever_sends_nothing_is_not_waited_for(tokens, monkeypatch):
    monkeypatch.setattr("api.classify._LIMITS", Limits(2**20, 2**18, 0.2))
    status, _ = asked("/classify", tokens.add("shop", ["classify"]), [HEAD])
    assert status == 408


@pytest.mark.parametrize("path", ["/classify", "/jobs"])
def test_whoever_stops_sending_keeps_no_place(tokens, monkeypatch, path):
    """However long the whole may take."""
    monkeypatch.setattr("api.forms.IDLE_SECONDS", 0.1)
    token = tokens.add("shop", ["classify", "jobs"])
    assert asked(path, token, [HEAD, bytes(CHUNK)]) == (408, len(HEAD) + CHUNK)


def test_an_upload_that_is_cut_off_leaves_nothing(client, own_home):
    whole = HEAD.replace(b"image", b"file") + f"designation\n{LAMP}\n".encode()
    response = client.post("/jobs", content=whole, headers={"Content-Type": FORM})
    assert response.status_code == 400 and not list((own_home / "jobs").glob("*"))
