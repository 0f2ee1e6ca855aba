"""What the command refuses, and how it says so: before anything is spent."""

import csv
from pathlib import Path

import pytest

from model.__main__ import main
from tests.model.made_up import write_official, write_table


@pytest.fixture
def made(tmp_path: Path) -> Path:
    write_official(tmp_path / "data", rows=120, codes=(10, 1560), pictures=0)
    return tmp_path / "data"


def run(data: Path, *more: str) -> int:
    return main(
        ["train", "--data", str(data), "--out", str(data.parent / "out"), "--work", str(data.parent / "work"), *more]
    )


def spoil(path: Path, change) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    change(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def test_check_says_what_can_be_trained_on(made: Path, capsys) -> None:
    assert run(made, "--check") == 0
    printed = capsys.readouterr()
    assert printed.out == "120 rows of 2 categories can be trained on\n"
    assert "Rows without description: " in printed.err and "the model will never answer them" in printed.err
    assert not (made.parent / "work").exists()


def test_a_nan_description_is_none(made: Path, capsys) -> None:
    spoil(made / "X_train_update.csv", lambda rows: [row.__setitem__(2, "NaN") for row in rows[1:]])
    assert run(made, "--check") == 0
    assert "Rows without description: 120." in capsys.readouterr().err


def test_a_duplicate_id_and_a_foreign_label_are_named(made: Path, capsys) -> None:
    def repeat(rows: list[list[str]]) -> None:
        rows[5][0] = rows[4][0]

    spoil(made / "X_train_update.csv", repeat)
    spoil(made / "Y_train_CVw08PX.csv", lambda rows: rows[8].__setitem__(1, "77"))
    assert run(made, "--check") == 1
    said = capsys.readouterr().err
    assert (
        "rows that share their id with another: 2" in said and "labels outside the taxonomy: 1" in said and "77" in said
    )
    assert "--leave-out-bad-rows" in said and "Traceback" not in said
    assert run(made, "--check", "--leave-out-bad-rows") == 0
    assert "Rows left out because of the problems they have" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--test-share", "0.9"), "--test-share must lie between 0 and 0.5, not 0.9"),
        (("--finetune-image", "40"), "--finetune-image must lie between 0 and 16, not 40"),
        (("--name", "../x"), "no name for a model"),
        (("--taxonomy", "README.md"), "is no taxonomy"),
        (("--start", "docs"), "docs"),
    ],
)
def test_what_cannot_be_done_is_said_first(made: Path, capsys, more: tuple[str, ...], said: str) -> None:
    assert run(made, *more) == 1
    assert said in capsys.readouterr().err
    assert not (made.parent / "out").exists()


def test_a_folder_of_other_things_is_not_written_over(made: Path, capsys) -> None:
    (made.parent / "out").mkdir()
    (made.parent / "out" / "letter.txt").write_text("dear")
    assert run(made) == 1
    assert "holds other things than a model" in capsys.readouterr().err
    assert (made.parent / "out" / "letter.txt").read_text() == "dear"


def test_nothing_but_a_whole_model_is_replaced(made: Path, capsys) -> None:
    out = made.parent / "out"
    out.mkdir()
    (out / "manifest.json").write_text('{"name": "a web page", "files": {}, "version": "web-1"}')
    (out / "thesis.txt").write_text("years")
    assert run(made) == 1 and (out / "thesis.txt").exists()
    assert run(made, "--out", "model/bundles/open") == 1
    assert "is a model in use" in capsys.readouterr().err
    assert run(made, "--out", ".") == 1 and run(made, "--seed", "-1") == 1


def test_too_little_is_refused(tmp_path: Path, capsys) -> None:
    write_table(tmp_path / "few.csv", rows=12, codes=(10, 1560), pictures=0)
    assert run(tmp_path / "few.csv") == 1
    assert "12 rows are too few" in capsys.readouterr().err
    write_table(tmp_path / "one.csv", rows=60, codes=(10,), pictures=0)
    assert run(tmp_path / "one.csv") == 1
    assert "All 60 rows are of one category" in capsys.readouterr().err


def test_an_empty_folder_is_told_what_it_lacks(tmp_path: Path, capsys) -> None:
    (tmp_path / "nothing").mkdir()
    assert run(tmp_path / "nothing") == 1
    assert "X_train_update.csv" in capsys.readouterr().err


def test_places_where_nothing_can_be_written_are_refused_first(made: Path, capsys) -> None:
    (made.parent / "file").write_text("")
    for option in ("--out", "--work"):
        assert run(made, option, str(made.parent / "file" / "below")) == 1
        assert f"name another place with {option}" in capsys.readouterr().err
    (made.parent / "link").symlink_to(made.parent)
    assert run(made, "--out", str(made.parent / "link")) == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_a_taxonomy_without_labels_is_refused_first(made: Path, capsys) -> None:
    (made.parent / "t.csv").write_text("code,label_fr,label_en,train_count,scope\n10,,,0,\n1560,a,b,0,\n")
    assert run(made, "--taxonomy", str(made.parent / "t.csv")) == 1
    assert "needs two labels" in capsys.readouterr().err
