"""The report of a model over labelled rows, as a bundle keeps it (``metrics.json``)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from model.calibration import confusion, prediction_sets, weighted_f1
from model.evaluation.facts import RowFacts
from model.evaluation.scores import Scores, calibration_bins, categories, coverage_curve, number, scores, sets

SCHEMA = 2


def english(text: str | Mapping[str, str] | None) -> str | None:
    """The English of a text that may be there in several languages."""
    return text["en"] if isinstance(text, Mapping) else text


@dataclass(frozen=True, slots=True)
class About:
    """Where a report comes from. ``data``: "name", "rows", "fingerprint", "left_out" and "notices" (counts by name)."""

    command: str
    model: str
    data: Mapping[str, Any]
    weighting: str | None = None
    caution: str | Mapping[str, str] | None = None
    """What makes the numbers doubtful: English, or by language ("en", "fr")."""
    language_by: str | None = None
    """What estimated the languages; None when the data says them."""
    created: str = field(default_factory=lambda: date.today().isoformat())


def report(
    probabilities: np.ndarray,
    truth: np.ndarray,
    codes: Sequence[int],
    rows: RowFacts,
    about: About,
    *,
    quantile: float | np.ndarray,
    coverage: float,
    weights: np.ndarray | None = None,
    same_rows: Mapping[str, np.ndarray] | None = None,
    subsets: Mapping[str, np.ndarray] | None = None,
    branches: Mapping[str, np.ndarray] | None = None,
) -> dict[str, Any]:
    """The whole report of probabilities, float (n, c), against positions among ``codes``, int (n,); n >= 1.

    ``quantile`` (one, or (n,)) makes the prediction sets, ``coverage`` is what they promise. With ``weights`` (n,)
    all shares and scores are weighted; ``rows``, ``support`` and the confusion stay counts of rows. ``same_rows``:
    probabilities by what was read, of the rows that have both inputs, in order. ``subsets``: bool (n,) by name.
    ``branches``: what each branch alone says, (n, c), by name.
    """
    truth = np.asarray(truth, np.intp)
    weights = _check(probabilities, truth, codes, rows, weights)
    answer, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    right = answer == truth
    counts = confusion(truth, answer, len(codes))

    def of(chosen: np.ndarray) -> Scores | None:
        return scores(probabilities[chosen], truth[chosen], None if weights is None else weights[chosen])

    return {
        "schema": SCHEMA,
        "command": about.command,
        "created": about.created,
        "model": about.model,
        "data": dict(about.data),
        "weighting": about.weighting,
        "caution": about.caution,
        "language_by": about.language_by,
        "overall": scores(probabilities, truth, weights),
        "by_inputs": {name: of(chosen) for name, chosen in rows.by_inputs.items()},
        "same_rows": _same_rows(same_rows, rows, truth, weights),
        "by_language": {name: of(chosen) for name, chosen in rows.by_language.items()},
        "by_length": [
            {"from": first, "to": last, "scores": of(chosen)} for first, last, chosen in rows.by_length if chosen.any()
        ],
        "by_description": {"with": of(rows.described), "without": of(~rows.described)},
        "subsets": {name: of(chosen) for name, chosen in (subsets or {}).items()},
        "categories": categories(truth, answer, tuple(codes), weights),
        "confusion": {"codes": list(codes), "counts": counts.tolist()},
        "reliability": calibration_bins(confidence, right, weights),
        "coverage": coverage_curve(confidence, right, weights),
        "sets": sets(*prediction_sets(probabilities, truth, quantile), coverage, weights),
        "branches": {
            name: number(weighted_f1(truth, values.argmax(axis=1), len(codes), weights))
            for name, values in (branches or {}).items()
        },
    }


def _same_rows(
    same_rows: Mapping[str, np.ndarray] | None, rows: RowFacts, truth: np.ndarray, weights: np.ndarray | None
) -> dict[str, Scores | None] | None:
    both = rows.by_inputs["both"]
    if same_rows is None or not both.any():
        return None
    return {
        name: scores(probabilities, truth[both], None if weights is None else weights[both])
        for name, probabilities in same_rows.items()
    }


def _check(
    probabilities: np.ndarray, truth: np.ndarray, codes: Sequence[int], rows: RowFacts, weights: np.ndarray | None
) -> np.ndarray | None:
    """The weights, None when they are all the same; ValueError for what does not fit together."""
    n = len(truth)
    if not n or probabilities.shape != (n, len(codes)) or len(rows) != n:
        raise ValueError(f"{probabilities.shape} probabilities, {n} rows, {len(codes)} codes and {len(rows)} facts")
    if not np.isfinite(probabilities).all() or truth.min() < 0 or truth.max() >= len(codes):
        raise ValueError("a probability is no number, or a row has no category")
    if weights is None:
        return None
    if weights.shape != (n,) or not np.isfinite(weights).all() or weights.min() <= 0:
        raise ValueError("each row needs a weight above 0")
    return None if (weights == weights[0]).all() else weights
