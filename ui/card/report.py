"""The report of a bundle as the page reads it: what is absent, null or no number is None, and shown as a dash."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

SCHEMA = 2
"""The form of ``metrics.json`` that this program reads."""
MEASURES = ("weighted_f1", "macro_f1", "accuracy", "top3_accuracy", "ece", "auroc_of_confidence")

_MOST = 2**53

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Scores:
    """Quality over some rows; measures and their 95 % intervals by name, those that there are."""

    rows: int | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    intervals: Mapping[str, Interval] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CategoryScores:
    """Quality for one category."""

    code: int
    support: int | None
    precision: float | None
    recall: float | None
    f1: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Length:
    """Products of ``start`` to ``end`` words; no end is None."""

    start: int
    end: int | None
    scores: Scores | None


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of nearly one confidence."""

    start: float
    end: float
    rows: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Level:
    """What a threshold leaves to the model (share of products) and how much of that is right."""

    threshold: float
    coverage: float
    accuracy: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts by truth (down) and answer (across), int (n, n)."""

    codes: tuple[int, ...]
    counts: np.ndarray


@dataclass(frozen=True, slots=True)
class Sets:
    """Prediction sets; ``sizes``: share of products by number of categories in their list."""

    stated: float | None = None
    measured: float | None = None
    interval: Interval | None = None
    mean_size: float | None = None
    sizes: Mapping[str, float] = field(default_factory=dict)


Groups = Mapping[str, Scores | None]


@dataclass(frozen=True, slots=True)
class Report:
    """All of it; ``readable`` is False, and the rest empty, when the bundle has no report of this form."""

    readable: bool
    about: Mapping[str, Any]
    data: Mapping[str, Any]
    overall: Scores
    by_inputs: Groups
    same_rows: Groups
    by_language: Groups
    by_length: tuple[Length, ...]
    by_description: Groups
    subsets: Groups
    categories: tuple[CategoryScores, ...]
    confusion: Confusion | None
    reliability: tuple[Bin, ...]
    coverage: tuple[Level, ...]
    sets: Sets
    branches: Mapping[str, float | None]


def read_report(raw: Any) -> Report:
    """Reads ``metrics.json``."""
    readable = section(raw).get("schema") == SCHEMA
    report = section(raw) if readable else {}
    return Report(
        readable=readable,
        about=report,
        data=section(report.get("data")),
        overall=_scores(report.get("overall")) or Scores(),
        by_inputs=_groups(report.get("by_inputs")),
        same_rows=_groups(report.get("same_rows")),
        by_language=_groups(report.get("by_language")),
        by_length=tuple(
            Length(whole(row.get("from")) or 0, whole(row.get("to")), _scores(row.get("scores")))
            for row in _rows(report.get("by_length"))
        ),
        by_description=_groups(report.get("by_description")),
        subsets=_groups(report.get("subsets")),
        categories=_categories(report.get("categories")),
        confusion=_confusion(section(report.get("confusion"))),
        reliability=_reliability(report.get("reliability")),
        coverage=_coverage(report.get("coverage")),
        sets=_sets(section(report.get("sets"))),
        branches={str(name): amount(value) for name, value in section(report.get("branches")).items()},
    )


def section(value: Any) -> Mapping[str, Any]:
    """A mapping; an empty one in the place of anything else."""
    return value if isinstance(value, Mapping) else {}


def amount(value: Any) -> float | None:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def whole(value: Any) -> int | None:
    """A whole number, not negative, and none that a float cannot hold."""
    found = amount(value)
    return int(found) if found is not None and 0 <= found < _MOST and found == int(found) else None


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def _interval(value: Any) -> Interval | None:
    ends = [amount(end) for end in value] if isinstance(value, list) else []
    return (ends[0], ends[1]) if len(ends) == 2 and None not in ends else None


def _scores(value: Any) -> Scores | None:
    found = section(value)
    if not found:
        return None
    values = {name: amount(found.get(name)) for name in MEASURES}
    intervals = {name: _interval(found.get(f"{name}_interval")) for name in MEASURES}
    return Scores(
        whole(found.get("rows")),
        {name: value for name, value in values.items() if value is not None},
        {name: interval for name, interval in intervals.items() if interval is not None},
    )


def _groups(value: Any) -> Groups:
    return {str(name): _scores(scores) for name, scores in section(value).items()}


def _categories(value: Any) -> tuple[CategoryScores, ...]:
    return tuple(
        CategoryScores(
            code,
            whole(row.get("support")),
            amount(row.get("precision")),
            amount(row.get("recall")),
            amount(row.get("f1")),
            _interval(row.get("f1_interval")),
        )
        for row in _rows(value)
        if (code := whole(row.get("code"))) is not None
    )


def _confusion(found: Mapping[str, Any]) -> Confusion | None:
    codes, lines = found.get("codes"), found.get("counts")
    if not isinstance(codes, list) or not isinstance(lines, list) or not codes or len(codes) != len(lines):
        return None
    cells = [[whole(cell) for cell in line] if isinstance(line, list) else [] for line in lines]
    names = [whole(code) for code in codes]
    if None in names or any(len(line) != len(codes) or None in line for line in cells):
        return None
    return Confusion(tuple(names), np.array(cells, int))


def _reliability(value: Any) -> tuple[Bin, ...]:
    names = ("from", "to", "confidence", "accuracy")
    return tuple(
        Bin(start, end, rows, confidence, accuracy)
        for row in _rows(value)
        if None not in (found := [amount(row.get(name)) for name in names]) and (rows := whole(row.get("rows")))
        for start, end, confidence, accuracy in [found]
    )


def _coverage(value: Any) -> tuple[Level, ...]:
    return tuple(
        Level(threshold, coverage, amount(row.get("accuracy")), _interval(row.get("accuracy_interval")))
        for row in _rows(value)
        if (threshold := amount(row.get("threshold"))) is not None
        and (coverage := amount(row.get("coverage"))) is not None
    )


def _sets(found: Mapping[str, Any]) -> Sets:
    sizes = {str(size): amount(share) for size, share in section(found.get("sizes")).items()}
    return Sets(
        amount(found.get("stated_coverage")),
        amount(found.get("measured_coverage")),
        _interval(found.get("measured_coverage_interval")),
        amount(found.get("mean_size")),
        {size: share for size, share in sizes.items() if share is not None},
    )
