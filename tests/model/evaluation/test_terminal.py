"""What goes wrong is told on stderr, and by the exit status."""

import argparse
import importlib

import pytest

from model.bundle import BundleError
from model.evaluation.terminal import EvaluationError, run_told, unreadable_pictures, write_whole


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (EvaluationError("no_rows", {"data": "x.csv"}), 1, "error: x.csv has no rows to answer"),
        (BundleError("open: refused"), 1, "error: open: refused"),
        (KeyboardInterrupt(), 130, "error: interrupted"),
    ],
)
def test_errors(error, status, said, capsys):
    def work(_arguments):
        raise error

    assert run_told(work, argparse.Namespace()) == status
    assert capsys.readouterr().err.startswith(said)


def test_a_package_that_is_not_installed(capsys):
    assert run_told(lambda _: importlib.import_module("no_such_package"), argparse.Namespace()) == 1
    assert "no_such_package is not installed" in capsys.readouterr().err


def test_only_the_first_pictures_are_named():
    said = unreadable_pictures([f"row {i}: damaged" for i in range(7)]).splitlines()
    assert said[0].endswith("without: 7") and said[1] == "- row 0: damaged" and said[-1] == "- and 2 more"
    assert len(said) == 7


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    (tmp_path / "a").write_text("old", encoding="utf-8")
    with pytest.raises(UnicodeEncodeError):
        write_whole(tmp_path / "a", "new \ud800")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    write_whole(tmp_path / "a", "é\n")
    assert (tmp_path / "a").read_bytes() == "é\n".encode()
