"""The command line: from a file to a file, and every way it can end."""

import csv
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from batch import command, terminal
from batch.jobs import Job
from batch.output import OURS
from batch.runner import STARTS
from batch.terminal import FAILED, INPUT, INTERRUPTED, MODEL, OK, OUTPUT, USAGE
from settings import ROOT, settings
from tests.batch.samples import HEADER, LAMP, official_names, official_rows, pictures_zip, table_bytes
from tests.batch.test_runner import wait_until, workers


@pytest.fixture
def run(home, monkeypatch):
    """The command in this process, with a home of its own."""
    here = replace(settings(), home=home)
    for module in (command, terminal):
        monkeypatch.setattr(module, "settings", lambda: here)
    # One worker is enough for so few rows, and starts in half the time of two.
    return lambda *arguments: command.main(["classify", "--workers", "1", *map(str, arguments), "--quiet"])


@pytest.fixture
def table(tmp_path) -> Path:
    path = tmp_path / "in.csv"
    path.write_bytes(table_bytes(official_rows(60)))
    return path


def read(path: Path, **options) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, **options))


def process(home: Path, *arguments: object) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "batch", "classify", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"RAYON_HOME": str(home)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell that starts the tests in the background makes all below deaf to interrupts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def test_every_row_and_column_comes_back_with_ours_behind(run, table, tmp_path) -> None:
    out = tmp_path / "out.csv"
    assert run(table, "--out", out) == OK
    [header, *rows] = read(out)
    assert header == [*HEADER, *OURS]
    assert [row[: len(HEADER)] for row in rows] == official_rows(60)
    assert all(row[header.index("rayon_code")] == row[HEADER.index("prdtypecode")] for row in rows)
    assert not (tmp_path / "out.csv.rayon").exists()


def test_a_result_can_be_classified_again(run, table, tmp_path) -> None:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    assert run(table, "--out", first, "--format", "csv-excel") == OK
    assert run(first, "--out", second, "--format", "csv-excel") == OK
    assert second.read_bytes() == first.read_bytes()


def test_pictures_from_a_folder_and_from_a_zip_are_the_same(run, tmp_path) -> None:
    rows = [[*row[:1], "", "", *row[3:]] for row in official_rows(40)]
    table = tmp_path / "in.csv"
    table.write_bytes(table_bytes(rows))
    names = official_names(rows)[::2]
    archive = pictures_zip(tmp_path / "p.zip", {f"images/image_train/{name}": LAMP for name in names})
    folder = tmp_path / "images" / "image_train"
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_bytes(LAMP)
    assert run(table, "--images", archive, "--out", tmp_path / "zip.csv") == OK
    assert run(table, "--images", tmp_path / "images", "--out", tmp_path / "folder.csv") == OK
    [header, *found] = read(tmp_path / "zip.csv")
    assert found == read(tmp_path / "folder.csv")[1:]
    inputs = [row[header.index("rayon_inputs")] for row in found]
    assert inputs == ["image", "none"] * 20


def test_jobs_share_a_storage_without_mixing_and_leave_nothing_there(run, table, tmp_path) -> None:
    storage, other = tmp_path / "storage", tmp_path / "other.csv"
    other.write_bytes(table_bytes([[*row[:1], "Paris Match n° 12", *row[2:]] for row in official_rows(60)]))
    for place in (f"file://{storage}", str(storage)):
        assert run(table, "--out", tmp_path / "out.csv", "--storage", place) == OK
        assert run(other, "--out", tmp_path / "others.csv", "--storage", place) == OK
        [header, *rows] = read(tmp_path / "others.csv")
        assert {row[header.index("rayon_code")] for row in rows} == {"2280"}
        assert list(storage.iterdir()) == []


def test_a_killed_run_is_gone_on_by_the_same_command(home, tmp_path) -> None:
    rows = official_rows(960)
    table, out = tmp_path / "in.csv", tmp_path / "out.csv"
    table.write_bytes(table_bytes(rows))
    job = Job(tmp_path / "out.csv.rayon")
    running = process(home, table, "--out", out, "--workers", 2)
    wait_until(lambda: (job.folder / "parts").is_dir() and len(job.parts.written()) >= 3)
    running.kill()
    running.wait()
    done = job.parts.written()
    assert 3 <= len(done) < 30 and not out.exists()
    part = job.folder / "parts" / f"part-{min(done):08}.parquet"
    stamp = part.stat().st_mtime_ns
    again = process(home, table, "--out", out, "--workers", 2)
    assert wait_until(lambda: len(job.parts.written()) > len(done))
    assert part.stat().st_mtime_ns == stamp
    assert again.wait(timeout=180) == OK
    assert [row[: len(HEADER)] for row in read(out)[1:]] == rows


def test_an_interrupt_says_how_to_go_on_and_leaves_no_process(home, tmp_path) -> None:
    table = tmp_path / "in.csv"
    table.write_bytes(table_bytes(official_rows(960)))
    job = Job(tmp_path / "out.csv.rayon")
    running = process(home, table, "--out", tmp_path / "out.csv")
    wait_until(lambda: (job.folder / "parts").is_dir() and job.parts.written())
    below = workers(running.pid)
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=30)
    assert running.returncode == INTERRUPTED and "the same command goes on" in said and "Traceback" not in said
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in below), seconds=10)


def test_an_interrupted_run_with_other_settings_is_not_mixed_up(run, table, tmp_path, capsys, monkeypatch) -> None:
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(terminal, "run_job", interrupted)
        assert run(table, "--out", tmp_path / "out.csv") == INTERRUPTED
    assert run(table, "--out", tmp_path / "out.csv", "--designation", "description") == USAGE
    assert "columns" in (said := capsys.readouterr().err) and "--restart" in said
    table.write_bytes(table_bytes(official_rows(61)))
    assert run(table, "--out", tmp_path / "out.csv") == USAGE
    assert "content of IN" in capsys.readouterr().err
    assert run(table, "--out", tmp_path / "out.csv", "--restart") == OK
    assert len(read(tmp_path / "out.csv")) == 62


def test_what_is_not_complete_is_not_written(run, table, tmp_path, capsys, monkeypatch) -> None:
    out = tmp_path / "out.csv"
    out.write_text("an earlier result")
    monkeypatch.setattr(terminal, "run_job", lambda *_, **__: "cancelled")
    assert run(table, "--out", out) == FAILED
    assert "the same command goes on" in capsys.readouterr().err
    monkeypatch.setattr(terminal, "run_job", lambda *_, **__: "done")  # as if parts had been taken away
    assert run(table, "--out", out) == OUTPUT
    assert "has 0 rows and the table 60" in capsys.readouterr().err
    assert out.read_text() == "an earlier result"


def test_parts_without_a_plan_are_not_taken_for_this_job(run, table, tmp_path) -> None:
    parts = Job(tmp_path / "out.csv.rayon").parts.create()
    (Path(parts.place) / "part-00000000.parquet").write_bytes(b"of another time")
    assert run(table, "--out", tmp_path / "out.csv") == OK
    assert len(read(tmp_path / "out.csv")) == 61


def test_a_result_at_work_is_not_touched_by_another_run(run, table, tmp_path, capsys) -> None:
    with Job(tmp_path / "out.csv.rayon").lock:
        for options in ([], ["--restart"]):
            assert run(table, "--out", tmp_path / "out.csv", *options) == USAGE
            assert "another process is at work" in capsys.readouterr().err


def test_many_interrupts_do_not_use_up_the_patience(run, table, tmp_path, monkeypatch) -> None:
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("batch.runner.run_local", interrupted)
        for _ in range(STARTS + 1):
            assert run(table, "--out", tmp_path / "out.csv") == INTERRUPTED
    assert run(table, "--out", tmp_path / "out.csv") == OK


def test_pictures_replaced_between_two_runs_are_not_mixed(run, table, tmp_path, capsys, monkeypatch) -> None:
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    archive = pictures_zip(tmp_path / "p.zip", dict.fromkeys(official_names(official_rows(9)), LAMP))
    with monkeypatch.context() as patch:
        patch.setattr(terminal, "run_job", interrupted)
        assert run(table, "--images", archive, "--out", tmp_path / "out.csv") == INTERRUPTED
    pictures_zip(archive, dict.fromkeys(official_names(official_rows(5)), LAMP))
    assert run(table, "--images", archive, "--out", tmp_path / "out.csv") == USAGE
    assert "content of pictures" in capsys.readouterr().err


def test_pictures_that_no_column_names_are_not_left_out_in_silence(run, tmp_path, capsys) -> None:
    table = tmp_path / "in.csv"
    table.write_bytes(b"designation\nlampe\n")
    archive = pictures_zip(tmp_path / "p.zip", {"a.png": LAMP})
    assert run(table, "--images", archive, "--out", tmp_path / "out.csv") == USAGE
    assert "--image" in capsys.readouterr().err


def test_a_storage_without_its_driver_says_so_and_keeps_nothing_back(run, table, tmp_path, capsys) -> None:
    assert run(table, "--out", tmp_path / "out.csv", "--storage", "nowhere://x") == USAGE
    assert "--storage" in capsys.readouterr().err
    assert run(table, "--out", tmp_path / "out.csv") == OK


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["{in}", "--out", "{dir}/out.doc"], USAGE, "--format"),
        (["{dir}/nothing.csv", "--out", "{dir}/o.csv"], USAGE, "there is no file"),
        (["{in}", "--out", "{dir}/o.csv", "--designation", "titel"], USAGE, "there is no column 'titel'"),
        (["{in}", "--out", "{dir}/o.csv", "--delimiter", "x"], USAGE, "--delimiter"),
        (["{in}", "--out", "{dir}/o.csv", "--sheet", "x"], USAGE, "--sheet"),
        (["{in}", "--out", "{dir}/o.csv", "--workers", "0"], USAGE, "--workers"),
        (["{in}", "--out", "{dir}/o.csv", "--images", "{in}"], INPUT, "not a ZIP"),
        (["{in}", "--out", "{dir}/o.csv", "--images", "{dir}/none.zip"], INPUT, "no folder and no ZIP"),
        (["{ragged}", "--out", "{dir}/o.csv"], INPUT, "Line 3"),
        (["{empty}", "--out", "{dir}/o.csv"], INPUT, "empty"),
        (["{numbers}", "--out", "{dir}/o.csv"], USAGE, "no column holds a designation"),
        (["{in}", "--out", "{in}"], USAGE, "take the place of IN"),
        (["{in}", "--out", "{dir}/none/o.csv"], USAGE, "there is no folder"),
        (["{in}", "--out", "{dir}/o.csv", "--bundle", "{dir}"], MODEL, "not a bundle"),
        (["{in}", "--out", "{dir}"], USAGE, "--format"),
        (["{in}", "--out", "{dir}", "--format", "csv"], USAGE, "no file that could be replaced"),
        (["{in}", "--out", "{dir}/o.csv", "--bundle", "{in}"], MODEL, "not a bundle"),
        (["{noid}", "--out", "{dir}/o.csv", "--format", "submission"], OUTPUT, "id"),
    ],
    ids=lambda value: None if isinstance(value, int) else str(value)[:60],
)
def test_what_cannot_be_done_is_said_and_has_a_status(run, table, tmp_path, capsys, options, status, words) -> None:
    files = {"in": table, "dir": tmp_path}
    for name, data in {
        "ragged": b"designation,description\na,b\na,b,c\n",
        "empty": b"",
        "numbers": b"weight,price\n1,2\n",
        "noid": b"designation\nlampe\n",
    }.items():
        files[name] = tmp_path / f"{name}.csv"
        files[name].write_bytes(data)
    assert run(*(option.format(**files) for option in options)) == status
    said = capsys.readouterr().err
    assert said.startswith("error: ") and words in said and "Traceback" not in said
    assert not (tmp_path / "o.csv").exists()


def test_help_explains_the_statuses() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "batch", "classify", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "exit status" in done.stdout and str(INTERRUPTED) in done.stdout
