"""Everybody's files, as an administrator sees them; room on the disk, and what is left over."""

import io
import os
import time

from access.door import door
from api.tokens import Tokens
from batch.jobs import Job, JobSpec
from batch.store import JobStore
from decisions.store import open_store
from model.bundle import read_manifest
from preprocessing.columns import Columns
from preprocessing.table import TableFormat
from settings import SHIPPED_BUNDLE
from tests.ui.admin.conftest import answered, log, pressed, said


def planned(home, person: str, name: str = "produits.csv", model: str = "") -> Job:
    """A file of an account, waiting for its turn."""
    job = JobStore(home).draft(
        name,
        io.BytesIO(b"designation\nLampe\n"),
        door().sessions.token("jobs", door().account_key(door().accounts.get(person))),
    )
    version = model or read_manifest(SHIPPED_BUNDLE)["version"]
    job.plan(JobSpec(TableFormat("text", "utf-8", ","), ("designation",), Columns(), 1, str(SHIPPED_BUNDLE), version))
    return job


def test_everybodys_files_are_seen_with_whose_they_are(come, home, opened):
    planned(home, "Analyst", "<b>a</b>.csv")
    token = Tokens(open_store().engine)
    token.add("shop", ["jobs"])
    JobStore(home).draft("b.csv", io.BytesIO(b"x\n1\n"), f"api:{token.all()[0].id}")
    JobStore(home).draft("c.csv", io.BytesIO(b"x\n1\n"), "a browser's secret")
    words = said(opened("files"))
    assert "3 files are kept" in words and "Analyst · 1 row" in words and "the program shop" in words
    assert "somebody else (" in words and "browser" not in words


def test_a_file_is_stopped_and_deleted(come, home, opened):
    job = planned(home, "Analyst")
    page = answered(opened("files"), f"admin_stop_{job.id}")
    assert "is being stopped" in said(page) and job.state().state == "cancelled"
    page = answered(page, f"admin_delete_{job.id}")
    assert "is deleted" in said(page) and not job.folder.exists()
    assert [(entry.action, entry.subject) for entry in log()] == [("job_deleted", job.id), ("job_stopped", job.id)]


def test_a_file_that_is_gone_is_told_and_not_noted(come, home, opened):
    job = planned(home, "Analyst")
    page = pressed(opened("files"), f"admin_delete_{job.id}")
    job.delete()
    page = page.button(key="admin_yes").click().run()
    assert not page.exception and "not here any more" in said(page) and not log()


def test_nobody_but_an_administrator_stops_a_file(come, home, opened):
    job = planned(home, "Analyst")
    page = pressed(opened("files"), f"admin_delete_{job.id}")
    come("Analyst")
    page.button(key="admin_yes").click().run()
    assert job.folder.exists() and not log()


def test_many_files_come_page_by_page(come, home, opened):
    for number in range(21):
        JobStore(home).draft(f"{number}.csv", io.BytesIO(b"x\n"), "somebody")
    page = opened("files")
    assert len([one for one in page.button if one.key.startswith("admin_delete_")]) == 20
    page.number_input[0].set_value(2).run()
    assert len([one for one in page.button if one.key.startswith("admin_delete_")]) == 1


def test_room_and_leftovers(come, home, opened):
    planned(home, "Analyst")
    old, stage = home / "exports" / "gone-1", home / "train" / "abc"
    for folder in (old, stage):
        folder.mkdir(parents=True)
        (folder / "big").write_bytes(bytes(300_000))
        for path in (folder / "big", folder):
            os.utime(path, (time.time() - 30 * 86_400,) * 2)
    page = opened("storage")
    words = said(page)
    assert "2 folders that nobody uses any more (0.6 MB)" in words
    rows = {row.iloc[0]: row.iloc[1] for _, row in page.table[0].value.iterrows()}
    assert rows["Stages of trainings"] == "0.3 MB" and rows["Products\\, decisions\\, tokens\\, audit log"] != "0 kB"
    page = answered(page, "admin_sweep")
    assert "Removed" in said(page) and not old.exists() and not stage.exists()
    assert (log()[0].action, log()[0].details) == (
        "leftovers_swept",
        {"folders": 2, "bytes": log()[0].details["bytes"]},
    )
    assert "Nothing is left over" in said(page)
