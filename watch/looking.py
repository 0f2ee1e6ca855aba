"""What was classified lately against what it is held against: which days, which counts, and what they come to."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Engine

from model.bundle_files import BundleError, parse_json, read_listed, read_manifest
from model.observed import MEASURES, TEXT, by_inputs
from model.versions import active_bundle
from watch.drift import FEWEST, Drift, compare
from watch.observations import counted

DAYS = (1, 7, 30)
REFERENCES = ("model", "before", "first")
"""The model's own report; the four weeks before the days that are looked at; this model's first seven days here."""
BEFORE_DAYS, FIRST_DAYS = 28, 7
# A marketplace need not have the shares of the corpus, nor send pictures because the corpus has none, or has them: held
# against the model's report these two are shown, and no more.
JUDGED = {"model": ("words", "unknown", "confidence"), "before": MEASURES, "first": MEASURES}

log = logging.getLogger(__name__)
Table = Mapping[str, Mapping[str, float]]
"""Measure, class, number."""


@dataclass(frozen=True, slots=True)
class Look:
    """``now`` and ``reference``: of confidence, what can be compared (`_alike`). ``missing``: why there is
    nothing to hold it against ("" when there is): "no_report", "bad_report", "overlap".
    """

    since: date
    until: date
    now: Table
    reference: Table
    drift: Drift | None
    missing: str = ""

    @property
    def number(self) -> int:
        """Products looked at."""
        return round(sum(self.now.get("inputs", {}).values()))


def look(
    engine: Engine,
    model: str,
    report: Any,
    today: date,
    days: int = 7,
    source: str | None = None,
    reference: str = "model",
) -> Look:
    """The last days of one model, today included. ``report``: the bundle's, None without one; DecisionError.

    ``source``: of `watch.observations.SOURCES`, or all.
    """
    since = today - timedelta(days=days - 1)
    begin = {"model": since, "before": since - timedelta(days=BEFORE_DAYS), "first": None}[reference]
    frame = counted(engine, begin, today, model)
    frame = frame[frame["source"].eq(source)] if source else frame
    now, missing = _table(frame[frame["day"] >= since]), ""
    held: Table = {}
    if reference == "model":
        held, missing = _of_report(report, model)
    elif reference == "before":
        held = _table(frame[frame["day"] < since])
    elif len(frame):
        end = frame["day"].min() + timedelta(days=FIRST_DAYS)
        held, missing = (_table(frame[frame["day"] < end]), "") if end <= since else ({}, "overlap")
    now, held = _alike(now, held)
    drift = None if missing else compare(now, held, JUDGED[reference])
    return Look(since, today, now, held, drift, missing)


def _alike(now: Table, reference: Table) -> tuple[Table, Table]:
    """Confidence as far as both sides were sent the same, the reference's as if it had been in the same proportions.

    Direct standardisation: the reference's shares within each kind of input are weighed by these days' proportions s
    of the kinds; with n rows of each kind they are worth 1 / sum(s^2 / n) rows (Kish 1965).
    """
    here, there = (by_inputs(table.get("confidence", {})) for table in (now, reference))
    sizes = {kind: sum(counts.values()) for kind, counts in there.items()}
    kinds = [kind for kind in here if sizes.get(kind, 0) >= FEWEST and sum(here[kind].values())]
    total = sum(sum(here[kind].values()) for kind in kinds)
    parts = {kind: sum(here[kind].values()) / total for kind in kinds}
    rows = 1 / sum(part**2 / sizes[kind] for kind, part in parts.items()) if kinds else 0.0
    factors = {kind: rows * part / sizes[kind] for kind, part in parts.items()}
    return (
        {**now, "confidence": _weighed(here, dict.fromkeys(kinds, 1))},
        {**reference, "confidence": _weighed(there, factors)},
    )


def _weighed(counts: Mapping[str, Mapping[str, float]], factors: Mapping[str, float]) -> dict[str, float]:
    found: dict[str, float] = {}
    for kind, factor in factors.items():
        for name, number in counts[kind].items():
            found[name] = found.get(name, 0) + factor * number
    return found


def active_reference() -> tuple[str, Any]:
    """Version of the active model, and what it was measured to meet; None without such a report, "" without a model."""
    try:
        folder = active_bundle()
        manifest = read_manifest(folder)
        listed = "reference.json" in manifest["files"]
        report = parse_json(read_listed(folder, manifest, "reference.json"), "reference.json") if listed else None
        return manifest["version"], report
    except (OSError, BundleError) as error:
        log.warning("no reference of the model: %s", error)
        return "", None


def _table(frame: pd.DataFrame) -> Table:
    sums = frame.groupby(["measure", "class"])["number"].sum()
    table: dict[str, dict[str, float]] = {measure: {} for measure in MEASURES}
    for (measure, name), number in sums.items():
        table.setdefault(measure, {})[name] = int(number)
    return table


def _of_report(report: Any, model: str) -> tuple[Table, str]:
    """Shares times the number of rows they are worth; a report is a file that anybody may have written."""
    if report is None:
        return {}, "no_report"
    try:
        if report["model"] != model:
            return {}, "bad_report"
        rows = float(report["effective_rows"])
        shares = {measure: dict(report["shares"][measure]) for measure in MEASURES}
        table = {
            measure: {str(name): float(v) * rows for name, v in found.items()} for measure, found in shares.items()
        }
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        return {}, "bad_report"
    texts = sum(table["inputs"].get(kind, 0.0) for kind in TEXT)
    wanted = dict.fromkeys(MEASURES, rows) | {"words": texts, "unknown": texts}
    if not all(0 <= v <= 1e9 for found in table.values() for v in found.values()) or not all(
        abs(sum(table[measure].values()) - number) <= 0.01 * rows for measure, number in wanted.items()
    ):
        return {}, "bad_report"
    return table, ""
