"""A threshold to move: what share would go without a person, and how much of that has been right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from decisions.store import DecisionStore
from decisions.threshold import automatic, threshold_for
from model.bundle import BundleError
from model.bundle_files import parse_json, read_listed, read_manifest
from model.versions import active_bundle
from ui.card.report import Level, read_report
from ui.language import _, ngettext, number, percent
from ui.review.cached import all_sent
from ui.review.charts import automatic_chart

_THRESHOLDS = np.arange(100) / 100
_WANTED = (0.9, 0.95, 0.98, 0.99)
_FEW = 30
"""Below this many decisions a share is hardly known."""


def render_threshold(store: DecisionStore) -> None:
    """The threshold, what it did so far according to people, and what the model's card says of it."""
    with st.spinner(_("Counting…")):
        sent = _of_one_model(all_sent(store))
    usual, levels = _card()
    curve = automatic(sent, _THRESHOLDS)
    st.session_state.setdefault("review_threshold", usual)
    _render_wanted(curve)
    chosen = st.slider(
        _("Threshold (%): what the model is surer of goes without a person"),
        0,
        99,
        key="review_threshold",
        persist_state="session",
    )
    here = curve.iloc[chosen]
    grid = st.grid(2, min_column_width=340)
    with grid.cell(), st.container(border=True, height="stretch"):
        st.subheader(_("According to what people decided"), anchor=False)
        _render_decided(here, sent)
    with grid.cell(), st.container(border=True, height="stretch"):
        st.subheader(_("According to the model’s card"), anchor=False)
        _render_card(next((level for level in levels if round(100 * level.threshold) == chosen), None))
    card = pd.DataFrame(
        [(level.threshold, level.coverage, level.accuracy) for level in levels if level.accuracy is not None],
        columns=["threshold", "share", "accuracy"],
    )
    if len(card) or curve["accuracy"].notna().any():
        with st.container(border=True):
            st.altair_chart(automatic_chart(curve, card, chosen / 100), alt=_in_words(here).replace("**", ""))
            st.caption(
                _(
                    "Full line: decisions, with their 95% interval. Dashed: the model’s card. "
                    "From right to left the threshold rises; the dots stand at the one chosen. Point to read."
                )
            )
    with st.expander(_("How this is worked out"), key="review_threshold_how"):
        st.markdown(
            _(
                "Only rows of files that were sent count: all below their file’s threshold, and a random sample of the "
                "rest, the audit, each row of which stands for several. A product that is in several files, or several "
                "times in one, counts each time. Products decided on stand for those that are not decided yet, deleted "
                "ones included, so that confidences, categories and files are those of all. “I don’t know” and "
                "skipping count neither way; what they could hide is said. Without an audit sample, nothing is known "
                "of what goes without a person."
            )
        )


def _of_one_model(sent: pd.DataFrame) -> pd.DataFrame:
    """The rows of the model chosen, the latest unless another is."""
    models = sent.sort_values("sent_at")["model"].drop_duplicates(keep="last").tolist()[::-1]
    if len(models) < 2:
        return sent
    chosen = st.selectbox(_("Model that made the suggestions"), models, key="review_threshold_model")
    return sent[sent["model"] == chosen]


def _render_wanted(curve: pd.DataFrame) -> None:
    """A button for each accuracy, which sets the threshold that surely reaches it."""
    found = {wanted: threshold_for(curve, wanted, _FEW) for wanted in _WANTED}
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(_("Surely right at least:"), width="content")
        for wanted, threshold in found.items():
            st.button(
                percent(wanted),
                key=f"review_wanted_{wanted:g}",
                disabled=threshold is None,
                help=_("No threshold is known to reach this yet: more decisions on audited products are needed.")
                if threshold is None
                else _("Sets the threshold to {threshold}.").format(threshold=percent(threshold)),
                on_click=_set_threshold,
                args=(threshold,),
            )


def _set_threshold(threshold: float) -> None:
    st.session_state["review_threshold"] = round(100 * threshold)


def _render_decided(here: pd.Series, sent: pd.DataFrame) -> None:
    if sent.empty:
        st.info(_("No file has been sent to the queue yet: open a classified file, tab “To the moderators”."))
        return
    _render_shares(
        (here["share"], here["share_low"], here["share_high"]), (here["accuracy"], here["low"], here["high"])
    )
    judged = int(here["judged"])
    words = ngettext("Rests on {n} decision.", "Rests on {n} decisions.", judged).format(n=number(judged))
    if judged < _FEW:
        st.warning(words + " " + _("That is little: decide on more products of the audit."))
        return
    st.caption(words)
    if here["unanswered"] > 0:
        st.caption(
            _(
                "{share} of those looked at were skipped or not known: were all these wrong, {floor} would be right."
            ).format(
                share=percent(here["unanswered"], 1), floor=percent(here["accuracy"] * (1 - here["unanswered"]), 1)
            )
        )
    if here["represented"] < 0.95:
        st.warning(
            _(
                "For {share} of these products nobody has decided on any of about the same confidence, category or "
                "file yet. The interval allows for all of them being wrong, and for all being right."
            ).format(share=percent(1 - here["represented"]))
        )


def _render_card(level: Level | None) -> None:
    if level is None:
        st.info(_("The model’s card has no such numbers."))
        return
    nan = float("nan")
    low, high = level.interval or (nan, nan)
    accuracy = nan if level.accuracy is None else level.accuracy
    _render_shares((level.coverage, nan, nan), (accuracy, low, high))
    st.caption(_("Measured on the listings kept aside when the model was trained."))


def _render_shares(share: tuple[float, float, float], accuracy: tuple[float, float, float]) -> None:
    with st.container(horizontal=True, gap="large"):
        for title, (value, low, high) in ((_("Without a person"), share), (_("Right among these"), accuracy)):
            with st.container(gap="xxsmall", width="content"):
                st.metric(title, _written(value))
                if not np.isnan(low):
                    st.caption(_("95%: {low} – {high}").format(low=_written(low), high=_written(high)))


def _in_words(here: pd.Series) -> str:
    return _(
        "With a threshold of {threshold}, {share} would go without a person, and {right} of these be right."
    ).format(threshold=percent(here["threshold"]), share=_written(here["share"]), right=_written(here["accuracy"]))


def _written(value: Any) -> str:
    return "–" if np.isnan(value) else percent(value, 1)


def _card() -> tuple[int, tuple[Level, ...]]:
    """The active model's own threshold, in percent, and the levels of its report."""
    try:
        return _card_of(str(active_bundle()))
    except BundleError:  # said where something is classified; here only its numbers are missing
        return 60, ()


@st.cache_data(max_entries=4, show_spinner=False)
def _card_of(folder: str) -> tuple[int, tuple[Level, ...]]:
    place = Path(folder)
    manifest = read_manifest(place)
    listed = "metrics.json" in manifest["files"]
    report = parse_json(read_listed(place, manifest, "metrics.json"), "metrics.json") if listed else None
    return round(100 * float(manifest["settings"]["threshold"])), read_report(report).coverage
