"""The top of the page: which model this is, its main numbers, and how far they can be trusted."""

from typing import Any

import streamlit as st

from ui.card.report import Report, whole
from ui.card.words import DASH, count, interval, measure, metric, on_day, rows, score, share, told, training
from ui.language import N_, _, ngettext
from ui.style import heading

# Measure, name, how it is written, what it is.
_SHOWN = (
    (
        "weighted_f1",
        N_("Weighted F1"),
        score,
        N_("Mean F1 of the categories, each counting as much as it has rows: the challenge's measure."),
    ),
    ("macro_f1", N_("Macro F1"), score, N_("Mean F1 of the categories, each counting the same.")),
    ("accuracy", N_("Accuracy"), share, N_("Rows whose first category is the right one.")),
    ("top3_accuracy", N_("Among the first three"), share, N_("Rows whose right category is among the first three.")),
    (
        "ece",
        N_("Calibration error (ECE)"),
        score,
        N_("How far confidence and accuracy lie apart on average; 0 is best."),
    ),
    (
        "auroc_of_confidence",
        N_("AUROC of confidence"),
        score,
        N_("How often a right answer is more confident than a wrong one; 0.5 is chance, 1 is best."),
    ),
)


def render_headline(manifest: dict[str, Any], report: Report) -> None:
    """Name, date, training data, main numbers with their intervals, and the caution that goes with them."""
    with st.container(border=True, key="card_headline"):
        heading(
            _("The model in use, made on {day}").format(day=on_day(manifest.get("created"))),
            str(manifest.get("version") or DASH),
            "",
        )
        st.markdown(_trained_on(manifest))
        render_numbers(report)
        st.caption(_measured_by(report))
        if report.about.get("caution"):
            st.warning(_("**To be taken with caution:** {caution}").format(caution=told(report.about["caution"])))


def render_numbers(report: Report) -> None:
    """The main numbers; dashes, and why, when there is no report."""
    grid = st.grid(6, min_column_width=135)
    for name, title, written, help_ in _SHOWN:
        value, ends = measure(report.overall, name)
        with grid.cell():
            metric(_(title), written(value), _("95%: {interval}").format(interval=interval(ends, written)), _(help_))
    if not report.readable:
        st.info(_("This model comes without a report that this program reads, so its numbers are not known here."))


def _trained_on(manifest: dict[str, Any]) -> str:
    found = training(manifest)
    if whole(found.get("rows")) is None and not found.get("data"):
        return _("The bundle does not say what the model was trained on.")
    sentence = ngettext(
        "Trained on {n} product ({data}).", "Trained on {n} products ({data}).", whole(found.get("rows")) or 0
    )
    return sentence.format(n=count(found.get("rows")), data=told(found.get("data")))


def _measured_by(report: Report) -> str:
    if not report.readable:
        return _("Not measured.")
    sentence = _("Measured on {rows} of {data}, {day}, by the command {command}.").format(
        rows=rows(report.overall.rows),
        data=told(report.data.get("name")),
        day=on_day(report.about.get("created")),
        command=told(report.about.get("command")),
    )
    if report.about.get("weighting"):
        sentence += " " + _("Weighting: {weighting}.").format(weighting=told(report.about["weighting"]))
    model = report.about.get("model")
    return sentence if model is None else f"{sentence} " + _("Model measured: {model}.").format(model=told(model))
