"""An administrator puts another model into service and takes it back, and finds who did what."""

import csv
import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from access.accounts import Accounts
from access.roles import Role
from model.bundle_files import MANIFEST, add_report, read_manifest
from settings import SHIPPED_BUNDLE
from tests.browser.conftest import Server
from tests.model.bundles import other_bundle, version_of, zipped

PASSWORD = "vingt rayons de lumière"


@pytest.fixture
def administered(chromium: str, tmp_path: Path):
    """A server with an administrator, without a model of its own."""
    server = Server(tmp_path)
    server.home.mkdir()
    Accounts(server.home / "accounts.json").add("Ada", PASSWORD, Role.ADMINISTRATOR)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def answer(page: Page, key: str, label: str) -> None:
    """The question behind a button, answered."""
    page.locator(f'[class*="st-key-{key}"] button').click()
    page.get_by_role("dialog").get_by_role("button", name=label).click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_model_is_installed_compared_activated_and_taken_back(
    administered: Server, browser: Browser, tmp_path: Path
) -> None:
    folder = other_bundle(tmp_path / "lamps", "Lamps", "lamps")
    version = version_of(folder)
    # It has the weights of the model that ships, hence its answers.
    add_report(folder, "smoke", json.loads((SHIPPED_BUNDLE / "smoke.json").read_bytes()) | {"version": version})
    manifest = read_manifest(folder)
    manifest["training"]["data"] = "see https://evil.example/x, www.evil.example"
    (folder / MANIFEST).write_text(json.dumps(manifest))
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 1000})
    errors: list[str] = []
    context.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page = context.new_page()
    page.goto(f"{administered.address}/admin")
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    page.locator("input[type=file]").set_input_files(zipped(folder, tmp_path / "lamps.zip"))
    page.get_by_role("button", name="Check and install").click()
    # It takes a while, and every tab answers meanwhile.
    expect(page.get_by_text("is being checked")).to_be_visible()
    page.get_by_role("tab", name="Storage").click()
    expect(page.get_by_text("Free on the disk")).to_be_visible()
    page.get_by_role("tab", name="Models").click()
    expect(page.get_by_text(f"{version} is installed, and not active yet")).to_be_visible(timeout=180_000)

    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("Side by side")).to_be_visible()
    expect(page.get_by_text(f"Other: {version}").first).to_be_visible()
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(2)
    expect(page.get_by_text("see https://").first).to_be_visible()
    assert page.locator('a[href*="evil"]').count() == 0, "an address in a model is no link"
    answer(page, "admin_activate_", "Activate")
    expect(page.get_by_text(f"{version} is active. It answers from the next request on.")).to_be_visible(
        timeout=180_000
    )
    answer(page, "admin_rollback", "Roll back")
    expect(page.get_by_text("is active again")).to_be_visible()

    page.get_by_role("tab", name="Audit log").click()
    expect(page.get_by_text("4 entries")).to_be_visible()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    with page.expect_download() as download:
        page.locator(".st-key-admin_log_download button").click()
    lines = list(csv.reader(Path(download.value.path()).read_text("utf-8-sig").splitlines()))
    assert [line[2:4] for line in lines[1:]] == [
        ["Ada", action] for action in ("model_rolled_back", "model_activated", "model_installed", "sign_in")
    ]
    Accounts(administered.home / "accounts.json").set_role("Ada", Role.ANALYST)
    page.locator(".st-key-admin_log_download button").click()
    expect(page.get_by_text("You are not signed in")).to_be_visible()
    context.close()
    assert not [error for error in errors if "Failed to load resource" not in error]
