"""Which rows of a classified table people are to look at: all that are doubtful, and a random sample of the rest."""

import hashlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False, slots=True)
class Draw:
    """``rows``: numbers from 0, ascending. For each of them, why it was taken ("doubt" or "audit") and its weight.

    ``weights``: one over the chance a row had of being taken, so that weighted sums speak for the whole table.
    """

    rows: np.ndarray
    reasons: np.ndarray
    weights: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def doubtful(self) -> int:
        """How many are below the threshold."""
        return int((self.reasons == "doubt").sum())

    @property
    def audited(self) -> int:
        """How many were drawn from the rest."""
        return len(self) - self.doubtful


def draw(confidence: np.ndarray, threshold: float, share: float, seed: int, eligible: np.ndarray | None = None) -> Draw:
    """Every row below ``threshold``, and ``share`` of the others, drawn at random without putting back.

    Confidences, threshold and share in [0, 1]. Of a rest that is not empty, a share above 0 takes one row at least.
    ``eligible``, bool (rows,): the rows that may be taken; all when None. The same seed draws the same, and a
    larger share adds to a smaller one.
    """
    confidence = np.asarray(confidence)
    for name, value in (("threshold", threshold), ("share", share)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name} {value}: a number from 0 to 1 is needed")
    if confidence.ndim != 1 or not np.isfinite(confidence).all():
        raise ValueError("confidences: a row of numbers is needed")
    allowed = np.ones(len(confidence), bool) if eligible is None else np.asarray(eligible, bool)
    # As the confidences are kept: 0.6 as a float32 is not below 0.6.
    below = confidence < confidence.dtype.type(threshold) if confidence.dtype.kind == "f" else confidence < threshold
    doubtful = np.flatnonzero(below & allowed)
    rest = np.flatnonzero(~below & allowed)
    # A number for each row of the table, whatever the threshold: who moves it draws from the same lot.
    lot = np.random.default_rng(seed).random(len(confidence))[rest]
    size = _sample_size(len(rest), share)
    audited = rest[np.argsort(lot, kind="stable")[:size]]
    weight = len(rest) / size if size else 0.0
    rows = np.concatenate([doubtful, audited])
    reasons = np.array(["doubt"] * len(doubtful) + ["audit"] * len(audited), "U5")
    weights = np.concatenate([np.ones(len(doubtful)), np.full(len(audited), weight)])
    order = np.argsort(rows, kind="stable")
    return Draw(rows[order], reasons[order], weights[order])


def seed_of(name: str) -> int:
    """A seed that a name always comes to."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:8])


def _sample_size(rest: int, share: float) -> int:
    return 0 if share == 0 else min(rest, max(1, round(share * rest)))
