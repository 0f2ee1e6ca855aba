"""Before and after, on the same rows: measures, and the intervals of their differences."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import log_softmax, softmax

from model.calibration import expected_calibration_error, weighted_f1
from model.evaluation.bootstrap import RESAMPLES, interval
from model.evaluation.scores import number, rounded

MEASURES = ("weighted_f1", "accuracy", "log_loss", "ece")


def compared(before: np.ndarray, after: np.ndarray, truth: np.ndarray, group: np.ndarray) -> dict[str, Any] | None:
    """Measures of logits (n, categories) against positions (n,), and their differences with paired bootstrap
    intervals: duplicates, which share their ``group`` (n,), are drawn together. None without rows."""
    if not len(truth):
        return None
    measured = [_Measured(logits, truth) for logits in (before, after)]
    ones = np.ones(len(truth))
    first, last = (one.measures(ones) for one in measured)
    _, places = np.unique(group, return_inverse=True)
    count, random = int(places.max()) + 1, np.random.default_rng(0)
    drawn = random.multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
    samples = {name: np.empty(RESAMPLES) for name in MEASURES}
    for i, times in enumerate(drawn):
        weights = times[places].astype(float)
        resampled = [one.measures(weights) for one in measured]
        for name in MEASURES:
            samples[name][i] = resampled[1][name] - resampled[0][name]
    return {
        "rows": len(truth),
        "before": {name: number(first[name]) for name in MEASURES},
        "after": {name: number(last[name]) for name in MEASURES},
        "difference": {name: number(last[name] - first[name]) for name in MEASURES},
        "difference_interval": {name: rounded(interval(samples[name])) for name in MEASURES},
    }


class _Measured:
    def __init__(self, logits: np.ndarray, truth: np.ndarray) -> None:
        probabilities = softmax(logits, axis=1)
        self._truth, self._categories = truth, logits.shape[1]
        self._answer, self._confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
        self._right = self._answer == truth
        self._loss = -log_softmax(logits, axis=1)[np.arange(len(truth)), truth]

    def measures(self, weights: np.ndarray) -> Mapping[str, float]:
        return {
            "weighted_f1": weighted_f1(self._truth, self._answer, self._categories, weights),
            "accuracy": float(np.average(self._right, weights=weights)),
            "log_loss": float(np.average(self._loss, weights=weights)),
            "ece": expected_calibration_error(self._confidence, self._right, weights),
        }
