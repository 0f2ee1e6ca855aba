"""What a model answers on listings it was not trained on: what products it meets in service are held against."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from model.bundle import add_report, read_listed, read_manifest
from model.bundle_files import parse_json
from model.evaluation.terminal import EvaluationError, chosen_bundle, run_told, unreadable_pictures
from model.lexical_input import LexicalInput
from model.observed import MEASURES, counted_classes, observed
from model.product import Prediction, RankedCategory
from model.reading import ReadText, read_text
from settings import settings

SCHEMA = 1
_SAME = 1e-6
"""Scores of one and the same answers; reports keep six decimals."""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Adds the command to the parser of ``python -m model``."""
    add = commands.add_parser("reference", help="measure what the model meets, into the bundle").add_argument
    add("--bundle", type=Path, help="folder of the model (default: the active one)")
    add("--data", type=Path, help="labelled rows: the challenge's folder, a table (default: corpus/, for its model)")
    add("--images", type=Path, metavar="DIR", help="where the pictures are, if not beside the data")
    add("--leave-out-bad-rows", action="store_true", help="go on without the rows that cannot be used")
    add("--work", type=Path, help="where stages are kept (default: those of train-open)")


def run(arguments: argparse.Namespace) -> int:
    """Measures and keeps the report; gives the exit status."""
    return run_told(measure_into, arguments)


def measure_into(arguments: argparse.Namespace) -> None:
    """Measures the chosen bundle and keeps the report in it."""
    bundle = chosen_bundle(arguments)
    if arguments.data is None:
        report = of_corpus(bundle, arguments.work or settings().home / "train-open")
    else:
        report = of_data(bundle, arguments.data, arguments.images, arguments.leave_out_bad_rows)
    add_report(bundle, "reference", report)
    print(f"{read_manifest(bundle)['version']}: reference of {report['rows']} rows in {bundle}")


def of_data(bundle: Path, path: Path, images: Path | None = None, leave_out_bad_rows: bool = False) -> dict[str, Any]:
    """Of labelled rows less those the bundle was trained on; `DataError`, `BundleError`, `EvaluationError`."""
    from model.evaluation.rows import answer, load
    from model.evaluation.unseen import read_unseen

    data = read_unseen(path, bundle, images, leave_out_bad_rows)
    predictor = load(bundle, settings().home, len(data.examples))
    answers = answer(predictor, data.examples)
    if problems := [f"row {row.id}: {why}" for row, why in zip(data.examples, answers.unreadable, strict=True) if why]:
        print(unreadable_pictures(problems), file=sys.stderr)
    texts = (read_text(row.designation, row.description) for row in data.examples)
    about = {"name": data.name, "fingerprint": data.fingerprint, "left_out": dict(data.left_out)}
    command = f"python -m model reference --data {data.name}"
    found = _predictions(
        answers.probabilities, predictor.taxonomy.codes, texts, predictor.bundle.lexical, answers.facts.has_image
    )
    return report(found, None, predictor.taxonomy.codes, command, predictor.bundle.version, about)


def of_corpus(bundle: Path, work: Path) -> dict[str, Any]:
    """Of the corpus' listings of new concepts, by the trial that the open bundle was measured with.

    The weights that ship have seen every listing of the corpus; the trial's have not seen these.
    """
    from model.evaluation.scores import scores
    from model.training import corpus
    from model.training.open_trial import Recipe, begin, judge, try_out

    manifest, recipe = read_manifest(bundle), Recipe()
    training = manifest["training"]
    if training.get("fingerprint") != corpus.fingerprint(corpus.read_corpus()) or not _same(recipe, training):
        raise EvaluationError("not_of_corpus", {"model": manifest["version"]})
    start = begin(recipe, work)
    trial = try_out(start)
    judged, new = judge(start, trial), trial.new
    truth, weights = trial.unseen.targets[new], judged.weights[new]
    stated = parse_json(read_listed(bundle, manifest, "metrics.json"), "metrics.json")["overall"]
    again = scores(judged.probabilities[new], truth, weights)
    if any(abs(again[name] - stated[name]) > _SAME for name in ("accuracy", "weighted_f1", "ece")):
        raise EvaluationError("other_trial", {"model": manifest["version"]})
    texts = [text for text, chosen in zip(trial.unseen.texts, new, strict=True) if chosen]
    vocabulary = start.lexical(start.data.take(~trial.held), "trial-lexical").vocabulary
    found = _predictions(
        judged.probabilities[new], start.taxonomy.codes, texts, LexicalInput(vocabulary), np.zeros(len(texts), bool)
    )
    data = {
        "name": "listings of new concepts in the open corpus",
        "fingerprint": training["fingerprint"],
        "left_out": {"trained_on": len(start.data.rows) - len(texts)},
    }
    command, codes = "python -m model reference", start.taxonomy.codes
    return report(found, weights, codes, command, manifest["version"], data)


def report(
    predictions: Iterable[Prediction],
    weights: np.ndarray | None,
    codes: Sequence[int],
    command: str,
    model: str,
    data: dict[str, Any],
) -> dict[str, Any]:
    """The share of all rows in each class of each measure. ``weights``: how much a row counts, float (n,); None: all
    the same.

    ``effective_rows``: as many rows of equal weight are as sure (Kish 1965).
    """
    seen = [observed(prediction) for prediction in predictions]
    given = np.ones(len(seen)) if weights is None else np.asarray(weights, float)
    shares = {measure: dict.fromkeys(counted_classes(measure, codes), 0.0) for measure in MEASURES}
    for row, weight in zip(seen, given / given.sum(), strict=True):
        for measure, name in row:
            shares[measure][name] += float(weight)
    return {
        "schema": SCHEMA,
        "command": command,
        "model": model,
        "data": data,
        "rows": len(seen),
        "effective_rows": float(given.sum() ** 2 / (given**2).sum()),
        "weighting": None if weights is None else "rows count so that categories have their published shares",
        "shares": {measure: {name: round(v, 9) for name, v in found.items()} for measure, found in shares.items()},
    }


def _same(recipe: Any, training: dict[str, Any]) -> bool:
    given = {name: tuple(v) if isinstance(v, list) else v for name, v in (training.get("recipe") or {}).items()}
    return given == asdict(recipe)


def _predictions(
    probabilities: np.ndarray,
    codes: Sequence[int],
    texts: Iterable[ReadText],
    lexical: LexicalInput,
    has_image: np.ndarray,
) -> Iterable[Prediction]:
    """As a classifier would have answered, with the first category alone."""
    for row, text, image in zip(probabilities, texts, has_image, strict=True):
        first, words = int(np.argmax(row)), len(text.tokens)
        ranked = (RankedCategory(codes[first], float(row[first])),)
        yield Prediction(ranked, words > 0, bool(image), words, (), "", unknown_words=lexical.unknown(text))
