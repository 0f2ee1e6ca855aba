"""``python -m model predict-test``: the challenge's test file answered, as the challenge wants it."""

import argparse
import csv
import errno
import io
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from model.evaluation.terminal import (
    EvaluationError,
    chosen_bundle,
    make_folder,
    run_told,
    unreadable_pictures,
    unwritable,
    write_whole,
)
from settings import settings

_DESCRIPTION = """Answers X_test_update.csv, pictures in images/image_test included, with the most probable category of
each row. OUT is the file that the challenge takes: a CSV with the test index (a column without name, as in the Y file
of the training rows) and prdtypecode, one line for each row of the test file, in its order."""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Adds the command to the parser of ``python -m model``."""
    parser = commands.add_parser("predict-test", help="answer the challenge's test file", description=_DESCRIPTION)
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder of the challenge's files, or a table of products")
    add("--out", type=Path, required=True, help="the file to write")
    add("--bundle", type=Path, help="folder of the model (default: the active one)")
    add("--images", type=Path, metavar="DIR", help="where the pictures are, if not beside the data")


def run(arguments: argparse.Namespace) -> int:
    """Writes the file; gives the exit status."""
    return run_told(_predict, arguments)


def _predict(arguments: argparse.Namespace) -> None:
    # Here, so that the parser of all commands is there at once.
    from model.evaluation.rows import answer, load
    from model.training.data import read_unlabelled

    out: Path = arguments.out
    make_folder(out.parent)
    if out.is_dir():
        raise unwritable(out, IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)))
    if out.exists() and arguments.data.exists() and out.samefile(arguments.data):
        raise EvaluationError("same_file", {"path": out})
    rows = read_unlabelled(arguments.data, arguments.images)
    if not rows:
        raise EvaluationError("no_rows", {"data": arguments.data.name})
    predictor = load(chosen_bundle(arguments), settings().home, len(rows))
    answers = answer(predictor, rows)
    codes = predictor.taxonomy.codes
    text = submission([row.id for row in rows], [codes[place] for place in answers.probabilities.argmax(axis=1)])
    write_whole(out, text)
    print(f"{len(rows)} rows answered by {predictor.bundle.version}, in {out}")
    if problems := [f"row {row.id}: {why}" for row, why in zip(rows, answers.unreadable, strict=True) if why]:
        print(unreadable_pictures(problems), file=sys.stderr)


def submission(ids: Sequence[str], codes: Iterable[int]) -> str:
    """The challenge's CSV; `EvaluationError` unless there is one code for each id."""
    answers = list(codes)
    if len(answers) != len(ids):
        raise EvaluationError("incomplete", {"answers": len(answers), "rows": len(ids)})
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([("", "prdtypecode"), *zip(ids, answers, strict=True)])
    return buffer.getvalue()
