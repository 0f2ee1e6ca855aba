"""What the model is known to be bad at: said by its report and its manifest, or by how this program reads text."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import streamlit as st

from model.pieces import MAX_CHARACTERS
from model.reading import MAX_TEXT
from model.taxonomy import Taxonomy
from ui.batch.names import category_name
from ui.card.quality import input_groups, length_name
from ui.card.report import CategoryScores, Confusion, Report, Scores, section, whole
from ui.card.words import DASH, DESCRIPTIONS, INPUTS, interval, measure, named, rows, score, told, tongue, training
from ui.confusion import mistaken
from ui.language import _, listed, number, percent
from ui.style import literal

WEAKEST, MISTAKEN = 5, 3
FEW_ROWS = 30
"""Below this many rows a category's F1 says little."""


@dataclass(frozen=True, slots=True)
class Weakness:
    """A weakness in a few words, and what shows it: Markdown lines."""

    title: str
    shown_by: tuple[str, ...]


def render_weaknesses(manifest: dict[str, Any], report: Report, taxonomy: Taxonomy) -> None:
    """The list, in plain words."""
    if not report.readable:
        st.info(_("Without a report little is known of where this model fails: what follows is what its files say."))
    for weakness in weaknesses(manifest, report, taxonomy):
        lines = "".join(f"\n    - {line}" for line in weakness.shown_by)
        st.markdown(f"- **{weakness.title}**{lines}")


def weaknesses(manifest: dict[str, Any], report: Report, taxonomy: Taxonomy) -> list[Weakness]:
    """Everything known, what touches most products first."""
    return [
        *_written(manifest),
        *_weak_categories(report.categories, taxonomy),
        *_mistaken_pairs(report.confusion, taxonomy),
        *_weak_groups(report),
        *_picture_side(manifest, report),
        *_basis_of_probabilities(report),
        *_unread(),
    ]


def _written(manifest: dict[str, Any]) -> Iterator[Weakness]:
    """What those who made the model wrote down: [{"fr": …, "en": …}]."""
    listed_ = manifest.get("weaknesses")
    lines = tuple(text for text in map(told, listed_ if isinstance(listed_, list) else []) if text != DASH)
    if lines:
        yield Weakness(_("Said by those who made it"), lines)


def _weak_categories(categories: tuple[CategoryScores, ...], taxonomy: Taxonomy) -> Iterator[Weakness]:
    known = sorted((one for one in categories if one.f1 is not None and one.support), key=lambda one: one.f1)
    if known:
        lines = (
            _("{category}: F1 {f1} (95%: {interval}), {rows}").format(
                category=_category(taxonomy, one.code),
                f1=score(one.f1),
                interval=interval(one.interval),
                rows=rows(one.support),
            )
            for one in known[:WEAKEST]
        )
        yield Weakness(_("It recognises these categories least well"), tuple(lines))
    few = [one for one in categories if one.support is not None and one.support < FEW_ROWS]
    if few:
        names = [f"{_category(taxonomy, one.code)} ({number(one.support or 0)})" for one in few]
        yield Weakness(
            _("Too few products were measured in these categories for their F1 to say much"), (listed(names),)
        )


def _mistaken_pairs(confusion: Confusion | None, taxonomy: Taxonomy) -> Iterator[Weakness]:
    if confusion is None:
        return
    lines = []
    for i, j in mistaken(confusion.counts, MISTAKEN):
        n, total = int(confusion.counts[i, j]), int(confusion.counts[i].sum())
        lines.append(
            _("{given} is taken for {answered}: {n} times of {total} ({share})").format(
                given=_category(taxonomy, confusion.codes[i]),
                answered=_category(taxonomy, confusion.codes[j]),
                n=number(n),
                total=number(total),
                share=percent(n / total, 1),
            )
        )
    if lines:
        yield Weakness(_("Its most frequent mistakes"), tuple(lines))


def _weak_groups(report: Report) -> Iterator[Weakness]:
    """Groups whose whole interval lies below that of all products; and a picture that does not help."""
    value, ends = measure(report.overall, "weighted_f1")
    lines = []
    for name, scores in _groups(report):
        low, its = measure(scores, "weighted_f1")
        if ends is not None and its is not None and its[1] < ends[0]:
            lines.append(
                _("{group}: weighted F1 {low} ({interval}) against {all} over all, {rows}").format(
                    group=literal(name),
                    low=score(low),
                    interval=interval(its),
                    all=score(value),
                    rows=rows(scores.rows),
                )
            )
    if lines:
        yield Weakness(_("It is clearly worse here"), tuple(lines))
    text, _ends = measure(report.same_rows.get("text"), "weighted_f1")
    both, _ends = measure(report.same_rows.get("both"), "weighted_f1")
    if text is not None and both is not None and both <= text:
        line = _("On the same products: weighted F1 {both} with text and picture, {text} with the text alone")
        yield Weakness(
            _("Adding the picture to the text does not help"), (line.format(both=score(both), text=score(text)),)
        )
    missing = [_(INPUTS[name]) for name in INPUTS if report.readable and report.by_inputs.get(name) is None]
    if missing:
        yield Weakness(
            _("How good it is was never measured for some products"),
            (_("None of these were among those measured: {groups}.").format(groups=listed(missing)),),
        )


def _groups(report: Report) -> Iterator[tuple[str, Scores | None]]:
    yield from input_groups(report.by_inputs)
    yield from ((tongue(code), scores) for code, scores in report.by_language.items())
    yield from ((length_name(length.start, length.end), length.scores) for length in report.by_length)
    yield from ((named(DESCRIPTIONS, name), scores) for name, scores in report.by_description.items())


def _picture_side(manifest: dict[str, Any], report: Report) -> Iterator[Weakness]:
    seen = whole(training(manifest).get("with_picture"))
    if seen:
        return
    listed_parts = manifest.get("parts")
    parts = [section(part) for part in listed_parts] if isinstance(listed_parts, list) else []
    names = [told(part.get("name")) for part in parts if part.get("role") == "image"]
    from_where = (_("What it knows of pictures comes from: {parts}.").format(parts=listed(names)),) if names else ()
    if seen == 0:
        yield Weakness(_("It was never trained on product photos"), from_where)
    else:
        yield Weakness(_("Its files do not say that it was ever trained on product photos"), from_where)


def _basis_of_probabilities(report: Report) -> Iterator[Weakness]:
    ece = report.overall.values.get("ece")
    if ece is None:
        yield Weakness(_("Whether its probabilities are true was not measured"), ())
        return
    with_picture = sum((scores.rows or 0) for name in ("image", "both") if (scores := report.by_inputs.get(name)))
    line = _("Checked on {rows} of {data}, {pictures} of them with a picture; calibration error {ece}.").format(
        rows=rows(report.overall.rows),
        data=told(report.data.get("name")),
        pictures=number(with_picture),
        ece=score(ece),
    )
    yield Weakness(_("Its probabilities hold for products like those they were checked on, not for others"), (line,))


def _unread() -> Iterator[Weakness]:
    yield Weakness(
        _("It does not read to the end of a long text"),
        (
            _("For the meaning, the first {n} characters of designation and description together.").format(
                n=number(MAX_CHARACTERS)
            ),
            _("For the words, the first {n} characters of each.").format(n=number(MAX_TEXT)),
        ),
    )


def _category(taxonomy: Taxonomy, code: int) -> str:
    return literal(category_name(taxonomy, code))
