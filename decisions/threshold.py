"""What a threshold would leave to the model, and how much of it has been right, from the decisions themselves.

The queue is no fair sample: all doubtful rows of a file are in it, and few of the others. So each row that was sent
counts with the number of rows it stands for (Horvitz & Thompson 1952), whatever other files its product was in, and
those decided stand for the undecided: so that their confidences, categories and files are those of all rows (raking,
Deming & Stephan 1940), because the most doubtful are decided first, and some decide on one category or file alone. Of
rows whose confidence, category or file nobody has decided on at all, nothing is known: an interval holds that all of
them are wrong, and that all are right. Rows of one product share their answer: an interval takes them as one (cluster).
"""

import numpy as np
import pandas as pd

from decisions.statistics import wilson

_TURNS = 100
_EDGES = np.array([0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.94, 0.97, 0.985, 0.995])
COLUMNS = (
    *("threshold", "share", "share_low", "share_high", "accuracy", "low", "high"),
    *("judged", "represented", "unanswered"),
)


def automatic(sent: pd.DataFrame, thresholds: np.ndarray) -> pd.DataFrame:
    """A row for each threshold, of `DecisionStore.sent`; columns `COLUMNS`.

    ``share``: of all rows of the files, those with at least that confidence. ``accuracy``: of these, the share whose
    first category people confirmed; NaN while none of them is decided. Both with 95 % intervals (Wilson, with the
    effective number of rows of Kish 1965); that of the accuracy is widened by what is not represented. ``judged``:
    products it rests on. ``represented``: share of the rows above the threshold of whose confidence, first category and
    file some have been decided on. ``unanswered``: of the rows above it that people looked at, the share
    they skipped or did not know; were these all wrong, accuracy * (1 - unanswered) would be right. NaN while nobody
    looked.
    """
    rows = _Rows(sent)
    table = [rows.level(threshold) for threshold in np.asarray(thresholds, float)]
    return pd.DataFrame(table, columns=COLUMNS)


class _Rows:
    """Arrays, a number for each row that was sent."""

    def __init__(self, sent: pd.DataFrame) -> None:
        self.confidence, self.weight = sent["confidence"].to_numpy(float), sent["weight"].to_numpy(float)
        self.product = pd.factorize(sent["key"])[0]
        decided = sent["state"].isin(("decided", "approved")).to_numpy(bool)
        self.judged = decided & sent["code"].notna().to_numpy(bool)
        self.looked_at = decided | (sent["state"] == "skipped").to_numpy(bool)
        self.right = (sent["code"] == sent["first"]).fillna(False).to_numpy(bool)
        audit = (sent["reason"] == "audit").to_numpy(int)
        sides = (
            np.searchsorted(_EDGES, self.confidence, side="right"),
            *(_numbered(sent[of]) for of in ("first", "job")),
        )
        self._stand_for([side * 2 + audit for side in sides])

    def _stand_for(self, sides: list[np.ndarray]) -> None:
        """Weights of the judged that make up for the others; and of whose like, on each side, any is judged."""
        counts = [np.bincount(side, self.judged) for side in sides]
        self.known = np.logical_and.reduce([count[side] > 0 for side, count in zip(sides, counts, strict=True)])
        rows = np.flatnonzero(self.known)
        wanted = [
            np.bincount(side[rows], self.weight[rows], len(count)) for side, count in zip(sides, counts, strict=True)
        ]
        standing = self.weight * (self.judged & self.known)
        for _ in range(_TURNS):
            before = standing
            for side, total in zip(sides, wanted, strict=True):
                has = np.bincount(side, standing, len(total))
                factor = np.divide(total, has, out=np.zeros(len(total)), where=has > 0)
                standing = standing * factor[side]
            if np.allclose(standing, before, rtol=1e-6):
                break
        self.standing_for = standing

    def level(self, threshold: float) -> tuple[float, ...]:
        """A row of the table."""
        above = self.confidence >= threshold
        chosen = above & self.judged
        share = _weighted(above, self.weight, self.product)
        represented = _part(self.weight[above], self.known[above])
        right, low, high = _weighted(self.right[chosen], self.standing_for[chosen], self.product[chosen])
        accuracy = right, low * represented, high * represented + (1 - represented)
        unanswered = _part(self.weight[above & self.looked_at], ~self.judged[above & self.looked_at])
        return threshold, *share, *accuracy, len(np.unique(self.product[chosen])), represented, unanswered


def _numbered(values: pd.Series) -> np.ndarray:
    return pd.factorize(values)[0]


def _part(weight: np.ndarray, of_these: np.ndarray) -> float:
    total = weight.sum()
    return float(weight[of_these].sum() / total) if total else float("nan")


def _weighted(true: np.ndarray, weight: np.ndarray, product: np.ndarray) -> tuple[float, float, float]:
    """A weighted share with its interval; NaN for a share of nothing."""
    total = weight.sum()
    if not total:
        return (float("nan"),) * 3
    share = float(weight[true].sum() / total)
    effective = total**2 / (np.bincount(product, weight) ** 2).sum()
    low, high = wilson(np.array([share * effective]), np.array([effective]))
    return share, float(low[0]), float(high[0])


def threshold_for(curve: pd.DataFrame, accuracy: float, fewest: int = 30) -> float | None:
    """The lowest threshold from which on the accuracy is surely as wanted: the lower end of its interval, there and at
    every higher one that rests on ``fewest`` decisions. None when there is none."""
    enough = curve[curve["judged"] >= fewest].sort_values("threshold")
    good = (enough["low"] >= accuracy).to_numpy()
    if not len(good) or not good[-1]:
        return None
    failing = np.flatnonzero(~good)
    return float(enough["threshold"].iloc[failing[-1] + 1 if len(failing) else 0])
