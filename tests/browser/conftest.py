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
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

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


class Server:
    """The application, started by the very command of a user, on a port and with a home of its own."""

    def __init__(self, folder: Path, **environment: str) -> None:
        with socket.socket() as free:
            free.bind((HERE, 0))
            self.port = free.getsockname()[1]
        self.address = f"http://{HERE}:{self.port}"
        self.home = folder / "home"
        self.environment = {"RAYON_HOME": str(self.home)} | environment
        self._log = folder / "log.txt"
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        """Until it answers."""
        # Not those of an outer make, which would hand its own arguments on.
        environment = {
            key: value for key, value in os.environ.items() if key not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
        }
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                ["make", "run", f"PORT={self.port}"],
                cwd=ROOT,
                env=environment | self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                pytest.fail(f"`make run` ended with {self._process.returncode}:\n{self._said()}")
            try:
                with urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.2)
        pytest.fail(f"`make run` was not ready after {START_SECONDS} s:\n{self._said()}")

    def kill(self) -> None:
        """As kill -9 does: no process of its session may say good-bye."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """As a user does."""
        # Its own session, hence its own group: make and the server, nothing else.
        for stop in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, stop)
            except ProcessLookupError:
                return
            try:
                self._process.wait(timeout=15)
                return
            except subprocess.TimeoutExpired:
                continue

    def _said(self) -> str:
        return self._log.read_text(errors="replace")


@pytest.fixture(scope="session")
def make_server(
    chromium: str, exports: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Server]]:
    """Makes servers that have the exported network already; all are stopped at the end."""
    made: list[Server] = []

    def make() -> Server:
        server = Server(tmp_path_factory.mktemp("server"))
        server.home.mkdir()
        (server.home / "exports").symlink_to(exports / "exports")
        made.append(server)
        server.start()
        return server

    yield make
    for server in made:
        server.stop()


@pytest.fixture(scope="session")
def shared_server(make_server: Callable[[], Server]) -> Server:
    """An application that is not harmed."""
    return make_server()


@pytest.fixture(scope="session")
def server(shared_server: Server) -> str:
    """Its address."""
    return shared_server.address


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

    def note_error(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(f"{message.text} ({message.location['url']})")

    def open_page(width: int = 1280, height: int = 1000, locale: str = "fr-FR", same: Page | None = None) -> Page:
        """``same``: a page of the visitor who comes back, in the same browser."""
        if same is None:
            context = browser.new_context(locale=locale, viewport={"width": width, "height": height})
            context.set_default_timeout(PATIENCE_MS)
            contexts.append(context)
        else:
            context = same.context
        page = context.new_page()
        page.on("request", lambda request: note_address(request.url))
        page.on("websocket", lambda websocket: note_address(websocket.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", note_error)
        page.goto(server)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors
    assert not elsewhere
