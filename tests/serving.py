"""A server as `make run` starts it, for the tests that ask one from outside."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from settings import ROOT

SECONDS = 120


@contextmanager
def served(folder, *options: str, **environment: str) -> Iterator[str]:
    """The address of a server of its own; ends with the test."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "streamlit", "run", "server.py", "--server.port", port, *options]
    environment = os.environ | {"RAYON_HOME": str(folder)} | environment
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + SECONDS
        while status(f"{url}/api/v1/health/live") != 200:
            assert time.monotonic() < deadline and server.poll() is None, (folder / "log").read_text()
            time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def status(url: str, token: str = "") -> int:
    """The HTTP status; 0 for none."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=SECONDS) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
