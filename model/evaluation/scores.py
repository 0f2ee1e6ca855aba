"""Quality over some rows with its intervals, as a report holds it: rounded, null where a number cannot be had."""

import math
from typing import Any

import numpy as np

from model.calibration import by_category, confusion, f1_averages, reliability
from model.calibration import report as measures
from model.evaluation.bootstrap import Interval, by_category_resampled, interval, resampled

_DIGITS = 6
THRESHOLDS = 100
"""0, 0.01 … 0.99"""

Scores = dict[str, Any]


def number(value: float) -> float | None:
    """As JSON can hold it; None for what is no number."""
    return round(float(value), _DIGITS) if math.isfinite(value) else None


def rounded(ends: Interval) -> Interval:
    """An interval as JSON holds it."""
    return None if ends is None else [round(end, _DIGITS) for end in ends]


def scores(probabilities: np.ndarray, truth: np.ndarray, weights: np.ndarray | None = None) -> Scores | None:
    """Measures of probabilities (n, c) against positions (n,), three with their interval; None without rows."""
    if not len(truth):
        return None
    found = {name: number(value) for name, value in measures(probabilities, truth, weights).items()}
    found["rows"] = len(truth)
    samples = by_category_resampled(truth, probabilities.argmax(axis=1), probabilities.shape[1], weights)
    right, support, _ = samples
    weighted, macro = f1_averages(by_category(*samples).f1, support)
    accuracy = right.sum(axis=1) / support.sum(axis=1)
    intervals = {"weighted_f1": weighted, "macro_f1": macro, "accuracy": accuracy}
    return found | {f"{name}_interval": rounded(interval(values)) for name, values in intervals.items()}


def categories(
    truth: np.ndarray, answer: np.ndarray, codes: tuple[int, ...], weights: np.ndarray | None = None
) -> list[dict[str, Any]]:
    """Each category: rows that have it, (weighted) precision, recall and F1 with its interval."""
    n = len(codes)
    counts = confusion(truth, answer, n, weights)
    found = by_category(np.diag(counts), counts.sum(axis=1), counts.sum(axis=0))
    support = np.bincount(truth, minlength=n)
    samples = by_category(*by_category_resampled(truth, answer, n, weights)).f1
    return [
        {"code": code, "support": int(support[i])}
        | {name: number(values[i]) for name, values in found._asdict().items()}
        | {"f1_interval": rounded(interval(samples[:, i]))}
        for i, code in enumerate(codes)
    ]


def calibration_bins(confidence: np.ndarray, right: np.ndarray, weights: np.ndarray | None = None) -> list[Scores]:
    """The reliability diagram: mean confidence and accuracy of answers of nearly one confidence."""
    found = reliability(confidence, right, weights)
    n = len(found.rows)
    return [
        {
            "from": number(i / n),
            "to": number((i + 1) / n),
            "rows": int(found.rows[i]),
            "confidence": number(found.confidence[i]),
            "accuracy": number(found.accuracy[i]),
        }
        for i in range(n)
    ]


def coverage_curve(confidence: np.ndarray, right: np.ndarray, weights: np.ndarray | None = None) -> list[Scores]:
    """For each threshold the share of rows at least as confident, and how many of these are right."""
    thresholds = np.arange(THRESHOLDS) / THRESHOLDS
    # In the precision of the confidences: 0.9 stored as float32 is not below 0.9.
    level = np.searchsorted(thresholds.astype(confidence.dtype), confidence, side="right") - 1
    cells = 2 * level + right
    total = np.bincount(cells, weights, 2 * THRESHOLDS)[None]
    coverage, accuracy = (values[0] for values in _from_level_up(total))
    samples = _from_level_up(resampled(cells, 2 * THRESHOLDS, weights))[1]
    return [
        {
            "threshold": number(thresholds[i]),
            "coverage": number(coverage[i]),
            "accuracy": number(accuracy[i]),
            "accuracy_interval": rounded(interval(samples[:, i])) if coverage[i] else None,
        }
        for i in range(THRESHOLDS)
    ]


def sets(held: np.ndarray, sizes: np.ndarray, stated: float, weights: np.ndarray | None = None) -> Scores:
    """Prediction sets: how often they hold the truth (``held`` bool (n,)) and how many categories they have."""
    samples = resampled(held.astype(np.intp), 2, weights)
    weight = np.bincount(sizes, weights)
    return {
        "stated_coverage": number(stated),
        "measured_coverage": number(np.average(held, weights=weights)),
        "measured_coverage_interval": rounded(interval(samples[:, 1] / samples.sum(axis=1))),
        "mean_size": number(np.average(sizes, weights=weights)),
        "sizes": {str(size): number(weight[size] / weight.sum()) for size in np.unique(sizes).tolist()},
    }


def _from_level_up(totals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coverage and accuracy (r, thresholds) of totals (r, 2 * thresholds): wrong and right by level; NaN for none."""
    wrong, right = (np.cumsum(totals[:, kind::2][:, ::-1], axis=1)[:, ::-1] for kind in (0, 1))
    decided = wrong + right
    accuracy = np.divide(right, decided, out=np.full(decided.shape, np.nan), where=decided > 0)
    return decided / decided[:, :1], accuracy
