"""A report as a page that asks nothing of any other machine: tables and drawings, all numbers of it."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from model.evaluation.drawings import coverage_drawing, reliability_drawing
from model.evaluation.report import english
from model.evaluation.scores import Scores
from model.evaluation.summary import INPUTS, decimal, ends, share, with_interval
from model.taxonomy import Taxonomy

_TEMPLATE = Path(__file__).with_name("page.html")
_MEASURES = ("Rows", "Weighted F1", "Macro F1", "Accuracy", "Top-3 accuracy", "ECE", "AUROC of confidence")
_INTERVALS = "Measures are followed by their 95 % interval (percentile bootstrap over rows)."

Row = Sequence[str]


def page(report: dict[str, Any], taxonomy: Taxonomy) -> str:
    """The page, complete HTML; whatever the report says is escaped."""
    labels = {code: f"{code} {taxonomy[code].label_en}" for code in taxonomy.codes}
    body = [
        f"<h1>{escape(str(report['model']))} on {escape(str(report['data'].get('name')))}</h1>",
        *_about(report),
        "<h2>Scores</h2>",
        f"<p>{_INTERVALS}</p>",
        _scores(report),
        "<h2>Confidence</h2>",
        _confidence(report),
        "<h2>Prediction sets</h2>",
        _sets(report["sets"]),
        "<h2>Categories</h2>",
        _table(("Category", "Rows", "Precision", "Recall", "F1"), _categories(report["categories"], labels)),
        "<h2>Confusion</h2>",
        _confusion(report["confusion"], labels),
    ]
    title = escape(f"{report['model']} on {report['data'].get('name')}")
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(title=title, body="\n".join(body))


def _about(report: dict[str, Any]) -> Iterator[str]:
    if caution := english(report["caution"]):
        yield f'<p class="caution">{escape(caution)}</p>'
    data = report["data"]
    counted = {**data.get("left_out", {}), **data.get("notices", {})}
    facts = {
        "Measured": f"{report['created']}, by {report['command']}",
        "Rows": data.get("rows"),
        "Left out or incomplete": ", ".join(f"{name.replace('_', ' ')}: {count}" for name, count in counted.items()),
        "Fingerprint of the rows": data.get("fingerprint"),
        "Weighting": report["weighting"],
        "Languages estimated by": report.get("language_by"),
    }
    known = {name: value for name, value in facts.items() if value not in (None, "")}
    yield f"<dl>{''.join(f'<dt>{name}</dt><dd>{escape(str(value))}</dd>' for name, value in known.items())}</dl>"


def _scores(report: dict[str, Any]) -> str:
    """All groups in one table, so that their columns stand below each other."""
    parts = [_rows([("", *_MEASURES)], "th")]
    for title, rows in _groups(report):
        if rows:
            parts += [f'<tr><th class="group" colspan="{len(_MEASURES) + 1}">{title}</th></tr>', _rows(rows)]
    return _framed("\n".join(parts))


def _groups(report: dict[str, Any]) -> Iterator[tuple[str, list[Row]]]:
    yield "All rows", [_measured("all", report["overall"])]
    yield "By what a row has", _named((INPUTS[name], found) for name, found in report["by_inputs"].items())
    same = report["same_rows"] or {}
    yield "Rows with both, read in three ways", _named((INPUTS[name], found) for name, found in same.items())
    yield "By language", _named(report["by_language"].items())
    lengths = (
        (f"{row['from']}–{row['to']}", row) if row["to"] else (f"from {row['from']}", row)
        for row in report["by_length"]
    )
    yield "By number of words", _named((name, row["scores"]) for name, row in lengths)
    yield "By description", _named(report["by_description"].items())
    yield "Other parts", _named(report["subsets"].items())
    if report["branches"]:
        yield "Branches alone", [(name, "", decimal(value), *[""] * 5) for name, value in report["branches"].items()]


def _named(groups: Iterable[tuple[str, Scores | None]]) -> list[Row]:
    return [_measured(name, found) for name, found in groups if found]


def _measured(name: str, found: Scores) -> Row:
    intervalled = (with_interval(found, measure) for measure in ("weighted_f1", "macro_f1", "accuracy"))
    others = (decimal(found[measure]) for measure in ("top3_accuracy", "ece", "auroc_of_confidence"))
    return (name, str(found["rows"]), *intervalled, *others)


def _confidence(report: dict[str, Any]) -> str:
    bins = [
        (f"{share(b['from'])} – {share(b['to'])}", str(b["rows"]), share(b["confidence"]), share(b["accuracy"]))
        for b in report["reliability"]
    ]
    levels = [
        (
            f"{level['threshold']:.2f}",
            share(level["coverage"]),
            share(level["accuracy"]),
            ends(level["accuracy_interval"], share),
        )
        for level in report["coverage"]
    ]
    reliability = _table(("Confidence", "Rows", "Mean confidence", "Right"), bins)
    coverage = _table(("Threshold", "Decided without a person", "Right among these", "95 % interval"), levels)
    return (
        f'<div class="charts"><figure>{reliability_drawing(report["reliability"])}'
        f"<figcaption>How often answers of a confidence are right</figcaption>{_folded(reliability)}</figure>"
        f"<figure>{coverage_drawing(report['coverage'])}"
        f"<figcaption>What a threshold decides, and how well</figcaption>{_folded(coverage)}</figure></div>"
    )


def _sets(found: dict[str, Any]) -> str:
    rows = [
        ("stated coverage", share(found["stated_coverage"])),
        (
            "measured coverage",
            f"{share(found['measured_coverage'])} {ends(found['measured_coverage_interval'], share)}",
        ),
        ("mean size", decimal(found["mean_size"])),
        *((f"sets of {size}", share(value)) for size, value in found["sizes"].items()),
    ]
    return _framed(_rows(rows))


def _categories(categories: Sequence[dict[str, Any]], labels: dict[int, str]) -> list[Row]:
    return [
        (
            labels.get(row["code"], str(row["code"])),
            str(row["support"]),
            decimal(row["precision"]),
            decimal(row["recall"]),
            with_interval(row, "f1"),
        )
        for row in categories
    ]


def _confusion(found: dict[str, Any], labels: dict[int, str]) -> str:
    """Rows by truth (down) and answer (across); the darker, the larger the share of the truth's rows."""
    codes = found["codes"]
    names = [escape(labels.get(code, str(code))) for code in codes]
    head = "".join(f'<th title="{name}">{code}</th>' for code, name in zip(codes, names, strict=True))
    lines = []
    for name, counts in zip(names, found["counts"], strict=True):
        total = sum(counts)
        cells = (
            f'<td style="background:rgba(var(--hue),{0.75 * count / total:.3f})" title="{name} answered {answer}: '
            f'{count} of {total}">{count}</td>'
            if count
            else "<td></td>"
            for count, answer in zip(counts, names, strict=True)
        )
        lines.append(f"<tr><th>{name}</th>{''.join(cells)}</tr>")
    caption = "Down: the right category. Across: the answer. The darker, the larger its share of the right category."
    top = f"<caption>{caption}</caption><tr><th></th>{head}</tr>"
    return _framed("\n".join([top, *lines]), "cells")


def _table(header: Row, rows: Iterable[Row]) -> str:
    return _framed(f"{_rows([header], 'th')}\n{_rows(rows)}")


def _rows(rows: Iterable[Row], cell: str = "td") -> str:
    """Lines of a table, the first cell of each its name; escaped."""
    lines = (
        f"<tr><th>{escape(name)}</th>{''.join(f'<{cell}>{escape(value)}</{cell}>' for value in values)}</tr>"
        for name, *values in rows
    )
    return "\n".join(lines)


def _framed(lines: str, kind: str = "numbers") -> str:
    return f'<div class="wide"><table class="{kind}">\n{lines}\n</table></div>'


def _folded(table: str) -> str:
    return f"<details><summary>Numbers</summary>{table}</details>"
