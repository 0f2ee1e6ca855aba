"""What the page shows over the days, counted."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd

from decisions.statistics import by_day, wilson


def by_days(counted: pd.DataFrame, source: str | None, since: date, until: date) -> tuple[list[date], list[int]]:
    """Every day of a span, and how many products were classified on it. ``counted``: see `watch.observations`."""
    chosen = counted[(counted["measure"] == "inputs") & (counted["source"].eq(source) if source else True)]
    sums = chosen.groupby("day")["number"].sum()
    days = _span(since, until)
    return days, [int(sums.get(day, 0)) for day in days]


def model_changes(counted: pd.DataFrame, since: date, until: date) -> list[tuple[date, str]]:
    """The first day of each model but the first one ever, as far as they lie in the span."""
    if counted.empty:
        return []
    first = counted.groupby("model")["day"].min().sort_values(kind="stable")
    return [(day, model) for model, day in list(first.items())[1:] if since <= day <= until]


def agreement(log: pd.DataFrame, since: date, until: date) -> pd.DataFrame:
    """By day (index): decided with a category or none, agreed, share, low, high. ``log``: `standing_log`."""
    days = by_day(log)
    days.index = [moment.date() for moment in days.index]
    days = days[np.array([since <= day <= until for day in days.index], bool)]
    low, high = wilson(days["agreed"].to_numpy(), days["decided"].to_numpy())
    return days.assign(share=days["agreed"] / days["decided"], low=low, high=high)


def waiting(items: pd.DataFrame, since: date, until: date) -> tuple[list[date], list[int]]:
    """How many products of the queue were undecided at the end of each day. ``items``: `DecisionStore.frame`."""
    days = _span(since, until)
    added, decided = _days_of(items["added_at"]), _days_of(items["decided_at"][items["state"] != "skipped"])
    ends = np.array(days, "datetime64[D]")
    came = np.searchsorted(np.sort(added), ends, side="right")
    went = np.searchsorted(np.sort(decided), ends, side="right")
    return days, [int(number) for number in came - went]


def _days_of(moments: pd.Series) -> np.ndarray:
    known = pd.to_datetime(moments, utc=True).dropna()
    return known.dt.tz_localize(None).to_numpy().astype("datetime64[D]")


def _span(since: date, until: date) -> Sequence[date]:
    return [since + timedelta(days=number) for number in range((until - since).days + 1)]
