"""The server as `make run` starts it, pages and interface in one process; what the documents show works on it."""

import contextlib
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from settings import ROOT
from tests.repository import read
from tests.serving import SECONDS, served, status


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def url(folder) -> Iterator[str]:
    with served(folder) as url:
        yield url


def command(folder, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "api", "token", *arguments],
        cwd=ROOT, env=os.environ | {"RAYON_HOME": str(folder)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_from_open_to_tokens_on_a_server_that_runs(url, folder):
    [client] = re.findall(r"## From any program.*?```python\n(.*?)```", read("README.md"), re.S)
    assert len([line for line in client.splitlines() if line and not line.startswith("import")]) <= 10
    names: dict = {}
    exec(compile(client, "README.md", "exec"), names)
    classify = names["classify"]

    assert status(f"{url}/") == 200 and status(f"{url}/_stcore/health") == 200  # the pages are there, too
    assert status(f"{url}/api/v1/model") == 200
    deadline = time.monotonic() + SECONDS
    while status(f"{url}/api/v1/health/ready") != 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)

    token = command(folder, "add", "shop", "--scope", "classify", "--scope", "jobs")
    assert status(f"{url}/api/v1/model") == 401 and status(f"{url}/api/v1/model", token) == 200
    answer = classify(url, token, {"designation": "Canapé d'angle", "top_k": 3}, ROOT / "ui" / "gallery" / "lamp.png")
    assert len(answer["categories"]) == 3 and answer["inputs"] == {"text": True, "image": True, "words": 3}
    assert classify(url, token, {"designation": "Canapé d'angle"})["categories"][0]["code"] == 1560
    if shutil.which("curl"):
        [block] = re.findall(r"## From any program.*?```sh\n(.*?)```", read("README.md"), re.S)
        (folder / "products.csv").write_text("designation\nLampe\n", encoding="utf-8")
        lines = block.replace("\\\n", " ").replace("http://127.0.0.1:8501", url).splitlines()[1:]
        said = [
            subprocess.run(
                ["bash", "-c", f"curl() {{ command curl --silent --fail-with-body \"$@\"; }}; {line}"],
                cwd=folder, env=os.environ | {"TOKEN": token}, capture_output=True, text=True, check=True,
            ).stdout
            for line in lines
        ]  # fmt: skip
        assert json.loads(said[0])["explanation"] and json.loads(said[1])["rows"] == 1
        assert status(f"{url}/api/v1/jobs/{json.loads(said[1])['id']}", token) == 200

    command(folder, "revoke", "shop")
    assert status(f"{url}/api/v1/model", token) == 401 and status(f"{url}/api/v1/model") == 401
    assert "Traceback" not in (folder / "log").read_text()


def test_an_upload_over_the_limit_is_broken_off(url):
    """The answer is there long before the client would have sent all it announced."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    connection.putrequest("POST", "/api/v1/classify")
    connection.putheader("Content-Type", "multipart/form-data; boundary=b")
    connection.putheader("Content-Length", str(10**12))
    connection.endheaders()
    connection.send(b"--b\r\n")
    answer = connection.getresponse()
    assert answer.status in (401, 413) and answer.getheader("Content-Type") == "application/problem+json"
    connection.close()


OUTSIDE = ["..", "%2e%2e", "..%2f..", "%252e%252e", "..%5c..", "%c0%ae%c0%ae", "....//..", "%00"]
SERVED = ["static", "media", "component/x", "_stcore/bidi-components/x", "app/static", "api/v1", "api/v1/jobs", "auth"]


@pytest.mark.parametrize("begin", SERVED)
def test_no_path_leads_out_of_what_is_served(url, begin):
    """Written as a client would that does not tidy addresses up."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    for out in OUTSIDE:
        for target in ("settings.py", "etc/passwd", "rayon.db"):
            connection.request("GET", f"/{begin}/{out}/{out}/{out}/{out}/{out}/{target}")
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status < 500, (begin, out)
            assert not re.search(rb"SHIPPED_BUNDLE|root:|SQLite format", body), (begin, out)


def test_answers_of_pages_and_interface_tell_browsers_what_they_may_do(url):
    for path in ("/", "/review", "/static/x.js", "/auth/sign-in", "/api/v1/health/live", "/_stcore/health"):
        with contextlib.closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)) as connection:
            connection.request("GET", path)
            headers = connection.getresponse().headers
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY", path
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], path
        assert len(headers.get_all("Content-Security-Policy")) == 1


def test_a_files_upload_needs_the_secret_of_the_browsers_own_page(url):
    """XSRF: another site's page can neither read the cookie nor set the header."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    connection.request("PUT", "/_stcore/upload_file/session/file", b"x", {"Cookie": "_streamlit_xsrf=2|a|b|1"})
    assert connection.getresponse().status == 403
    connection.close()
