"""What was decided, counted: how far the queue is, and how often people agree with the model and with each other."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from decisions.items import Decision

DECIDED = ("accepted", "corrected", "unknown", "approved")
_Z = 1.959964  # of a 95 % interval


def wilson(right: np.ndarray, of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the 95 % interval of a share (Wilson 1927), float64 (n,); NaN where it is a share of nothing.

    ``right`` and ``of`` may be fractions: effective numbers of weighted rows.
    """
    right, of = np.asarray(right, float), np.asarray(of, float)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(of > 0, right / of, np.nan)
        middle = (share + _Z**2 / (2 * of)) / (1 + _Z**2 / of)
        half = _Z / (1 + _Z**2 / of) * np.sqrt(share * (1 - share) / of + _Z**2 / (4 * of**2))
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)


def standing_log(log: Iterable[Decision]) -> pd.DataFrame:
    """The decisions that were not taken back, in order: id, key, decision, code, first, person, decided_at, seconds,
    replaces. ``first`` is the category that was suggested first."""
    rows = list(log)
    taken_back = {row.undoes for row in rows}
    kept = [row for row in rows if row.undoes is None and row.id not in taken_back]
    frame = pd.DataFrame(
        {
            "id": [row.id for row in kept],
            "key": [row.key for row in kept],
            "decision": [row.decision for row in kept],
            "code": pd.array([row.code for row in kept], dtype="Int64"),
            "first": [row.suggestions[0].code for row in kept],
            "person": [row.person for row in kept],
            "decided_at": pd.to_datetime([row.decided_at for row in kept], utc=True),
            "seconds": np.array([np.nan if row.seconds is None else row.seconds for row in kept], float),
            "replaces": pd.array([row.replaces for row in kept], dtype="Int64"),
        }
    )
    return frame


def by_category(items: pd.DataFrame) -> pd.DataFrame:
    """A row for each category suggested first (index), of `DecisionStore.frame`.

    Columns: waiting, skipped, unknown, decided (with a category), agreed (with the one suggested), share, low, high.
    """
    named = items["state"].isin(("decided", "approved")) & items["code"].notna()
    table = pd.DataFrame(
        {
            "first": items["first"],
            "waiting": items["state"] == "pending",
            "skipped": items["state"] == "skipped",
            "unknown": items["state"].isin(("decided", "approved")) & items["code"].isna(),
            "decided": named,
            "agreed": named & (items["code"] == items["first"]).fillna(False).astype(bool),
        }
    )
    return _shares(table.groupby("first").sum().astype(int))


def by_person(log: pd.DataFrame) -> pd.DataFrame:
    """A row for each person (index), of `standing_log`; of a product only the last thing that the person said of it.

    Columns: decided (with a category), agreed (with the one suggested), share, low, high, unknown, skipped, seconds
    (median), looked_at (decisions of theirs that another person looked at), upheld (those that the other agreed with).
    """
    every, log = log, log.drop_duplicates(["person", "key"], keep="last")
    named = log["code"].notna() & log["decision"].isin(DECIDED)
    table = pd.DataFrame(
        {
            "person": log["person"],
            "decided": named,
            "agreed": named & (log["code"] == log["first"]).fillna(False).astype(bool),
            "unknown": log["decision"].isin(DECIDED) & log["code"].isna(),
            "skipped": log["decision"] == "skipped",
        }
    )
    found = _shares(table.groupby("person").sum().astype(int))
    found["seconds"] = log[log["decision"].isin(DECIDED)].groupby("person")["seconds"].median()
    return found.join(_second_looks(every))


def corrections(items: pd.DataFrame) -> pd.DataFrame:
    """What people made of what was suggested: first, code, number; the most frequent first."""
    named = items["state"].isin(("decided", "approved")) & items["code"].notna()
    other = items[named & (items["code"] != items["first"]).fillna(False).astype(bool)]
    counted = other.groupby(["first", "code"], as_index=False).size().rename(columns={"size": "number"})
    return counted.sort_values(["number", "first", "code"], ascending=[False, True, True], ignore_index=True)


def totals(items: pd.DataFrame) -> dict[str, float]:
    """Numbers over all items: waiting, skipped, decided, approved, agreed, named, share, low, high."""
    states = items["state"].value_counts()
    table = by_category(items)
    agreed, named = int(table["agreed"].sum()), int(table["decided"].sum())
    low, high = wilson(np.array([agreed]), np.array([named]))
    return {
        "waiting": int(states.get("pending", 0)),
        "skipped": int(states.get("skipped", 0)),
        "decided": int(states.get("decided", 0)),
        "approved": int(states.get("approved", 0)),
        "agreed": agreed,
        "named": named,
        "share": agreed / named if named else float("nan"),
        "low": float(low[0]),
        "high": float(high[0]),
    }


def by_day(log: pd.DataFrame) -> pd.DataFrame:
    """Decisions taken, skips left out: day (UTC, index), decided, agreed."""
    taken = log[log["decision"].isin(DECIDED)]
    day = taken["decided_at"].dt.floor("D")
    agreed = (taken["code"] == taken["first"]).fillna(False).astype(bool)
    return pd.DataFrame({"decided": day.groupby(day).size(), "agreed": agreed.groupby(day).sum()}).rename_axis("day")


def _shares(table: pd.DataFrame) -> pd.DataFrame:
    """Adds the share of ``agreed`` in ``decided``, with its interval."""
    agreed, decided = table["agreed"].to_numpy(), table["decided"].to_numpy()
    low, high = wilson(agreed, decided)
    with np.errstate(invalid="ignore", divide="ignore"):
        return table.assign(share=np.where(decided > 0, agreed / decided, np.nan), low=low, high=high)


def _second_looks(log: pd.DataFrame) -> pd.DataFrame:
    """For each person, how many of their decisions another looked at, and how many of these that one agreed with."""
    first = log[log["decision"].isin(DECIDED)].set_index("id")
    later = log[log["decision"].isin(DECIDED) & log["replaces"].notna()]
    before = first[["person", "code"]].add_suffix("_before")
    pairs = later.assign(replaces=later["replaces"].astype("int64")).join(before, on="replaces", how="inner")
    pairs = pairs[pairs["person"] != pairs["person_before"]]
    same = (pairs["code"] == pairs["code_before"]).fillna(False).astype(bool)
    upheld = same | (pairs["code"].isna() & pairs["code_before"].isna())
    looked = pd.DataFrame({"looked_at": pairs.groupby("person_before").size()})
    looked["upheld"] = upheld.groupby(pairs["person_before"]).sum()
    people = pd.Index(log["person"].unique(), name="person")
    return looked.rename_axis("person").reindex(people).fillna(0).astype(int)
