"""``python -m model evaluate``: how good a model is on labelled rows that it was not trained on."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model.evaluation.page import page
from model.evaluation.report import About, report
from model.evaluation.summary import summary
from model.evaluation.terminal import (
    EvaluationError,
    chosen_bundle,
    make_folder,
    run_told,
    unreadable_pictures,
    write_whole,
)
from settings import settings

if TYPE_CHECKING:
    from model.evaluation.rows import Answers
    from model.evaluation.unseen import MeasuredData

_DESCRIPTION = """Measures a model on labelled data: the challenge's folder, a table, or exported decisions. Rows whose
text the model was trained on are left out. Writes report.json and report.html; changes the model only when told so by
--into-bundle."""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Adds the command to the parser of ``python -m model``."""
    parser = commands.add_parser("evaluate", help="measure a model on labelled data", description=_DESCRIPTION)
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder of the challenge's files, or a labelled table")
    add("--bundle", type=Path, help="folder of the model (default: the active one)")
    add("--images", type=Path, metavar="DIR", help="where the pictures are, if not beside the data")
    add("--out", type=Path, metavar="DIR", help="where the report goes (default: evaluation-VERSION, here)")
    add("--part", choices=("test", "all"), default="test", help="all: rows it was trained on, too (default: test)")
    add("--leave-out-bad-rows", action="store_true", help="go on without the rows that cannot be used")
    add("--into-bundle", action="store_true", help="put the report into the model, in the place of its own")
    add("--json", action="store_true", help="print the report as JSON, not the summary")


def run(arguments: argparse.Namespace) -> int:
    """Measures and writes the report; gives the exit status."""
    return run_told(_evaluate, arguments)


def _evaluate(arguments: argparse.Namespace) -> None:
    # Here, so that the parser of all commands is there at once.
    from model.bundle import add_report, refusing
    from model.evaluation.languages import LANGUAGE_BY, language_of
    from model.evaluation.rows import answer, load
    from model.evaluation.unseen import read_unseen

    bundle, everything = chosen_bundle(arguments), arguments.part == "all"
    data = read_unseen(arguments.data, bundle, arguments.images, arguments.leave_out_bad_rows, everything)
    predictor = load(bundle, settings().home)
    taxonomy, decided = predictor.taxonomy, predictor.bundle.manifest["settings"]
    with refusing(bundle):
        quantile, coverage = float(decided["conformal_quantile"]), float(decided["coverage"])
    out: Path = arguments.out or Path(f"evaluation-{predictor.bundle.version}")
    if out.resolve().is_relative_to(bundle.resolve()):
        raise EvaluationError("in_bundle", {"path": out})
    make_folder(out)
    answers = answer(predictor, data.examples, language_of)
    about = About(
        command=f"python -m model evaluate --data {data.name}{' --part all' if everything else ''}",
        model=predictor.bundle.version,
        data=_described(data, answers),
        caution=data.caution,
        language_by=LANGUAGE_BY,
    )
    found = report(
        answers.probabilities,
        np.array([taxonomy.index(row.code) for row in data.examples]),
        taxonomy.codes,
        answers.facts,
        about,
        quantile=quantile,
        coverage=coverage,
        same_rows=answers.same_rows,
    )
    as_json = json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_whole(out / "report.json", as_json)
    write_whole(out / "report.html", page(found, taxonomy))
    if arguments.into_bundle:
        add_report(bundle, "metrics", found)
    print(as_json if arguments.json else f"{summary(found)}\n\nAll of it: {out / 'report.html'}")


def _described(data: "MeasuredData", answers: "Answers") -> dict[str, Any]:
    """What the report says of the data; pictures that cannot be read are told on stderr, too."""
    unreadable = [f"row {row.id}: {why}" for row, why in zip(data.examples, answers.unreadable, strict=True) if why]
    if unreadable:
        print(unreadable_pictures(unreadable), file=sys.stderr)
    return {
        "name": data.name,
        "rows": len(data.examples),
        "fingerprint": data.fingerprint,
        "left_out": dict(data.left_out),
        "notices": {"unreadable_pictures": len(unreadable)},
    }
