"""The same results over Ray, on one machine and over a cluster, whatever happens to the processes at work."""

import os
import pickle
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from batch import distributed
from batch.classify import Done, Plan
from batch.jobs import Job
from batch.local import EngineError
from batch.picture_errors import PictureSourceError
from batch.runner import run_job
from batch.staging import Staging
from model.exported import export_folder
from preprocessing.columns import Columns
from settings import ROOT, SHIPPED_BUNDLE
from tests.batch.samples import LAMP, official_names, official_rows, pictures_zip, planned
from tests.batch.test_runner import start, wait_until

ROWS = official_rows(600)
LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """Pictures of some rows, one of them no picture."""
    names = official_names(ROWS)
    path = tmp_path_factory.mktemp("pictures") / "pictures.zip"
    return pictures_zip(path, dict.fromkeys(names[::30], LAMP) | {names[1]: b"no picture"})


@pytest.fixture(scope="module")
def local(exports, pictures, tmp_path_factory) -> Job:
    """The job as the engine of one machine does it."""
    job = planned(tmp_path_factory.mktemp("local"), ROWS, pictures)
    assert run_job(job, exports) == "done"
    return job


def below(pid: int, named: str) -> set[int]:
    """Processes that this one started, or that those started, by what their command line holds."""
    lines = subprocess.run(["ps", "-axo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    parents, found = {}, set()
    for line in lines.splitlines():
        child, parent, arguments = line.split(maxsplit=2)
        parents[int(child)] = int(parent)
        if named in arguments:
            found.add(int(child))

    def descends(child: int) -> bool:
        while child in parents and child != pid:
            child = parents[child]
        return child == pid

    return {child for child in found if descends(child)}


def workers(pid: int) -> set[int]:
    return below(pid, "ray::MapWorker")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def listening(pids: set[int]) -> set[str]:
    """Addresses, as the kernel writes them, on which these processes wait for connections."""
    links = {os.readlink(link) for pid in pids for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    rows = [line.split() for kind in ("tcp", "tcp6") for line in Path(f"/proc/net/{kind}").read_text().splitlines()]
    return {row[1].split(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in links}


def assert_same_parts(job: Job, other: Job) -> None:
    assert job.parts.written() == other.parts.written()
    for number in other.parts.written():
        assert job.parts.read(number).equals(other.parts.read(number)), f"part {number}"


@pytest.fixture
def ray_folder():
    """For Ray's sockets and logs; its path is short, as paths of sockets have to be."""
    folder = Path(tempfile.mkdtemp(prefix="ray"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


# --- on this machine ----------------------------------------------------------------------------------------------


def test_a_cancelled_job_goes_on_to_the_same_result(home, local, pictures, ray_folder, monkeypatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(ray_folder))
    monkeypatch.setenv("HOME", str(home))
    job = planned(home, ROWS, pictures, engine="ray", workers=2)
    process = start(job, home)
    wait_until(job.parts.written)
    at_work = workers(process.pid)
    assert 1 <= len(at_work) <= 2
    everything = below(process.pid, "ray")
    if sys.platform == "linux":
        addresses = listening({process.pid} | everything)
        assert addresses and addresses <= LOOPBACK
    job.cancel()
    process.wait(60)
    assert job.state().state == "cancelled"
    assert not [pid for pid in at_work if alive(pid)]
    wait_until(lambda: not any(map(alive, everything)), seconds=20)
    done = job.parts.written()
    assert 0 < len(done) < len(local.parts.written())
    written = {path: path.stat().st_mtime_ns for path in Path(job.parts.place).glob("*.parquet")}

    for name in ("cancel", "ended.json"):
        (job.folder / name).unlink()
    assert start(job, home).wait(180) == 0
    state = job.state()
    assert (state.state, state.done, state.pictures) == ("done", len(ROWS), local.state().pictures)
    assert_same_parts(job, local)
    assert {path: path.stat().st_mtime_ns for path in written} == written, "what was there was not classified again"
    assert not (Path(job.parts.place) / "rows").exists()
    assert not (home / ".ray").exists(), "Ray keeps nothing in the home folder"


# --- over a cluster -----------------------------------------------------------------------------------------------


@pytest.fixture
def cluster(ray_folder, monkeypatch):
    """The process and the folder of a Ray cluster of two cores, for whatever this test starts."""
    folder = ray_folder
    for name, value in {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # loopback, see batch.distributed
        "RAY_USAGE_STATS_ENABLED": "0",
    }.items():
        monkeypatch.setenv(name, value)
    command = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--block", "--port=0", "--num-cpus=2"]
    command += ["--node-ip-address=127.0.0.1", "--include-dashboard=false", "--object-store-memory=400000000"]
    process = subprocess.Popen(
        [*command, f"--temp-dir={folder}"], cwd=folder, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        address = wait_until((folder / "ray_current_cluster").exists) and (folder / "ray_current_cluster").read_text()
        monkeypatch.setenv("RAY_ADDRESS", address)
        yield process, folder
    finally:
        started = below(process.pid, "")
        for pid in started:
            with suppress(ProcessLookupError):  # ended by itself meanwhile
                os.kill(pid, signal.SIGKILL)
        process.wait()
        wait_until(lambda: not any(map(alive, started)), seconds=20)


def test_a_killed_worker_of_a_cluster_costs_no_row_and_doubles_none(home, local, pictures, cluster, tmp_path) -> None:
    head, folder = cluster
    storage = (tmp_path / "shared").as_uri()
    job = planned(home, ROWS, pictures, engine="ray", workers=2, storage=storage)
    process = start(job, home)
    wait_until(lambda: len(job.parts.written()) >= 2)
    killed = workers(head.pid).pop()
    os.kill(killed, signal.SIGKILL)
    assert len(job.parts.written()) < len(local.parts.written()), "killed in the middle of it"
    assert process.wait(180) == 0
    state = job.state()
    assert (state.state, state.done, state.pictures) == ("done", len(ROWS), local.state().pictures)
    assert_same_parts(job, local)
    assert not workers(head.pid)
    assert not (tmp_path / "shared" / "rows").exists()

    [model] = folder.glob("session_2*/rayon/*/")
    assert model.name == export_folder(SHIPPED_BUNDLE, home).name
    for part, source in (("bundle", SHIPPED_BUNDLE), ("export", export_folder(SHIPPED_BUNDLE, home))):
        assert {file.name: file.stat().st_size for file in (model / part).iterdir()} == {
            file.name: file.stat().st_size for file in source.iterdir()
        }
    [code] = folder.glob("session_2*/runtime_resources/working_dir_files/*/")
    taken = {path.name for path in code.iterdir()} - {"__pycache__"}  # which the workers make
    assert taken == {"batch", "model", "preprocessing", "settings.py"}
    assert not (code / "model" / "bundles").exists()


def test_a_cluster_that_does_not_answer_is_said_at_once() -> None:
    began = time.monotonic()
    with pytest.raises(EngineError, match=r"127\.0\.0\.1:1 cannot be joined.*refused"):
        distributed._connect(None, "127.0.0.1:1", 2)
    with pytest.raises(EngineError, match="run this on one of its machines"):
        distributed._connect(None, "ray://somewhere:10001", 2)
    assert time.monotonic() - began < 5


# --- what goes wrong ----------------------------------------------------------------------------------------------


@pytest.fixture
def plan(home, tmp_path) -> Plan:
    export = export_folder(SHIPPED_BUNDLE, home)
    columns = Columns(designation="designation")
    return Plan(str(SHIPPED_BUNDLE), str(export), ("designation",), columns, None, str(tmp_path / "parts"))


@pytest.fixture
def no_changes_of_the_environment(monkeypatch):
    monkeypatch.setattr(os, "environ", os.environ.copy())


def test_without_ray_it_is_said_how_to_get_it(plan, monkeypatch, no_changes_of_the_environment) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(EngineError, match=r"needs Ray Data.*make ray.*pip install -r requirements-ray\.txt"):
        next(distributed.run_ray(plan, [(0, [["chaise"]])]))
    assert "ray==" not in (ROOT / "requirements.txt").read_text()
    assert "ray[data]==" in (ROOT / "requirements-ray.txt").read_text()


def answer(plan: Plan, number: int) -> object:
    return pickle.loads(distributed._Classify(plan, [])({"number": number})["outcome"])


def test_a_worker_hands_its_errors_back(plan) -> None:
    list(Staging(plan.parts).write([(0, [["chaise"], ["table"]])]))
    done = answer(plan, 0)
    assert (done.number, done.rows, done.pictures) == (0, 2, {"": 2})
    assert sum(number for one, number in done.observed.items() if one[0] == "inputs") == 2
    refused = answer(replace(plan, pictures=str(ROOT / "nowhere")), 0)
    assert isinstance(refused, PictureSourceError) and refused.reason == "not_found"
    assert "open_pictures" in refused.__notes__[0]
    unseen = answer(plan, 1)
    assert isinstance(unseen, EngineError) and "a place that all machines reach" in str(unseen)


def test_an_error_that_cannot_travel_is_told_in_words() -> None:
    class Local(Exception):
        pass

    found = pickle.loads(distributed._pickled(Local("no disk")))
    assert isinstance(found, EngineError) and str(found) == "Local: no disk"


class Rounds(distributed._Run):
    """Rounds without Ray: what each of them finishes is given."""

    def __init__(self, *finished: set[int]) -> None:
        self._finished = iter(finished)
        self.asked = []

    def _events(self, numbers):
        self.asked.append(numbers)
        yield None
        for number in next(self._finished) & set(numbers):
            yield Done(number, 1, {}, {})


def test_what_a_round_leaves_is_tried_again() -> None:
    rounds = Rounds({0, 1}, set(), set(), {2}, set(), {3})
    done = [event.number for event in rounds.run({0, 1, 2, 3}) if event]
    assert done == [0, 1, 2, 3]
    assert rounds.asked == [[0, 1, 2, 3], [2, 3], [2, 3], [2, 3], [3], [3]]


def test_a_chunk_that_kills_every_worker_ends_the_work_after_all_others() -> None:
    rounds, done = Rounds({0, 2}, set(), set(), set()), []
    with pytest.raises(EngineError, match=r"killed .* is memory short"):
        done.extend(event.number for event in rounds.run({0, 1, 2}) if event)
    assert done == [0, 2] and len(rounds.asked) == 4


# --- the table beside the parts -----------------------------------------------------------------------------------


def test_staged_rows_come_back_as_they_were(tmp_path) -> None:
    rows = [["", "é\n\"'", "007"], ["=1+1", "🪑", " x "]]
    staging = Staging((tmp_path / "p").as_uri() + "/")
    assert list(staging.write((n, rows) for n in range(30))) == list(range(30))
    assert staging.read(0) == staging.read(29) == rows
    staging.remove()
    assert list((tmp_path / "p").iterdir()) == []
    staging.remove()


def test_chunks_are_not_read_far_ahead(tmp_path) -> None:
    read = []
    chunks = ((read.append(n) or n, [["x"]]) for n in range(1000))
    writing = Staging(str(tmp_path / "p")).write(chunks)
    next(writing)
    assert len(read) < 20
    writing.close()
