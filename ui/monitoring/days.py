"""What went on over the days: products, the queue, agreement with the model."""

from collections.abc import Sequence
from datetime import date, timedelta

import pandas as pd
import streamlit as st

from decisions.store import DecisionStore
from ui.language import _, ngettext, number, percent
from ui.monitoring.charts import agreement_chart, classified_chart, day_name, waiting_chart
from ui.monitoring.counts import agreement, by_days, model_changes, waiting
from ui.review.cached import all_decisions, all_items
from ui.style import literal

SHOWN_DAYS = 30


def render_days(store: DecisionStore, counted: pd.DataFrame, source: str | None, today: date, model: str) -> None:
    """The last thirty days. ``counted``: `watch.observations.counted`. ``model``: the one that the flags are of."""
    since = today - timedelta(days=SHOWN_DAYS - 1)
    changes = model_changes(counted, since, today)
    with st.container(border=True):
        st.subheader(_("Products classified by day"), anchor=False)
        days, counts = by_days(counted, source, since, today)
        total = sum(counts)
        words = ngettext("{n} product in {days} days", "{n} products in {days} days", total)
        said = words.format(n=number(total), days=number(SHOWN_DAYS))
        st.altair_chart(classified_chart(days, counts, changes), key="monitoring_days", alt=said)
        st.caption(said)
        if set(counted["model"][counted["day"] >= since]) - {model}:
            st.caption(
                _("By all models of these days; what is compared above are the answers of {model} alone.").format(
                    model=literal(model)
                )
            )
        _render_changes(changes)
    grid = st.grid(2, min_column_width=380)
    with grid.cell(), st.container(border=True, height="stretch"):
        st.subheader(_("Waiting in the queue"), anchor=False)
        _render_waiting(store, since, today, changes)
    with grid.cell(), st.container(border=True, height="stretch"):
        st.subheader(_("Agreement with the model"), anchor=False)
        _render_agreement(store, since, today, changes)


def _render_changes(changes: Sequence[tuple[date, str]]) -> None:
    if changes:
        named = ", ".join(f"{literal(model)} ({day_name(day)})" for day, model in changes)
        st.caption(_("Dashed: a model came into use – {models}").format(models=named))


def _render_waiting(store: DecisionStore, since: date, today: date, changes: Sequence[tuple[date, str]]) -> None:
    items = all_items(store)
    if items.empty:
        st.caption(_("Nothing is in the queue yet, so there is nothing to count."))
        return
    days, counts = waiting(items, since, today)
    words = ngettext("{n} product waits now", "{n} products wait now", counts[-1]).format(n=number(counts[-1]))
    st.altair_chart(waiting_chart(days, counts, changes), key="monitoring_waiting", alt=words)
    st.caption(words)


def _render_agreement(store: DecisionStore, since: date, today: date, changes: Sequence[tuple[date, str]]) -> None:
    found = agreement(all_decisions(store), since, today)
    if found.empty:
        st.caption(_("Nobody has decided yet."))
        return
    decided, agreed = int(found["decided"].sum()), int(found["agreed"].sum())
    words = ngettext(
        "{share} of {n} decision took what the model suggested; lines are 95% intervals",
        "{share} of {n} decisions took what the model suggested; lines are 95% intervals",
        decided,
    ).format(share=percent(agreed / decided, 1), n=number(decided))
    st.altair_chart(agreement_chart(found, changes), key="monitoring_agreement", alt=words)
    st.caption(words)
