"""What a threshold would leave to the model, and how much of it has been right, from the decisions themselves.

The queue is no fair sample: all doubtful rows of a file are in it, and few of the others. So each row that was sent
counts with the number of rows it stands for (Horvitz & Thompson 1952), whatever other files its product was in, and
those decided stand for the undecided of about the same confidence (post-stratification), because the most doubtful are
decided first. Rows of one product share their answer: an interval takes them as one (a cluster).
"""

import numpy as np
import pandas as pd

from decisions.statistics import wilson

_EDGES = np.array([0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.94, 0.97, 0.985, 0.995])
COLUMNS = (
    *("threshold", "share", "share_low", "share_high", "accuracy", "low", "high"),
    *("judged", "represented", "unanswered"),
)


def automatic(sent: pd.DataFrame, thresholds: np.ndarray) -> pd.DataFrame:
    """A row for each threshold, of `DecisionStore.sent`; columns `COLUMNS`.

    ``share``: of all rows of the files, those with at least that confidence. ``accuracy``: of these, the share whose
    first category people confirmed; NaN while none of them is decided. Both with 95 % intervals (Wilson, with the
    effective number of rows of Kish 1965). ``judged``: products it rests on. ``represented``: share of the rows above
    the threshold whose like have been decided on. ``unanswered``: of the rows above it that people looked at, the share
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
        self._stand_for(np.searchsorted(_EDGES, self.confidence, side="right") * 2 + audit)

    def _stand_for(self, stratum: np.ndarray) -> None:
        """Weights of the judged that make up for the others of their stratum; and whose stratum has any judged."""
        size = int(stratum.max(initial=0)) + 1
        all_, done = (np.bincount(stratum, values, size) for values in (self.weight, self.weight * self.judged))
        with np.errstate(invalid="ignore", divide="ignore"):
            factor = np.where(done > 0, all_ / done, 0.0)
        self.standing_for, self.known = self.weight * self.judged * factor[stratum], done[stratum] > 0

    def level(self, threshold: float) -> tuple[float, ...]:
        """A row of the table."""
        above = self.confidence >= threshold
        chosen = above & self.judged
        share = _weighted(above, self.weight, self.product)
        accuracy = _weighted(self.right[chosen], self.standing_for[chosen], self.product[chosen])
        represented = _part(self.weight[above], self.known[above])
        unanswered = _part(self.weight[above & self.looked_at], ~self.judged[above & self.looked_at])
        return threshold, *share, *accuracy, len(np.unique(self.product[chosen])), represented, unanswered


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
