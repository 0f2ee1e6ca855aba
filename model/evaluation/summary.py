"""A report in a few lines, for a terminal."""

from collections.abc import Iterator
from typing import Any

from model.evaluation.report import english
from model.evaluation.scores import Scores

INPUTS = {"text": "text alone", "image": "picture alone", "both": "text and picture"}
_INTERVALLED = ("weighted_f1", "macro_f1", "accuracy")
_HEADER = ("", "rows", "weighted F1", "macro F1", "accuracy", "ECE")


def summary(report: dict[str, Any]) -> str:
    """The scores by inputs and language, calibration and prediction sets."""
    data, overall, sets = report["data"], report["overall"], report["sets"]
    left_out = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in data["left_out"].items() if count)
    lines = [
        f"{report['model']} on {data['name']}, {data['rows']} rows" + (f" (left out: {left_out})" if left_out else "")
    ]
    caution = english(report["caution"])
    lines += [f"caution: {caution}"] if caution else []
    table = [_HEADER, *(_line(name, found) for name, found in _groups(report) if found)]
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEADER))]
    lines += [
        "",
        *("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table),
    ]
    measured = f"{share(sets['measured_coverage'])} {ends(sets['measured_coverage_interval'], share)}"
    auroc, top = decimal(overall["auroc_of_confidence"]), share(overall["top3_accuracy"])
    lines += [
        "",
        f"AUROC of confidence {auroc}, top-3 accuracy {top}",
        f"prediction sets: stated coverage {share(sets['stated_coverage'])}, measured {measured}, "
        f"mean size {sets['mean_size']:.2f}",
    ]
    return "\n".join(lines)


def share(value: float | None) -> str:
    """A share in per cent; a dash for none."""
    return "–" if value is None else f"{100 * value:.1f} %"


def decimal(value: float | None) -> str:
    """A measure in [0, 1] with three decimals; a dash for none."""
    return "–" if value is None else f"{value:.3f}"


def with_interval(found: Scores, name: str) -> str:
    """A measure and its interval."""
    return f"{decimal(found[name])} {ends(found[f'{name}_interval'], decimal)}".rstrip()


def ends(interval: list[float] | None, form: Any) -> str:
    return "" if interval is None else f"[{form(interval[0])}, {form(interval[1])}]"


def _groups(report: dict[str, Any]) -> Iterator[tuple[str, Scores | None]]:
    yield "all", report["overall"]
    yield from ((INPUTS[name], found) for name, found in report["by_inputs"].items())
    yield from report["by_language"].items()


def _line(name: str, found: Scores) -> tuple[str, ...]:
    measured = (with_interval(found, measure) for measure in _INTERVALLED)
    return (name, str(found["rows"]), *measured, decimal(found["ece"]))
