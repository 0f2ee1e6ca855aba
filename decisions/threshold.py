"""What a threshold would leave to the model, and how much of it has been right, from the decisions themselves.

The queue is no fair sample: all doubtful products are in it, and few of the others. So each product counts with the
number of products it stands for (Horvitz & Thompson 1952), and those decided stand for the undecided of about the same
confidence (post-stratification), because the most doubtful are decided first.
"""

import numpy as np
import pandas as pd

from decisions.statistics import wilson

_EDGES = np.array([0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.94, 0.97, 0.985, 0.995])
COLUMNS = ("threshold", "share", "share_low", "share_high", "accuracy", "low", "high", "judged", "represented")


def automatic(items: pd.DataFrame, thresholds: np.ndarray) -> pd.DataFrame:
    """A row for each threshold, of those items of `DecisionStore.frame` that came from batches; columns `COLUMNS`.

    ``share``: of all products, those with at least that confidence. ``accuracy``: of these, the share whose first
    category people confirmed; NaN while none of them is decided. Both with 95 % intervals (Wilson, with the effective
    number of rows of Kish 1965). ``judged``: decisions it rests on, "I don't know" left out. ``represented``: share of
    the products above the threshold whose like have been decided on.
    """
    drawn = items[items["reason"].isin(("doubt", "audit"))]
    confidence, weight = drawn["confidence"].to_numpy(float), drawn["weight"].to_numpy(float)
    judged = (drawn["state"].isin(("decided", "approved")) & drawn["code"].notna()).to_numpy(bool)
    right = (drawn["code"] == drawn["first"]).fillna(False).to_numpy(bool)
    stratum = np.searchsorted(_EDGES, confidence, side="right") * 2 + (drawn["reason"] == "audit").to_numpy(int)
    standing_for, known = _standing_for(weight, judged, stratum)
    rows = [
        _level(t, confidence >= t, weight, judged, right, standing_for, known) for t in np.asarray(thresholds, float)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _standing_for(weight: np.ndarray, judged: np.ndarray, stratum: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the judged that make up for the others of their stratum; and whose stratum has any judged."""
    size = int(stratum.max(initial=0)) + 1
    all_, done = (np.bincount(stratum, values, size) for values in (weight, weight * judged))
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = np.where(done > 0, all_ / done, 0.0)
    return weight * judged * factor[stratum], done[stratum] > 0


def _level(
    threshold: float,
    above: np.ndarray,
    weight: np.ndarray,
    judged: np.ndarray,
    right: np.ndarray,
    standing_for: np.ndarray,
    known: np.ndarray,
) -> tuple[float, ...]:
    share, share_low, share_high = _weighted(above, weight)
    chosen = above & judged
    accuracy, low, high = _weighted(right[chosen], standing_for[chosen])
    total = weight[above].sum()
    represented = float(weight[above & known].sum() / total) if total else float("nan")
    return threshold, share, share_low, share_high, accuracy, low, high, int(chosen.sum()), represented


def _weighted(true: np.ndarray, weight: np.ndarray) -> tuple[float, float, float]:
    """A weighted share with its interval; NaN for a share of nothing."""
    total = weight.sum()
    if not total:
        return (float("nan"),) * 3
    share = float(weight[true].sum() / total)
    effective = total**2 / (weight**2).sum()
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
