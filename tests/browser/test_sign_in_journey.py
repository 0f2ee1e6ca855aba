"""Signing in, as people do it: by an account of the server's own, and by a provider that runs as a process here."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from access.accounts import Accounts
from access.roles import Role
from access.sessions import COOKIE
from tests.browser.conftest import HERE, Server

PASSWORD = "vingt rayons de lumière"
PEOPLE = [
    {"sub": "a-1", "email": "anna@example.org", "email_verified": True, "name": "Anna", "roles": ["moderator"]},
    {"sub": "b-2", "email": "boris@example.org", "email_verified": False, "name": "Boris"},
]


@pytest.fixture(scope="module")
def make_closed(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Starts servers that ask who comes."""
    made: list[Server] = []

    def make(prepare: Callable[[Server], None], **environment: str) -> Server:
        server = Server(tmp_path_factory.mktemp("closed"), **environment)
        server.home.mkdir()
        made.append(server)
        prepare(server)
        server.start()
        return server

    yield make
    for server in made:
        server.stop()


@pytest.fixture(scope="module")
def local(make_closed: Callable[..., Server]) -> Server:
    """With an account of each role, named after it."""

    def prepare(server: Server) -> None:
        for role in Role:
            Accounts(server.home / "accounts.json").add(role.name.capitalize(), PASSWORD, role)

    return make_closed(prepare)


@pytest.fixture
def context(browser: Browser) -> Iterator[Callable[[], BrowserContext]]:
    """Makes browsers without a past."""
    made: list[BrowserContext] = []
    errors: list[str] = []

    def make() -> BrowserContext:
        context = browser.new_context(locale="en-GB")
        context.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        made.append(context)
        return context

    yield make
    for one in made:
        one.close()
    assert not [error for error in errors if "Failed to load resource" not in error]


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_an_account_signs_in_and_out_in_every_window(local: Server, context) -> None:
    mine = context()
    page = mine.new_page()
    page.goto(f"{local.address}/review")
    expect(page).to_have_url(f"{local.address}/auth/sign-in?back=%2Freview")
    sign_in(page, "Moderator", "not the password")
    expect(page.get_by_role("alert")).to_be_visible()
    sign_in(page, "moderator")
    expect(page).to_have_url(f"{local.address}/review")
    expect(page.get_by_text("You decide as Moderator")).to_be_visible()
    expect(page.get_by_role("button", name="Change")).to_have_count(0)
    [cookie] = [one for one in mine.cookies() if one["name"] == COOKIE]
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax"

    other = mine.new_page()
    other.goto(f"{local.address}/categories")
    expect(other.get_by_test_id("stPopover")).to_be_visible()
    page.get_by_test_id("stPopover").get_by_role("button").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are not signed in")).to_be_visible()
    expect(page.get_by_text("You decide as")).to_have_count(0)
    # The other window was open all the while: its next message ends it.
    other.get_by_text("Français").click()
    expect(other.get_by_text("You are not signed in")).to_be_visible()
    expect(other.get_by_test_id("stDataFrame")).to_have_count(0)
    # What was copied from the browser meanwhile is worth nothing now.
    thief = context()
    thief.add_cookies([{"name": COOKIE, "value": cookie["value"], "url": local.address}])
    stolen = thief.new_page()
    stolen.goto(local.address)
    expect(stolen.get_by_label("Password")).to_be_visible()

    page.get_by_role("link", name="Sign in").click()
    sign_in(page, "Analyst")
    expect(page.get_by_test_id("stPopover")).to_contain_text("Analyst")


def test_each_role_finds_its_pages_and_a_word_on_the_others(local: Server, context) -> None:
    page = context().new_page()
    page.goto(local.address)
    sign_in(page, "analyst")
    expect(page.get_by_role("link", name="Classify a file")).to_be_visible()
    expect(page.get_by_role("link", name="Review")).to_have_count(0)
    page.goto(f"{local.address}/review")
    expect(page.get_by_text("This page is not for your role.")).to_be_visible()


# --- a provider -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """Address of a provider that knows `PEOPLE`."""
    with socket.socket() as free:
        free.bind((HERE, 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    for claims in PEOPLE:
        command += ["--user-claims", json.dumps(claims)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        address = f"http://{HERE}:{port}"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{address}/.well-known/openid-configuration", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        yield address
        process.terminate()


@pytest.fixture(scope="module")
def provided(make_closed: Callable[..., Server], provider: str, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """The application, with that provider alone."""
    secrets = tmp_path_factory.mktemp("secrets") / "secrets.toml"

    def prepare(server: Server) -> None:
        write_secrets(secrets, server.address, provider)

    return make_closed(prepare, STREAMLIT_SECRETS_FILES=str(secrets))


def write_secrets(path: Path, address: str, provider: str) -> None:
    path.write_text(
        f'[auth]\nredirect_uri = "{address}/oauth2callback"\ncookie_secret = "{"s" * 40}"\n'
        f'client_id = "rayon"\nclient_secret = "secret"\n'
        f'server_metadata_url = "{provider}/.well-known/openid-configuration"\n'
    )


def sign_in_by_provider(page: Page, server: Server, subject: str) -> None:
    page.goto(f"{server.address}/review")
    page.get_by_role("link", name="Sign in with your organisation").click()
    page.wait_for_url("**/oauth2/authorize**")
    button = page.get_by_role("button", name=subject)
    if button.count():
        button.first.click()
    else:
        page.locator("input[name=sub]").fill(subject)
        page.locator("input[name=sub]").press("Enter")


def test_a_provider_signs_in_and_signing_out_counts(provided: Server, context) -> None:
    mine = context()
    page = mine.new_page()
    sign_in_by_provider(page, provided, "a-1")
    expect(page.get_by_test_id("stPopover")).to_contain_text("anna@example.org")
    page.get_by_role("link", name="Review").click()
    expect(page.get_by_text("You decide as anna@example.org")).to_be_visible()
    kept = [{"name": one["name"], "value": one["value"], "url": provided.address} for one in mine.cookies()]

    other = mine.new_page()
    other.goto(f"{provided.address}/categories")
    expect(other.get_by_test_id("stPopover")).to_be_visible()
    page.get_by_test_id("stPopover").get_by_role("button").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="End session").click()  # the provider asks, too
    expect(page.get_by_role("link", name="Sign in with your organisation")).to_be_visible()
    other.get_by_text("Français").click()
    expect(other.get_by_text("You are not signed in")).to_be_visible()
    thief = context()
    thief.add_cookies(kept)
    stolen = thief.new_page()
    stolen.goto(provided.address)
    expect(stolen.get_by_role("link", name="Sign in with your organisation")).to_be_visible()


def test_whom_the_provider_knows_and_nobody_here_gets_no_further(provided: Server, context) -> None:
    page = context().new_page()
    sign_in_by_provider(page, provided, "b-2")
    expect(page.get_by_text("You are signed in as Boris (b-2), and have no role here.")).to_be_visible()
    expect(page.get_by_role("link", name="Categories")).to_have_count(0)
