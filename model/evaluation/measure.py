"""A model's report on labelled rows: answered, and compared with their categories."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model.bundle import refusing
from model.evaluation.report import About, report
from model.evaluation.rows import answer, load
from model.evaluation.terminal import unreadable_pictures
from settings import settings

if TYPE_CHECKING:
    from model.training.data import Example


def measure(
    bundle: Path,
    examples: "Sequence[Example]",
    command: str,
    data: Mapping[str, Any],
    caution: Mapping[str, str] | None,
) -> dict[str, Any]:
    """The report of a bundle; `model.bundle.BundleError`. ``data`` says where the rows come from (`report.About`).

    Pictures that cannot be read are told on stderr and counted.
    """
    from model.evaluation.languages import LANGUAGE_BY, language_of

    predictor = load(bundle, settings().home, len(examples))
    with refusing(bundle):
        decided = predictor.bundle.manifest["settings"]
        quantile, coverage = float(decided["conformal_quantile"]), float(decided["coverage"])
    answers = answer(predictor, examples, language_of)
    unreadable = [f"row {row.id}: {why}" for row, why in zip(examples, answers.unreadable, strict=True) if why]
    if unreadable:
        print(unreadable_pictures(unreadable), file=sys.stderr)
    about = About(
        command=command,
        model=predictor.bundle.version,
        data={**data, "rows": len(examples), "notices": {"unreadable_pictures": len(unreadable)}},
        caution=caution,
        language_by=LANGUAGE_BY,
    )
    return report(
        answers.probabilities,
        np.array([predictor.taxonomy.index(row.code) for row in examples]),
        predictor.taxonomy.codes,
        answers.facts,
        about,
        quantile=quantile,
        coverage=coverage,
        same_rows=answers.same_rows,
    )
