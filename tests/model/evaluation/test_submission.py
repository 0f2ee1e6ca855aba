"""The file that the challenge takes."""

import csv

import pytest

from model.evaluation.submission import submission
from model.evaluation.terminal import EvaluationError
from model.taxonomy import default_taxonomy
from tests.model.evaluation.commands import run
from tests.model.made_up import write_official


def test_the_format():
    assert submission(["84916", "84917", 'a,"b'], [10, 2905, 40]) == (
        ',prdtypecode\n84916,10\n84917,2905\n"a,""b",40\n'
    )


@pytest.mark.parametrize("codes", [[10], [10, 10, 10]])
def test_as_many_answers_as_rows(codes):
    with pytest.raises(EvaluationError, match=f"{len(codes)} answers for 2 rows"):
        submission(["1", "2"], codes)


def test_predict_test(at_home, official, tmp_path, capsys):
    out = tmp_path / "new" / "submission.csv"
    assert run("predict-test", "--data", official, "--out", out) == 0
    with out.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    with (official / "X_test_update.csv").open(encoding="utf-8", newline="") as file:
        ids = [row[0] for row in csv.reader(file)][1:]
    assert header == ["", "prdtypecode"] and [row[0] for row in rows] == ids and len(ids) == 12
    assert {int(code) for _, code in rows} <= set(default_taxonomy().codes) and len({code for _, code in rows}) > 4
    said = capsys.readouterr()
    assert "12 rows answered by open-" in said.out and "without: 1\n- row " in said.err
    assert [path.name for path in out.parent.iterdir()] == ["submission.csv"]


@pytest.mark.parametrize("out", ["X_test_update.csv/submission.csv", "images"])
def test_a_place_that_cannot_be_written(at_home, official, out, capsys):
    assert run("predict-test", "--data", official, "--out", official / out) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_the_table_is_not_replaced(at_home, official, capsys):
    table = official / "X_test_update.csv"
    before = table.read_bytes()
    assert run("predict-test", "--data", table, "--out", table) == 1
    assert "is what is read" in capsys.readouterr().err and table.read_bytes() == before


def test_without_a_test_file(at_home, tmp_path, capsys):
    write_official(tmp_path / "data", rows=27, pictures=0, test_rows=0)
    assert run("predict-test", "--data", tmp_path / "data", "--out", tmp_path / "out.csv") == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ") and "X_test_update.csv" in said and not (tmp_path / "out.csv").exists()


def test_a_test_file_without_rows(at_home, tmp_path, capsys):
    write_official(tmp_path / "data", rows=27, pictures=0, test_rows=1)
    table = tmp_path / "data" / "X_test_update.csv"
    table.write_text(table.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    assert run("predict-test", "--data", tmp_path / "data", "--out", tmp_path / "out.csv") == 1
    assert "error: " in capsys.readouterr().err and not (tmp_path / "out.csv").exists()
