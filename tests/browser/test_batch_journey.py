"""What an analyst does, in a real browser: a file and its pictures sent, the tab closed, the result taken home."""

import csv
import gettext
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from batch.jobs import Job
from batch.output import OURS
from batch.store import JobStore
from settings import ROOT
from tests.batch.samples import HEADER, LAMP, official_names, official_rows, pictures_zip, table_bytes
from tests.batch.test_runner import wait_until
from ui.language import DOMAIN, LOCALES

pytestmark = pytest.mark.browser

ROWS, PICTURES = 2_000, 300 if os.environ.get("RAYON_SCREENSHOT") else 60
SCREENSHOT = ROOT / "docs" / "batch.png"


def written(message: str) -> str:
    """A text of the screen, in French."""
    return gettext.translation(DOMAIN, LOCALES, ["fr"]).gettext(message)


def open_batch(page: Page) -> Page:
    # By the menu: for an address below the root Streamlit first looks for its server there, which the console tells.
    page.get_by_role("link", name=written("Classify a file")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(written("Classify a file"))
    return page


def send_table(page: Page, path: Path) -> None:
    page.locator(".st-key-batch_table_zone input[type=file]").set_input_files(path)
    expect(page.get_by_role("heading", name=written("1. How the file is read"))).to_be_visible()


def start(page: Page) -> None:
    page.locator("[class*=st-key-batch_start_] button").click()
    expect(page.get_by_role("progressbar")).to_be_visible()


def download(page: Page, folder: Path) -> list[list[str]]:
    """The result as CSV, read back."""
    page.get_by_role("tab", name=written("Download")).click()
    with page.expect_download() as coming:
        page.locator("[class*=st-key-batch_download_csv] button").first.click()
    path = folder / "result.csv"
    coming.value.save_as(path)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def only_job(home: Path) -> Job:
    [job] = JobStore(home).all()
    return job


def test_two_thousand_rows_with_pictures_while_the_tab_is_closed(visit, make_server, tmp_path) -> None:
    rows = official_rows(ROWS)
    table = tmp_path / "produits.csv"
    table.write_bytes(table_bytes(rows, delimiter=";", encoding="cp1252"))
    archive = pictures_zip(tmp_path / "images.zip", {f"images/{n}": LAMP for n in official_names(rows)[:PICTURES]})
    page = open_batch(visit())
    send_table(page, table)
    expect(page.get_by_role("combobox", name=written("Encoding"))).to_have_value(re.compile("1252"))
    expect(page.get_by_role("combobox", name=written("Delimiter"))).to_have_value(re.compile(";"))
    page.locator(".st-key-batch_zip_zone input[type=file]").set_input_files(archive)
    expect(page.get_by_text(written("Pictures missing"))).to_be_visible()
    start(page)
    page.close()

    back = open_batch(visit(same=page))
    job = back.get_by_text("produits.csv").first
    expect(job).to_be_visible()
    back.get_by_role("button", name=written("Open")).first.click()
    expect(back.get_by_role("tab", name=written("Download"))).to_be_visible(timeout=180_000)
    if os.environ.get("RAYON_SCREENSHOT"):
        back.wait_for_timeout(3000)
        back.screenshot(path=SCREENSHOT)
    [header, *found] = download(back, tmp_path)
    assert header == [*HEADER, *OURS]
    assert [row[: len(HEADER)] for row in found] == rows
    assert [row[header.index("rayon_picture")] for row in found] == ["used"] * PICTURES + ["missing"] * (
        ROWS - PICTURES
    )

    stranger = open_batch(visit())
    expect(stranger.locator(".st-key-batch_table_zone")).to_be_visible()
    expect(stranger.get_by_text("produits.csv")).to_have_count(0)


def test_a_server_killed_in_mid_job_goes_on_where_it_was(browser: Browser, make_server: Callable, tmp_path) -> None:
    rows = official_rows(1_600)
    table = tmp_path / "produits.csv"
    table.write_bytes(table_bytes(rows))
    server = make_server()
    context = browser.new_context(locale="fr-FR")
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(server.address)
    open_batch(page)
    send_table(page, table)
    start(page)
    job = only_job(server.home)
    wait_until(lambda: len(job.parts.written()) >= 4)
    server.kill()
    wait_until(lambda: not job.at_work(), seconds=15)
    time.sleep(2)  # workers end a moment after the process that feeds them
    done = job.parts.written()
    assert 4 <= len(done) < 40
    stamps = {number: (job.folder / "parts" / f"part-{number:08d}.parquet").stat().st_mtime_ns for number in done}

    server.start()
    wait_until(lambda: len(job.parts.written()) > len(done))  # nobody has opened a page yet
    page.goto(server.address)
    open_batch(page)
    page.get_by_role("button", name=written("Open")).first.click()
    expect(page.get_by_role("tab", name=written("Download"))).to_be_visible(timeout=180_000)
    found = download(page, tmp_path)[1:]
    assert [row[: len(HEADER)] for row in found] == rows
    assert {n: (job.folder / "parts" / f"part-{n:08d}.parquet").stat().st_mtime_ns for n in stamps} == stamps
    context.close()
