"""How much to trust a probability: measures, and the numbers fitted on held-out listings."""

import numpy as np


def expected_calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int = 15) -> float:
    """Mean gap between confidence and accuracy over equal-width bins, weighted by size, in [0, 1] (Guo et al. 2017)."""
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    gap = 0.0
    for b in range(bins):
        chosen = places == b
        if chosen.any():
            gap += chosen.mean() * abs(confidence[chosen].mean() - right[chosen].mean())
    return float(gap)


def area_under_roc(score: np.ndarray, positive: np.ndarray) -> float:
    """Chance that a positive scores above a negative, ties counting half; NaN when either is missing."""
    positive = positive.astype(bool)
    n, m = int(positive.sum()), int((~positive).sum())
    if not n or not m:
        return float("nan")
    return float((mean_ranks(score)[positive].sum() - n * (n + 1) / 2) / (n * m))


def mean_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, float64 (n,); ties share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def f1_by_category(truth: np.ndarray, answer: np.ndarray, categories: int, weights: np.ndarray | None = None):
    """F1 (categories,) and weighted support (categories,). ``truth`` and ``answer`` are positions (n,)."""
    weights = np.ones(len(truth)) if weights is None else weights
    support = np.bincount(truth, weights, categories)
    answered = np.bincount(answer, weights, categories)
    right = np.bincount(truth[truth == answer], weights[truth == answer], categories)
    total = support + answered
    return np.divide(2 * right, total, out=np.zeros(categories), where=total > 0), support


def weighted_f1(truth: np.ndarray, answer: np.ndarray, categories: int, weights: np.ndarray | None = None) -> float:
    """F1 averaged by support, in [0, 1]."""
    f1, support = f1_by_category(truth, answer, categories, weights)
    return float(f1 @ support / support.sum())


def macro_f1(truth: np.ndarray, answer: np.ndarray, categories: int, weights: np.ndarray | None = None) -> float:
    """F1 averaged over the categories that occur, in [0, 1]."""
    f1, support = f1_by_category(truth, answer, categories, weights)
    return float(f1[support > 0].mean())


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


def prediction_sets(probabilities: np.ndarray, truth: np.ndarray, quantile: float) -> tuple[np.ndarray, np.ndarray]:
    """Whether the set of each row holds the truth, bool (n,), and how many categories it has, int (n,).

    The set is the most probable categories up to the one at which their mass exceeds ``quantile``.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")
    mass = np.cumsum(np.take_along_axis(probabilities, order, axis=1), axis=1)
    sizes = np.minimum((mass <= quantile).sum(axis=1) + 1, probabilities.shape[1])
    return np.argmax(order == truth[:, None], axis=1) < sizes, sizes


def report(probabilities: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    """Quality of calibrated probabilities (n, categories) against positions (n,), rows weighted."""
    categories = probabilities.shape[1]
    answer = probabilities.argmax(axis=1)
    confidence, right = probabilities.max(axis=1), answer == truth
    # Resampled to the weights, so that each measure below sees the catalogue's shares.
    drawn = np.random.default_rng(0).choice(len(truth), size=20_000, p=weights / weights.sum())
    third = np.argsort(-probabilities, axis=1)[:, :3]
    return {
        "rows": len(truth),
        "weighted_f1": weighted_f1(truth, answer, categories, weights),
        "macro_f1": macro_f1(truth, answer, categories, weights),
        "accuracy": float(np.average(right, weights=weights)),
        "top3_accuracy": float(np.average((third == truth[:, None]).any(axis=1), weights=weights)),
        "ece": expected_calibration_error(confidence[drawn], right[drawn]),
        "auroc_of_confidence": area_under_roc(confidence[drawn], right[drawn]),
    }
