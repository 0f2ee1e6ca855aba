"""A real Chromium, and the application started as a user starts it."""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from settings import ROOT

HERE = "127.0.0.1"
START_SECONDS = 300  # the first `make run` may have packages to install
PATIENCE_MS = 60_000  # the first visitor waits for the model
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {HERE}",
]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of Chromium; without one the tests are skipped, and fail where CI is set."""
    for name in CHROMIUM_NAMES:
        if path := shutil.which(name):
            return path
    missing = "no Chromium on the PATH; install it by: make chromium"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="session")
def server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the application, started by `make run`."""
    with socket.socket() as free:
        free.bind((HERE, 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("server")
    # Not those of an outer make, which would hand its own arguments on.
    environment = {key: value for key, value in os.environ.items() if key not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}
    environment["RAYON_HOME"] = str(folder / "home")
    log = folder / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["make", "run", f"PORT={port}"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            address = f"http://{HERE}:{port}"
            _wait_until_healthy(address, process, log)
            yield address
        finally:
            _stop(process)


def _wait_until_healthy(address: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"`make run` ended with {process.returncode}:\n{log.read_text(errors='replace')}")
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"`make run` was not ready after {START_SECONDS} s:\n{log.read_text(errors='replace')}")


def _stop(process: subprocess.Popen) -> None:
    # Its own session, hence its own group: make and the server, nothing else.
    for stop in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, stop)
        except ProcessLookupError:
            return
        try:
            process.wait(timeout=15)
            return
        except subprocess.TimeoutExpired:
            continue


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: Browser, server: str) -> Iterator[Callable[..., Page]]:
    """Opens the application as a new visitor; the test fails on console errors and on requests to elsewhere."""
    contexts, errors, elsewhere = [], [], []

    def note_address(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob"} and parts.hostname != HERE:
            elsewhere.append(url)

    def open_page(width: int = 1280, height: int = 1000, locale: str = "fr-FR") -> Page:
        context = browser.new_context(locale=locale, viewport={"width": width, "height": height})
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: note_address(request.url))
        page.on("websocket", lambda websocket: note_address(websocket.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(server)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors
    assert not elsewhere
