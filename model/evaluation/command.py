"""``python -m model evaluate``: how good a model is on labelled rows that it was not trained on."""

import argparse
import json
from pathlib import Path

from model.evaluation.page import page
from model.evaluation.summary import summary
from model.evaluation.terminal import EvaluationError, chosen_bundle, make_folder, run_told, write_whole

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
    from model.bundle import add_report, read_manifest, read_taxonomy
    from model.evaluation.measure import measure
    from model.evaluation.unseen import read_unseen

    bundle, everything = chosen_bundle(arguments), arguments.part == "all"
    data = read_unseen(arguments.data, bundle, arguments.images, arguments.leave_out_bad_rows, everything)
    out: Path = arguments.out or Path(f"evaluation-{read_manifest(bundle)['version']}")
    if out.resolve().is_relative_to(bundle.resolve()):
        raise EvaluationError("in_bundle", {"path": out})
    make_folder(out)
    found = measure(
        bundle,
        data.examples,
        command=f"python -m model evaluate --data {data.name}{' --part all' if everything else ''}",
        data={"name": data.name, "fingerprint": data.fingerprint, "left_out": dict(data.left_out)},
        caution=data.caution,
    )
    as_json = json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_whole(out / "report.json", as_json)
    write_whole(out / "report.html", page(found, read_taxonomy(bundle)))
    if arguments.into_bundle:
        add_report(bundle, "metrics", found)
    print(as_json if arguments.json else f"{summary(found)}\n\nAll of it: {out / 'report.html'}")
