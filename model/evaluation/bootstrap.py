"""Intervals by the bootstrap: what a measure could have been on as many rows of the same kind (Efron 1979)."""

import numpy as np

RESAMPLES = 500
_TAILS = (2.5, 97.5)  # percentiles: 95 % lie between

Interval = list[float] | None


def resampled(cells: np.ndarray, count: int, weights: np.ndarray | None = None, seed: int = 0) -> np.ndarray:
    """Rows (or their weights) in each cell when as many are drawn again, with replacement: (RESAMPLES, count).

    ``cells``: int (n,), where each row counts, in 0…count-1; n is 1 or more.
    """
    random, n = np.random.default_rng(seed), len(cells)
    if weights is None:  # drawing rows is drawing cells by their shares: one draw for all rows of a cell
        return random.multinomial(n, np.bincount(cells, minlength=count) / n, size=RESAMPLES)
    totals = np.empty((RESAMPLES, count))
    for total in totals:
        drawn = random.integers(0, n, n)
        total[:] = np.bincount(cells[drawn], weights[drawn], count)
    return totals


def by_category_resampled(
    truth: np.ndarray, answer: np.ndarray, categories: int, weights: np.ndarray | None = None, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows answered rightly, had and answered of each category, in each resample: all (RESAMPLES, categories)."""
    used, cells = np.unique(truth.astype(np.intp) * categories + answer, return_inverse=True)
    totals = resampled(cells, len(used), weights, seed)
    had, given = np.divmod(used, categories)
    right = had == given
    places = ((totals[:, right], had[right]), (totals, had), (totals, given))
    return tuple(_summed(part, labels, categories) for part, labels in places)


def interval(samples: np.ndarray) -> Interval:
    """The middle 95 % of the resamples (r,) that have a value; None when none has."""
    known = samples[~np.isnan(samples)]
    return np.percentile(known, _TAILS).tolist() if known.size else None


def _summed(totals: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """Columns (r, k) added up by their label (k,) in 0…count-1: float (r, count)."""
    summed = np.zeros((len(totals), count))
    if labels.size:
        order = np.argsort(labels, kind="stable")
        present, starts = np.unique(labels[order], return_index=True)
        summed[:, present] = np.add.reduceat(totals[:, order], starts, axis=1)
    return summed
