"""A job from start to end, whatever happens to the processes at work."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from batch.classify import Plan
from batch.files import read_json
from batch.jobs import Job
from batch.local import EngineError, run_local
from batch.runner import STARTS, run_job
from model.exported import exported
from model.product import Product
from settings import ROOT, SHIPPED_BUNDLE
from tests.batch.samples import LAMP, cells, official_names, official_rows, pictures_zip, planned


def wait_until(condition, seconds: float = 90, every: float = 0.05):
    """The first true value of ``condition``."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(every)
    return value


def start(job: Job, home: Path) -> subprocess.Popen:
    """The process that a server starts."""
    return subprocess.Popen(
        [sys.executable, "-m", "batch", "run", str(job.folder)], cwd=ROOT, env=os.environ | {"RAYON_HOME": str(home)}
    )


def children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found += map(int, task.read_text().split())
    return found


def workers(pid: int) -> list[int]:
    """Processes below this one that hold a model."""
    return [child for child in children(pid) if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text()]


def test_every_row_is_classified_as_the_classifier_does(home, classifier, tmp_path) -> None:
    rows = official_rows(150)
    names = official_names(rows)
    pictures = pictures_zip(tmp_path / "p.zip", {f"images/{n}": LAMP for n in names[:20]} | {names[21]: b"no picture"})
    job = planned(home, rows, pictures)
    told = []
    assert run_job(job, home, lambda done, total: told.append((done, total))) == "done"
    assert cells(job) == rows
    assert told[-1] == (150, 150) and [done for done, _ in told] == sorted({done for done, _ in told})
    state = job.state()
    assert (state.state, state.done, state.rows, state.problem) == ("done", 150, 150, None)
    assert state.pictures == {"used": 20, "not_an_image": 1, "missing": 129}
    found = [part.to_pylist() for part in job.parts.all()]
    flat = [row for part in found for row in part]
    for i in (0, 19, 20, 21, 149):
        image = LAMP if i < 20 else None
        [expected] = classifier.predict([Product(rows[i][1], rows[i][2] or None, image)])
        assert flat[i]["code1"] == expected.code
        assert flat[i]["probability1"] == pytest.approx(expected.confidence, abs=1e-4)
        assert flat[i]["inputs"] == ("text+image" if i < 20 else "text")


def test_a_killed_process_is_gone_on_from_where_it_was(home) -> None:
    rows = official_rows(960)
    job = planned(home, rows, workers=2)
    process = start(job, home)
    wait_until(lambda: len(job.parts.written()) >= 3)
    assert job.state().state == "running"
    below = workers(process.pid)
    process.kill()
    process.wait()
    before = {number: (job.folder / "parts" / f"part-{number:08d}.parquet").stat().st_mtime_ns
              for number in job.parts.written()}  # fmt: skip
    assert 3 <= len(before) < 30
    assert job.state().state == "waiting"
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in below), seconds=10)
    assert run_job(job, home) == "done"
    after = {number: (job.folder / "parts" / f"part-{number:08d}.parquet").stat().st_mtime_ns for number in before}
    assert after == before, "what was done is not done again"
    assert cells(job) == rows
    assert job.state().done == len(rows)


def test_a_killed_worker_costs_no_row(home) -> None:
    rows = official_rows(960)
    job = planned(home, rows, workers=2)
    process = start(job, home)
    wait_until(lambda: len(job.parts.written()) >= 2)
    os.kill(workers(process.pid)[0], signal.SIGKILL)
    assert len(job.parts.written()) < 30, "killed in the middle of it"
    assert process.wait(timeout=120) == 0
    assert job.state().state == "done"
    assert cells(job) == rows


def test_workers_that_are_killed_again_and_again_end_the_job(home, monkeypatch) -> None:
    monkeypatch.setattr("batch.local.classify_chunk", _die)
    plan = Plan(str(SHIPPED_BUNDLE), str(exported(SHIPPED_BUNDLE, home)), ("a",), None, None, str(home / "p"))
    with pytest.raises(EngineError, match="is memory short"):
        list(run_local(plan, [(0, [["x"]])], workers=1))


def _die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_job_that_kills_every_process_is_given_up(home) -> None:
    job = planned(home, official_rows(40))
    for times in range(1, STARTS + 1):
        process = start(job, home)
        wait_until(lambda times=times: (read_json(job.folder / "starts.json") or {}).get("starts") == times)
        process.kill()
        process.wait()
    assert run_job(job, home) == "failed"
    assert job.state().problem.kind == "crashed"


def test_cancel_stops_the_work_and_start_goes_on(home) -> None:
    rows = official_rows(960)
    job = planned(home, rows, workers=2)
    process = start(job, home)
    wait_until(lambda: job.parts.written())
    job.cancel()
    assert process.wait(timeout=20) == 0
    state = job.state()
    assert state.state == "cancelled" and 0 < state.done < len(rows)
    for name in ("cancel", "ended.json"):
        (job.folder / name).unlink()
    assert run_job(job, home) == "done"
    assert cells(job) == rows


def test_two_processes_never_work_on_one_job(home) -> None:
    job = planned(home, official_rows(40))
    with Job(job.folder).lock:
        process = start(job, home)
        assert process.wait(timeout=60) == 0
        assert not job.parts.written()


def test_one_job_of_a_home_at_a_time(home) -> None:
    first, second = planned(home, official_rows(200)), planned(home, official_rows(40))
    process = start(first, home)
    wait_until(lambda: first.state().state == "running")
    os.kill(process.pid, signal.SIGSTOP)  # it has not ended before the other has begun, however slow that is
    try:
        other = start(second, home)
        wait_until(second.at_work)
        assert (first.state().state, second.state().state) == ("running", "waiting")
    finally:
        os.kill(process.pid, signal.SIGCONT)
    assert process.wait(timeout=180) == 0
    assert other.wait(timeout=60) == 0
    assert (first.state().state, second.state().state) == ("done", "done")


def test_another_model_in_the_place_of_the_first_is_said(home) -> None:
    job = planned(home, official_rows(40), model="open-0000000000")
    assert run_job(job, home) == "failed"
    assert job.state().problem.kind == "changed" and "open-0000000000" in job.state().problem.text


def test_a_table_that_has_changed_is_said(home) -> None:
    job = planned(home, official_rows(40), rows=41)
    assert run_job(job, home) == "failed"
    assert job.state().problem.kind == "changed"


def test_a_table_that_breaks_off_says_the_line(home) -> None:
    job = planned(home, official_rows(40))
    with job.table.open("ab") as table:
        table.write(b"1,2,3,4,5,6,7,8\r\n")
    assert run_job(job, home) == "failed"
    problem = job.state().problem
    assert problem.kind == "table" and problem.details["line"] == 42 and "42" in problem.text


def test_a_zip_that_is_gone_is_said(home, tmp_path) -> None:
    rows = official_rows(40)
    pictures = pictures_zip(tmp_path / "p.zip", {official_names(rows)[0]: LAMP})
    job = planned(home, rows, pictures)
    pictures.unlink()
    assert run_job(job, home) == "failed"
    assert job.state().problem.kind == "pictures"
