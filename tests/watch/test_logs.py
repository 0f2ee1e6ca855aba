"""One line for each record, with nothing in it of what was sent."""

import json
import logging
import subprocess
import sys

import pytest

from settings import ROOT
from watch.logs import LEFT_OUT, Formatter, WithoutQueries, request_id
from watch.requests import named


def record(message, *args, **more):
    made = logging.LogRecord("rayon.x", logging.WARNING, __file__, 1, message, args, more.pop("exc_info", None))
    vars(made).update(more)
    return made


def written(made) -> dict:
    line = Formatter().format(made)
    assert line.isascii() and line.isprintable()
    return json.loads(line)


@pytest.mark.parametrize("bad", ["\n", "\r\n", "\x1b[2J", "\u2028", "\x85", "\x00", '"}\n{"level": "error'])
def test_no_character_ends_a_line(bad):
    assert written(record("before %s after", bad))["message"] == f"before {bad} after"


def test_of_an_error_only_its_kind_and_place_are_told():
    try:
        try:
            raise ValueError("Canapé SECRET")
        except ValueError as error:
            raise KeyError("another SECRET") from error
    except KeyError as error:
        found = written(record("it failed", exc_info=(type(error), error, error.__traceback__)))
    assert "SECRET" not in json.dumps(found)
    assert found["error"] == ["builtins.KeyError", "builtins.ValueError"] and "test_logs.py" in found["trace"][-1]


def test_what_else_a_record_brings_is_left_out():
    found = written(record("x", designation="SECRET", route="/a", status=200))
    assert found["route"] == "/a" and found["status"] == 200 and "SECRET" not in json.dumps(found)


def test_the_request_is_named():
    token = request_id.set("abc")
    try:
        assert written(record("x"))["request"] == "abc"
    finally:
        request_id.reset(token)
    assert "request" not in written(record("x"))


@pytest.mark.parametrize("given", ["abcdefgh", "A-b.c_9" * 9, "7f3c0a52c1f94d0e8d3b5a6e9c1f2a3b"])
def test_a_well_formed_name_is_kept(given):
    assert named(given) == given


@pytest.mark.parametrize(
    "given", [None, "", "short", "a" * 65, "has space", "né-à-paris", 'x"quoted"', "-begins-so", "a\nb" * 5]
)
def test_any_other_gets_a_new_one(given):
    assert len(named(given)) == 32 and named(given) != named(given)


def test_queries_are_taken_out_of_the_serving_programs_records():
    made = logging.LogRecord(
        "uvicorn.access", logging.INFO, "", 1, '%s - "%s %s HTTP/%s" %d',
        ("127.0.0.1:5", "GET", "/auth/callback?code=SECRET", "1.1", 200), None,
    )  # fmt: skip
    assert WithoutQueries().filter(made)
    assert made.getMessage() == '127.0.0.1:5 - "GET /auth/callback HTTP/1.1" 200'
    made = logging.LogRecord(
        "uvicorn.error", logging.INFO, "", 1, '%s - "WebSocket %s" 403', ("1:5", "/x?SECRET"), None
    )
    WithoutQueries().filter(made)
    assert "SECRET" not in made.getMessage()


def test_it_can_be_set_up_again():
    """In a process of its own: a log is the whole process's."""
    code = """
import logging, sys
from watch.logs import Formatter, WithoutQueries, set_up
root, serving = logging.getLogger(), logging.getLogger("uvicorn.error")
serving.addHandler(logging.StreamHandler(sys.stdout))
set_up("plain")
assert not root.handlers and serving.handlers
set_up("json"); set_up("json")
assert len(root.handlers) == 1 and not serving.handlers
assert sum(isinstance(one, WithoutQueries) for one in serving.filters) == 1
serving.info('%s - "WebSocket %s" [accepted]', "127.0.0.1:1", "/_stcore/stream?SECRET=1")
logging.getLogger("uvicorn.access").info("not told twice")
import warnings
warnings.warn("SECRET")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stdout, done.stderr
    line, warned = map(json.loads, done.stderr.splitlines())
    assert line["message"] == '127.0.0.1:1 - "WebSocket /_stcore/stream" [accepted]'
    assert warned["logger"] == "py.warnings" and warned["message"].startswith("UserWarning at <string>:")


@pytest.mark.parametrize("kind", ["plain", "json"])
def test_a_window_that_is_refused_writes_nothing_of_its_own(kind):
    """By Streamlit itself, which writes both headers. In a process of its own: a log is the whole process's."""
    code = f"""
import asyncio
import streamlit.net_util as addresses  # which would ask the network
addresses.get_external_ip = addresses.get_internal_ip = lambda: None
from starlette.websockets import WebSocket
from streamlit.web.server.starlette.starlette_websocket import create_websocket_handler
from watch.logs import set_up
set_up({kind!r})
bad = b"http://SECRET.test/\\x1b[2J SECRET"
scope = {{"type": "websocket", "path": "/_stcore/stream", "headers": [(b"origin", bad), (b"host", b"SECRET")]}}
async def receive():
    return {{"type": "websocket.connect"}}
async def send(message):
    print(message["type"])
asyncio.run(create_websocket_handler(None)(WebSocket(scope, receive, send)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.strip() == "websocket.close", done.stderr
    if kind == "json":
        assert all(json.loads(line)["level"] for line in done.stderr.splitlines())
    assert done.stderr.count(LEFT_OUT) == 2 and "SECRET" not in done.stderr and "[2J" not in done.stderr
