"""Whose jobs are whose, how long they stay, and who goes on with them."""

import io
import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from batch.jobs import CHUNKS, FEWEST_ROWS, MOST_ROWS, Job, chunk_rows
from batch.runner import run_job
from batch.store import JobStore
from tests.batch.samples import official_rows, planned


@pytest.fixture
def store(tmp_path) -> JobStore:
    return JobStore(tmp_path)


def draft(store: JobStore, owner: str = "me", name: str = "a.csv") -> Job:
    return store.draft(name, io.BytesIO(b"designation\nlampe\n"), owner)


def aged(job: Job, days: float) -> None:
    about = job.about | {"created": (datetime.now(UTC) - timedelta(days=days)).isoformat()}
    (job.folder / "about.json").write_text(json.dumps(about))


def test_a_draft_keeps_the_table_and_never_the_name_as_a_path(store, tmp_path) -> None:
    job = draft(store, name="../../<script>.csv")
    assert job.table.read_bytes() == b"designation\nlampe\n"
    assert job.about["name"] == "../../<script>.csv"
    assert {path.name for path in (tmp_path / "jobs").iterdir()} == {job.id}
    assert job.state().state == "draft"


def test_an_owner_sees_their_own_jobs_newest_first(store) -> None:
    first, second, other = draft(store), draft(store), draft(store, "you")
    aged(first, 1)
    assert [job.id for job in store.owned_by("me")] == [second.id, first.id]
    assert [job.id for job in store.owned_by("you")] == [other.id]
    assert store.get(first.id, "me").id == first.id


@pytest.mark.parametrize("identity", ["", ".", "..", "../jobs", "0" * 32, "x" * 32, "slot.lock"])
def test_what_is_no_job_of_theirs_is_not_found(store, identity) -> None:
    draft(store)
    with pytest.raises(KeyError):
        store.get(identity, "me")


def test_another_visitor_does_not_get_a_job_by_its_name(store) -> None:
    job = draft(store)
    for owner in ("you", "", "ME", job.about["owner"]):
        with pytest.raises(KeyError):
            store.get(job.id, owner)
    assert "me" not in (job.folder / "about.json").read_text().replace("name", "")


def test_old_jobs_are_swept_and_cut_off_uploads_too(store, tmp_path) -> None:
    old, new = draft(store), draft(store)
    aged(old, 8)
    cut_off, fresh = tmp_path / "jobs" / "a.part", tmp_path / "jobs" / "b.part"
    for path in (cut_off, fresh):
        path.mkdir()
    os.utime(cut_off, (0, 0))
    assert store.sweep(7) == 1
    assert [job.id for job in store.all()] == [new.id]
    assert fresh.exists() and not cut_off.exists()


def test_only_interrupted_jobs_are_revived(home, monkeypatch) -> None:
    woken = []
    monkeypatch.setattr(Job, "set_to_work", lambda job: woken.append(job.id))
    store = JobStore(home)
    draft(store)
    interrupted, at_work, ended = (planned(home, official_rows(3)) for _ in range(3))
    ended.end("done")
    with Job(at_work.folder).lock:
        assert [job.id for job in store.revive()] == woken == [interrupted.id]


def test_deleting_removes_everything(store) -> None:
    job = draft(store)
    store.add_pictures(job, io.BytesIO(b"zip"))
    assert job.pictures.read_bytes() == b"zip"
    job.delete()
    assert not job.folder.exists()


@pytest.mark.parametrize("rows", [1, 31, 32, 1000, 20_480, 1_000_000])
def test_chunks_are_small_for_small_tables_and_bounded_for_large_ones(rows) -> None:
    assert FEWEST_ROWS <= chunk_rows(rows) <= MOST_ROWS
    assert chunk_rows(rows) in (FEWEST_ROWS, MOST_ROWS, rows // CHUNKS)


def test_a_deleted_job_does_not_come_back(home) -> None:
    job = planned(home, official_rows(3))
    again = Job(job.folder)
    job.delete()
    assert run_job(again, home) == ""  # the process that was set to work comes too late
    assert not again.at_work() and again.state().state == "draft" and list(again.parts.all()) == []
    again.delete()
    assert not job.folder.exists()


def test_a_damaged_job_harms_nobody_else(store) -> None:
    mine, other = draft(store), draft(store, "you")
    (other.folder / "about.json").write_text("")
    empty = store.home / "jobs" / ("0" * 32)
    empty.mkdir()
    assert [job.id for job in store.owned_by("me")] == [mine.id]
    assert store.revive() == [] and store.sweep(7) == 0
    with pytest.raises(KeyError):
        store.get(other.id, "you")
    for folder in (other.folder, empty):
        os.utime(folder, (0, 0))
    store.sweep(7)
    assert [path.name for path in (store.home / "jobs").iterdir()] == [mine.id]


def test_pictures_do_not_change_once_the_work_is_planned(home) -> None:
    with pytest.raises(PermissionError):
        JobStore(home).add_pictures(planned(home, official_rows(3)), io.BytesIO(b"zip"))


def test_a_job_that_waits_again_does_not_say_it_is_at_work(home) -> None:
    job = planned(home, official_rows(3))
    job.note_progress(done=2, pictures={}, step="", rows_per_second=None)
    with Job(job.folder).lock:
        assert job.state().state == "waiting"
        job.note_progress(done=2, pictures={}, step="classifying", rows_per_second=5.0)
        assert job.state().state == "running"


def test_cancelling_what_has_ended_changes_nothing(home) -> None:
    job = planned(home, official_rows(3))
    job.end("done")
    job.cancel()
    assert job.state().state == "done"
