"""Can the probabilities be believed, what a threshold leaves to a person, what the lists of categories hold."""

from typing import Any

import streamlit as st

from ui.card.charts import coverage_chart, reliability_chart, set_size_chart
from ui.card.report import Level, Report, Sets, amount, section
from ui.card.words import DASH, interval, metric, score, share
from ui.drawing import said
from ui.language import _, listed, number, percent

_DEFAULT_PERCENT = 60
_MOST = 99
"""The highest threshold of a report, in percent."""


def render_confidence(manifest: dict[str, Any], report: Report) -> None:
    """Threshold, reliability and prediction sets, each in a panel of its own."""
    with st.container(border=True):
        st.subheader(_("What a threshold would leave to a person"), anchor=False)
        render_threshold(manifest, report.coverage)
    grid = st.grid(2, min_column_width=340)
    with grid.cell(), st.container(border=True, height="stretch"):
        st.subheader(_("Are the probabilities true?"), anchor=False)
        render_reliability(report)
    with grid.cell(), st.container(border=True, height="stretch"):
        st.subheader(_("Lists made to hold the right category"), anchor=False)
        render_sets(report.sets)


def render_threshold(manifest: dict[str, Any], levels: tuple[Level, ...]) -> None:
    """A threshold to move; how many products it leaves to the model, and how many of these are right."""
    usual = amount(section(manifest.get("settings")).get("threshold"))
    start = _DEFAULT_PERCENT if usual is None else round(100 * usual)
    st.session_state.setdefault("card_threshold", min(_MOST, max(0, start)))
    chosen = st.slider(_("Threshold (%)"), 0, _MOST, key="card_threshold", persist_state="session")
    level = next((one for one in levels if round(100 * one.threshold) == chosen), None)
    words = in_words(chosen / 100, level)
    st.markdown(words)
    if any(one.accuracy is not None for one in levels):
        st.altair_chart(coverage_chart(levels, level), alt=words.replace("**", ""))
        st.caption(
            _("From right to left the threshold rises: less is decided, and more of it is right. Point to read it.")
        )


def in_words(threshold: float, level: Level | None) -> str:
    """What the threshold does."""
    return _(
        "With a threshold of {threshold}, **{share} of the products** would be decided without a person, "
        "and **{right} of these** would be right (95%: {interval})."
    ).format(
        threshold=percent(threshold),
        share=share(level and level.coverage),
        right=share(level and level.accuracy),
        interval=interval(level and level.interval, share),
    )


def render_reliability(report: Report) -> None:
    """Accuracy against confidence."""
    value = score(report.overall.values.get("ece"))
    spoken = _("Confidence and accuracy lie {ece} apart on average (ECE; 0 is best).").format(ece=value)
    st.caption(
        _("Each point is a bin of answers; on the dashed line, of those given with 80%, 8 in 10 are right.")
        + " "
        + _("Below the line the model is too sure of itself.")
    )
    st.markdown(spoken)
    if report.reliability:
        st.altair_chart(reliability_chart(report.reliability), alt=spoken)


def render_sets(sets: Sets) -> None:
    """What the lists promise, what they hold, how long they are."""
    st.caption(_("Beside its first answer the model gives a list, made to hold the right category a stated share."))
    with st.container(horizontal=True, gap="large"):
        st.metric(_("Stated"), share(sets.stated), width="content")
        with st.container(width="content"):
            metric(
                _("Measured"),
                share(sets.measured),
                _("95%: {interval}").format(interval=interval(sets.interval, share)),
            )
        mean = DASH if sets.mean_size is None else number(sets.mean_size, 2)
        st.metric(_("Categories in a list, on average"), mean, width="content")
    if sets.sizes:
        sizes = sorted(sets.sizes.items(), key=lambda item: (len(item[0]), item[0]))
        spoken = listed([said(size, percent(value, 1)) for size, value in sizes])
        st.altair_chart(set_size_chart(sizes), alt=_("Categories in the list: {sizes}").format(sizes=spoken))
