"""Measures of answers and of the trust they deserve, and the numbers fitted on held-out listings.

Rows may be weighted: ``weights`` float (n,), None when all count the same.
"""

from typing import NamedTuple

import numpy as np

BINS = 15
_TOP = 3


class Bins(NamedTuple):
    """Answers by confidence: in each bin the share of the (weighted) rows, NaN means when it is empty; all (bins,)."""

    rows: np.ndarray
    share: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray


def reliability(confidence: np.ndarray, right: np.ndarray, weights: np.ndarray | None = None, bins: int = BINS) -> Bins:
    """Mean confidence and accuracy over bins of equal width in [0, 1]."""
    weights = _ones(confidence) if weights is None else weights
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    totals = [np.bincount(places, weights * values, bins) for values in (np.ones(len(places)), confidence, right)]
    weight = totals[0]
    means = [_ratio(total, weight) for total in totals[1:]]
    return Bins(np.bincount(places, minlength=bins), weight / weight.sum(), *means)


def expected_calibration_error(
    confidence: np.ndarray, right: np.ndarray, weights: np.ndarray | None = None, bins: int = BINS
) -> float:
    """Mean gap between confidence and accuracy over equal-width bins, weighted by size, in [0, 1] (Guo et al. 2017)."""
    found = reliability(confidence, right, weights, bins)
    return float(np.nansum(found.share * np.abs(found.confidence - found.accuracy)))


def area_under_roc(score: np.ndarray, positive: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Chance that a positive scores above a negative, ties counting half; NaN when either is missing."""
    weights, positive = _ones(score) if weights is None else weights, positive.astype(bool)
    _, place = np.unique(score, return_inverse=True)
    for_, against = (np.bincount(place, weights * chosen) for chosen in (positive, ~positive))
    pairs = for_.sum() * against.sum()
    return float(for_ @ (np.cumsum(against) - against / 2) / pairs) if pairs else float("nan")


def mean_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, float64 (n,); ties share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def confusion(truth: np.ndarray, answer: np.ndarray, categories: int, weights: np.ndarray | None = None) -> np.ndarray:
    """Rows by truth (down) and answer (across), both positions (n,): int (c, c), float when they are weighted."""
    cells = np.asarray(truth, np.intp) * categories + answer
    return np.bincount(cells, weights, categories**2).reshape(categories, categories)


class ByCategory(NamedTuple):
    """Measures of each category in [0, 1], NaN where there is nothing to divide by; arrays of one shape (…, c)."""

    precision: np.ndarray
    """NaN when it was never answered."""
    recall: np.ndarray
    """NaN when no row has it."""
    f1: np.ndarray
    """NaN when neither."""


def by_category(right: np.ndarray, support: np.ndarray, answered: np.ndarray) -> ByCategory:
    """From the (weighted) rows answered rightly, had and answered of each category, all (…, c)."""
    return ByCategory(_ratio(right, answered), _ratio(right, support), _ratio(2 * right, support + answered))


def f1_averages(f1: np.ndarray, support: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """F1 averaged by support, and over the categories that occur: both (…) of (…, c), NaN when none occurs."""
    occurring = np.where(support > 0, f1, 0)
    weighted = _ratio((occurring * support).sum(axis=-1), support.sum(axis=-1))
    return weighted, _ratio(occurring.sum(axis=-1), (support > 0).sum(axis=-1))


def f1_by_category(
    truth: np.ndarray, answer: np.ndarray, categories: int, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """F1 (categories,), 0 where it is undefined, and weighted support (categories,) of positions (n,)."""
    counts = confusion(truth, answer, categories, weights)
    support = counts.sum(axis=1)
    return np.nan_to_num(by_category(np.diag(counts), support, counts.sum(axis=0)).f1), support


def weighted_f1(truth: np.ndarray, answer: np.ndarray, categories: int, weights: np.ndarray | None = None) -> float:
    """F1 averaged by support, in [0, 1]; NaN without rows."""
    return float(f1_averages(*f1_by_category(truth, answer, categories, weights))[0])


def macro_f1(truth: np.ndarray, answer: np.ndarray, categories: int, weights: np.ndarray | None = None) -> float:
    """F1 averaged over the categories that occur, in [0, 1]; NaN without rows."""
    return float(f1_averages(*f1_by_category(truth, answer, categories, weights))[1])


def conformal_quantile(probabilities: np.ndarray, truth: np.ndarray, coverage: float, weights: np.ndarray) -> float:
    """Cumulative mass that a set must reach to hold the right category with ``coverage`` (Romano et al. 2020)."""
    order = np.argsort(-probabilities, axis=1, kind="stable")
    cumulative = np.cumsum(np.take_along_axis(probabilities, order, axis=1), axis=1)
    place = np.argmax(order == truth[:, None], axis=1)
    # The set ends with the category at which the mass reaches the quantile, so its mass before that counts.
    before = np.where(place > 0, cumulative[np.arange(len(truth)), place - 1], 0.0)
    ranked = np.argsort(before)
    mass = np.cumsum(weights[ranked]) / weights.sum()
    return float(before[ranked][min(int(np.searchsorted(mass, coverage)), len(truth) - 1)])


def prediction_sets(
    probabilities: np.ndarray, truth: np.ndarray, quantile: float | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Whether the set of each row holds the truth, bool (n,), and how many categories it has, int (n,).

    The set is the most probable categories up to the one at which their mass exceeds ``quantile``, which is one for
    all rows or (n,).
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")
    mass = np.cumsum(np.take_along_axis(probabilities, order, axis=1), axis=1)
    limit = np.broadcast_to(np.asarray(quantile, float), len(truth))[:, None]
    sizes = np.minimum((mass <= limit).sum(axis=1) + 1, probabilities.shape[1])
    return np.argmax(order == truth[:, None], axis=1) < sizes, sizes


def report(probabilities: np.ndarray, truth: np.ndarray, weights: np.ndarray | None = None) -> dict[str, float]:
    """Quality of calibrated probabilities (n, categories) against positions (n,); NaN where it is undefined."""
    categories = probabilities.shape[1]
    answer, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    right = answer == truth
    top = np.argsort(-probabilities, axis=1, kind="stable")[:, :_TOP]
    return {
        "rows": len(truth),
        "weighted_f1": weighted_f1(truth, answer, categories, weights),
        "macro_f1": macro_f1(truth, answer, categories, weights),
        "accuracy": float(np.average(right, weights=weights)),
        "top3_accuracy": float(np.average((top == truth[:, None]).any(axis=1), weights=weights)),
        "ece": expected_calibration_error(confidence, right, weights),
        "auroc_of_confidence": area_under_roc(confidence, right, weights),
    }


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Element by element, NaN where the whole is 0."""
    part, whole = np.asarray(part, float), np.asarray(whole, float)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)


def _ones(like: np.ndarray) -> np.ndarray:
    return np.ones(len(like))
