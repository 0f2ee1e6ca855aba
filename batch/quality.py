"""Answers against given labels: what an evaluation reports, and what a threshold would leave to a person."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.calibration import by_category, confusion, f1_averages
from model.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class CategoryQuality:
    """One category: how many rows have it as label, and precision, recall and F1 in [0, 1].

    Precision is 0 when it was never answered, recall when no row has it.
    """

    code: int
    support: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, eq=False, slots=True)
class Quality:
    """Over `rows` rows with a label of the taxonomy; accuracy and F1 in [0, 1], NaN when there is no such row."""

    rows: int
    skipped: int
    """Rows without a label, or with one outside the taxonomy."""
    accuracy: float
    weighted_f1: float
    macro_f1: float
    """Mean F1 of the categories that some row has as label."""
    by_category: tuple[CategoryQuality, ...]
    confusion: np.ndarray
    """Rows counted by label (down) and answer (across), int (n, n), both in the order of `codes`."""
    codes: tuple[int, ...]
    mistakes: np.ndarray
    """Numbers (from 0) of the rows answered wrongly, the most confident first."""


def quality(
    labels: np.ndarray, answers: np.ndarray, taxonomy: Taxonomy, confidence: np.ndarray | None = None
) -> Quality:
    """Compares codes (n,), row by row. Mistakes keep the order of the rows when no confidence (n,) is given.

    Raises ValueError for an answer outside the taxonomy.
    """
    truth, answer = _positions(labels, taxonomy), _positions(answers, taxonomy)
    if (answer < 0).any():
        raise ValueError(f"the taxonomy has no category {np.asarray(answers)[answer < 0][0]}")
    rows = np.flatnonzero(truth >= 0)
    skipped, n = len(truth) - len(rows), len(taxonomy)
    truth, answer = truth[rows], answer[rows]
    counts = confusion(truth, answer, n)
    support = counts.sum(axis=1)
    measures = tuple(map(np.nan_to_num, by_category(np.diag(counts), support, counts.sum(axis=0))))
    weighted, macro = f1_averages(measures[-1], support)
    wrong = rows[truth != answer]
    if confidence is not None:
        wrong = wrong[np.argsort(-np.asarray(confidence)[wrong], kind="stable")]
    columns = (column.tolist() for column in (support, *measures))
    return Quality(
        rows=len(rows),
        skipped=skipped,
        accuracy=float((truth == answer).mean()) if len(rows) else float("nan"),
        weighted_f1=float(weighted),
        macro_f1=float(macro),
        by_category=tuple(map(CategoryQuality, taxonomy.codes, *columns)),
        confusion=counts,
        codes=taxonomy.codes,
        mistakes=wrong,
    )


def needing_a_person(confidence: np.ndarray, thresholds: Sequence[float]) -> np.ndarray:
    """For each threshold, how many rows are less confident than it, int (len(thresholds),)."""
    confidence = np.sort(confidence)
    # In the precision of the confidences: 0.9 stored as float32 is not below 0.9.
    return np.searchsorted(confidence, np.asarray(thresholds, confidence.dtype))


def _positions(codes: np.ndarray, taxonomy: Taxonomy) -> np.ndarray:
    """Positions in the taxonomy (n,), -1 for a code outside it."""
    known, codes = np.array(taxonomy.codes), np.asarray(codes)
    places = np.minimum(np.searchsorted(known, codes), len(known) - 1)
    return np.where(known[places] == codes, places, -1)
