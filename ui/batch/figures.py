"""The charts of a result, and what they say in words."""

import numpy as np
import streamlit as st

from batch.quality import needing_a_person
from batch.results import NO_LABEL, Results
from ui.batch.cached import taxonomy
from ui.batch.charts import category_bars, confidence_histogram, threshold_curve
from ui.batch.names import category_name
from ui.language import _, listed, number, percent

_DEFAULT_PERCENT = 60
_SPOKEN = 5
"""Bars that the description of a chart names."""


def render_charts(found: Results, threshold: float | None) -> None:
    """Products by category, confidences, and what a threshold would leave to a person."""
    with st.container(border=True):
        st.subheader(_("Products by category"), anchor=False)
        _render_categories(found)
    grid = st.grid(2, min_column_width=380)
    with grid.cell(), st.container(border=True, height="stretch"):
        st.subheader(_("How sure the model is"), anchor=False)
        st.caption(_("The probability of the first category, over all products."))
        median = percent(float(np.median(found.confidence)))
        st.altair_chart(
            confidence_histogram(found.confidence, _("Confidence"), _("Products")),
            alt=_("Half of the products have a confidence of at least {share}.").format(share=median),
        )
    with grid.cell(), st.container(border=True, height="stretch"):
        st.subheader(_("How many a person would look at"), anchor=False)
        _render_threshold(found, threshold)


def _render_categories(found: Results) -> None:
    labels = taxonomy(found.spec.bundle)
    codes, counts = np.unique(found.codes[:, 0], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    names = [category_name(labels, code) for code in codes[order].tolist()]
    counted = counts[order].tolist()
    spoken = listed([f"{name} ({number(count)})" for name, count in zip(names, counted, strict=True)][:_SPOKEN])
    st.altair_chart(
        category_bars(names, counted, _("Products")),
        alt=_("The most frequent: {categories}").format(categories=spoken),
    )


def _render_threshold(found: Results, threshold: float | None) -> None:
    key = f"batch_threshold_{found.job.id}"
    start = _DEFAULT_PERCENT if threshold is None else round(100 * threshold)
    st.session_state.setdefault(key, start)
    chosen = st.slider(_("Threshold (%)"), 0, 100, key=key, persist_state="session") / 100
    thresholds = np.linspace(0, 1, 101)
    counts = needing_a_person(found.confidence, thresholds)
    number_below = int(needing_a_person(found.confidence, [chosen])[0])
    words = _in_words(found, chosen, number_below)
    st.markdown(words)
    st.altair_chart(
        threshold_curve(thresholds, counts, len(found), chosen, _("Threshold"), _("Products for a person")),
        alt=words.replace("**", ""),
    )


def _in_words(found: Results, threshold: float, below: int) -> str:
    sentence = _(
        "With a threshold of {threshold}, a person would look at **{n} of {rows} products ({share})**; "
        "the other {rest} would be left to the model."
    ).format(
        threshold=percent(threshold),
        n=number(below),
        rows=number(len(found)),
        share=percent(below / len(found)),
        rest=number(len(found) - below),
    )
    if found.labels is None:
        return sentence
    left = (found.confidence >= np.float32(threshold)) & (found.labels != NO_LABEL)
    if not left.any():
        return sentence
    right = float((found.labels[left] == found.codes[left, 0]).mean())
    return f"{sentence} " + _("Of those with a category given, {share} have the same one from the model.").format(
        share=percent(right, 1)
    )
