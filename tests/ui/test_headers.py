"""What each answer tells the browser it may do."""

import base64
import hashlib
import re
from importlib.resources import files

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ui.headers import SecurityHeaders, policy


def directives(text: str) -> dict[str, list[str]]:
    return {name: sources for name, *sources in (part.split() for part in text.split(";"))}


@pytest.fixture
def client():
    async def page(request) -> PlainTextResponse:
        own = {"Content-Security-Policy": "default-src 'none'"} if request.url.path == "/own" else {}
        return PlainTextResponse("page", headers=own)

    routes = [Route("/{path:path}", page)]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(SecurityHeaders)]))


@pytest.mark.parametrize("path", ["/", "/missing/x", "/own"])
def test_every_answer_has_them(client, path):
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin" and "camera=()" in headers["permissions-policy"]


def test_a_stricter_policy_stays(client):
    assert client.get("/own").headers["content-security-policy"] == "default-src 'none'"
    assert client.get("/").headers["content-security-policy"] == policy()


def test_only_our_scripts_run():
    """No script in the page, from elsewhere or made from text runs, but for the ones that Streamlit ships."""
    found = directives(policy())
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "http:", "data:"} & set(found["script-src"])
    assert found["frame-ancestors"] == found["object-src"] == found["base-uri"] == ["'none'"]
    assert found["default-src"] == found["form-action"] == ["'self'"]


def test_streamlits_own_inline_scripts_are_known():
    """By their hash: another version of Streamlit may bring others."""
    html = files("streamlit").joinpath("static/index.html").read_text(encoding="utf-8")
    inline = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", html, re.S)
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in inline}
    assert hashes and hashes <= set(directives(policy())["script-src"])
