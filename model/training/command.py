"""``python -m model train``: from labelled products to a bundle with its report."""

import argparse
import re
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, ClassVar

from filelock import Timeout

from model.bundle_files import BundleError, read_checked
from model.taxonomy import DEFAULT_PATH, Taxonomy
from preprocessing.errors import InputError
from settings import SHIPPED_BUNDLE, settings

if TYPE_CHECKING:
    from model.training.train import Training

_DESCRIPTION = """Trains a model. DATA is the folder of the challenge's files as delivered, a labelled table (CSV, TSV,
XLSX, Parquet), or exported decisions; its pictures may all be there, in part, or not at all. The files are checked
first. Stages are kept, so that the same command goes on after a stop. docs/training.md says more."""


class TrainingError(InputError):
    """What is asked for cannot be trained or written."""

    SENTENCES: ClassVar = {
        "taxonomy": "{path} is no taxonomy: {error}. Its columns are code, label_fr, label_en, train_count, scope.",
        "not_a_bundle": "{path} is there already and holds other things than a model: name another place with --out.",
        "name": "{name} is no name for a model: use lower-case letters, digits, dots and dashes, at most 40.",
        "few_rows": "{rows} rows are too few to train on: {fewest} are needed.",
        "unwritable": "Nothing can be written to {path} ({error}): name another place with --{option}.",
        "in_service": "{path} is a model in use: name another place with --out, and install what is trained there.",
        "seed": "--seed must lie between 0 and 2147483647, not {seed}.",
        "one_category": "All {rows} rows are of one category: two are needed at least.",
        "busy": "Another training is at work in {path}: wait for it, or name another place with --work.",
        "link": "{path} is a link: name the folder itself with --out.",
        "system": "The training stopped: {error}. What was done is kept; the same command goes on from there.",
        "share": "--test-share must lie between 0 and 0.5, not {share}.",
        "blocks": "--finetune-image must lie between 0 and 16, not {blocks}.",
    }


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Adds the command to the parser of ``python -m model``."""
    parser = commands.add_parser("train", help="train a model on labelled products", description=_DESCRIPTION)
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder of the challenge's files, a labelled table, or decisions")
    add("--out", type=Path, required=True, metavar="BUNDLE", help="folder the model is written to")
    add("--images", type=Path, metavar="DIR", help="where the pictures are, if not beside the data")
    add("--taxonomy", type=Path, default=DEFAULT_PATH, help="CSV of the categories (default: the 27 of the challenge)")
    add("--name", default="full", help="begins the model's version (default: full)")
    add("--test-share", type=float, default=0.1, help="share of the rows kept for the test (default: 0.1)")
    add("--seed", type=int, default=20, help="of the split and of everything drawn (default: 20)")
    add("--finetune-image", type=int, default=0, metavar="N", help="fit the backbone's last N blocks, too; for a GPU")
    add("--no-corpus", action="store_true", help="leave the open corpus out, which helps where rows are few")
    add("--leave-out-bad-rows", action="store_true", help="go on without the rows that cannot be used")
    add("--start", type=Path, default=SHIPPED_BUNDLE, metavar="BUNDLE", help="the model whose parts it starts from (default: the one that ships)")  # fmt: skip  # noqa: E501
    add("--work", type=Path, default=settings().home / "train", metavar="DIR", help="where stages are kept")
    add("--check", action="store_true", help="only check the data")


def run(arguments: argparse.Namespace) -> int:
    """Trains, measures, writes the bundle; gives the exit status."""
    from model.evaluation.terminal import run_told

    return run_told(_told, arguments)


def _told(arguments: argparse.Namespace) -> None:
    try:
        _train(arguments)
    except OSError as error:  # a full disk, a folder that went away
        raise TrainingError("system", {"error": error}) from error


def _train(arguments: argparse.Namespace) -> None:
    from model.training.data import NOTICES, read_labelled
    from model.training.recipe import Recipe
    from model.training.train import Request, Training

    _check(arguments)
    taxonomy_csv, taxonomy = _taxonomy(arguments.taxonomy)
    data = read_labelled(arguments.data, taxonomy, arguments.leave_out_bad_rows, arguments.images)
    for name, count in data.notices.items():
        _say(NOTICES[name].format(count=f"{count:,}"))
    codes = {example.code for example in data.examples}
    if len(codes) < 2:
        raise TrainingError("one_category", {"rows": len(data.examples)})
    if len(data.examples) < Training.FEWEST:
        raise TrainingError("few_rows", {"rows": len(data.examples), "fewest": Training.FEWEST})
    if missing := sorted(set(taxonomy.codes) - codes):
        _say(f"No row has the categories {', '.join(map(str, missing))}: the model will never answer them.")
    if arguments.check:
        print(f"{len(data.examples):,} rows of {len(codes)} categories can be trained on")
        return
    recipe = Recipe(seed=arguments.seed, test_share=arguments.test_share, finetune_image=arguments.finetune_image)
    if arguments.no_corpus:
        recipe = replace(recipe, company_weights=(0.0,))
    request = Request(data, taxonomy, taxonomy_csv, arguments.start, arguments.work, arguments.name)
    try:
        training = Training(request, recipe, _say)
    except Timeout as error:
        raise TrainingError("busy", {"path": arguments.work}) from error
    manifest = training.run(arguments.out)
    _measure(training, arguments)
    print(f"{manifest['version']} in {arguments.out}")
    _say(f"To use it: python -m model bundle install {arguments.out} --activate")


def _measure(training: "Training", arguments: argparse.Namespace) -> None:
    """Smoke predictions and the report on the test rows, into the bundle."""
    from model.bundle import add_report
    from model.evaluation.measure import measure
    from model.evaluation.summary import summary
    from model.smoke import add_smoke

    add_smoke(arguments.out)
    test = [row for row, held in zip(training.request.data.examples, training.parting.test, strict=True) if held]
    if not test:
        _say("No rows were kept for a test, so the model has no report: python -m model evaluate makes one.")
        return
    found = measure(
        arguments.out,
        test,
        command=f"python -m model train --data {arguments.data.resolve().name}",
        data={
            "name": f"{arguments.data.resolve().name}, test part",
            "fingerprint": training.fingerprint,
            "left_out": {"trained_on": len(training.examples)},
        },
        caution=None,
    )
    add_report(arguments.out, "metrics", found)
    print(summary(found))


def _check(arguments: argparse.Namespace) -> None:
    """`TrainingError` for what could not end well, before hours are spent."""
    if arguments.out.is_symlink():
        raise TrainingError("link", {"path": arguments.out})
    out = arguments.out = arguments.out.resolve()
    if out in (SHIPPED_BUNDLE.resolve(), arguments.start.resolve()) or out.is_relative_to(settings().home / "models"):
        raise TrainingError("in_service", {"path": out})
    if out.exists() and not _is_empty_or_bundle(out):
        raise TrainingError("not_a_bundle", {"path": out})
    if not 0 <= arguments.seed < 2**31:
        raise TrainingError("seed", {"seed": arguments.seed})
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,39}", arguments.name):
        raise TrainingError("name", {"name": repr(arguments.name)})
    if not 0 <= arguments.test_share <= 0.5:
        raise TrainingError("share", {"share": arguments.test_share})
    if not 0 <= arguments.finetune_image <= 16:
        raise TrainingError("blocks", {"blocks": arguments.finetune_image})
    if not arguments.check:
        for option, folder in (("out", out.absolute().parent), ("work", arguments.work)):
            _try_to_write(option, folder)


def _is_empty_or_bundle(folder: Path) -> bool:
    """Whether nothing is lost when the folder is replaced: it is empty, or a whole model and nothing else."""
    if not folder.is_dir() or not any(folder.iterdir()):
        return folder.is_dir() and folder.resolve() != Path.cwd()
    try:
        read_checked(folder)
    except BundleError:
        return False
    return True


def _try_to_write(option: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = error.strerror or error
        raise TrainingError("unwritable", {"path": folder, "error": reason, "option": option}) from error


def _taxonomy(path: Path) -> tuple[str, Taxonomy]:
    from model.bundle_parts import taxonomy_of

    try:
        text = path.read_text(encoding="utf-8-sig")
        return text, taxonomy_of(text.encode())
    except (OSError, ValueError) as error:
        raise TrainingError("taxonomy", {"path": path, "error": error}) from error


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
