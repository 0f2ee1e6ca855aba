"""How far the queue is, and how often people agree with the model and with each other."""

import numpy as np
import pandas as pd
import streamlit as st

from decisions.statistics import by_category, by_day, by_person, corrections, totals
from decisions.store import DecisionStore
from model.taxonomy import Taxonomy
from ui.decide.names import category_of
from ui.language import _, duration, ngettext, number, percent
from ui.review.cached import all_decisions, all_items
from ui.review.charts import days_chart

_CORRECTIONS = 15


def render_figures(store: DecisionStore, taxonomy: Taxonomy) -> None:
    """Progress and agreement, in all, by category, by person, by day."""
    with st.spinner(_("Counting…")):
        items, log = all_items(store), all_decisions(store)
    if items.empty:
        st.info(_("Nothing is in the queue yet, so there is nothing to count."))
        return
    _render_totals(items)
    with st.container(border=True):
        st.subheader(_("By person"), anchor=False)
        _render_people(log)
    grid = st.grid(2, min_column_width=380)
    with grid.cell(), st.container(border=True, height="stretch"):
        st.subheader(_("By day"), anchor=False)
        _render_days(log)
    with grid.cell(), st.container(border=True, height="stretch"):
        st.subheader(_("What people corrected"), anchor=False)
        _render_corrections(items, taxonomy)
    with st.container(border=True):
        st.subheader(_("By category suggested"), anchor=False)
        _render_categories(items, taxonomy)


def _render_totals(items: pd.DataFrame) -> None:
    found = totals(items)
    done = found["decided"] + found["approved"]
    with st.container(border=True):
        st.progress(
            done / len(items),
            text=_("{done} of {all} products decided").format(done=number(done), all=number(len(items))),
        )
        with st.container(horizontal=True, gap="large"):
            st.metric(_("To decide"), number(found["waiting"]), width="content")
            st.metric(_("Skipped"), number(found["skipped"]), width="content")
            st.metric(_("Decided"), number(done), width="content")
            st.metric(
                _("of these approved"),
                number(found["approved"]),
                width="content",
                help=_("A second person looked and agreed."),
            )
            st.metric(
                _("Agreement with the model"),
                _share(found["share"]),
                width="content",
                help=_(
                    "Of the products given a category, those given the first one suggested (95%: {interval})."
                ).format(interval=_interval(found["low"], found["high"])),
            )
        st.caption(
            _(
                "The queue holds what the model is unsure of: its agreement here says little about all products. "
                "The tab on the threshold makes up for that."
            )
        )


def _render_people(log: pd.DataFrame) -> None:
    people = by_person(log)
    if people.empty:
        st.caption(_("Nobody has decided yet."))
        return
    st.dataframe(
        pd.DataFrame(
            {
                _("Name"): people.index,
                _("Decided"): people["decided"] + people["unknown"],
                _("Agreement with the model"): _shares(people),
                _("I don’t know"): people["unknown"],
                _("Skipped"): people["skipped"],
                _("Time for one"): [_seconds(value) for value in people["seconds"]],
                _("Upheld on a second look"): [
                    _("{upheld} of {looked}").format(upheld=number(upheld), looked=number(looked)) if looked else "–"
                    for upheld, looked in zip(people["upheld"], people["looked_at"], strict=True)
                ],
            }
        ),
        hide_index=True,
        width="stretch",
        height="content",
        alt=_("Decisions by person"),
    )


def _render_days(log: pd.DataFrame) -> None:
    days = by_day(log)
    if days.empty:
        st.caption(_("Nobody has decided yet."))
        return
    total = int(days["decided"].sum())
    words = ngettext("{n} decision on {days}", "{n} decisions on {days}", total).format(
        n=number(total), days=ngettext("{n} day", "{n} days", len(days)).format(n=number(len(days)))
    )
    st.altair_chart(days_chart(days), alt=words)
    st.caption(words)


def _render_categories(items: pd.DataFrame, taxonomy: Taxonomy) -> None:
    table = by_category(items).sort_values("waiting", ascending=False, kind="stable")
    st.dataframe(
        pd.DataFrame(
            {
                _("Category"): [category_of(taxonomy, int(code)) for code in table.index],
                _("To decide"): table["waiting"],
                _("Decided"): table["decided"] + table["unknown"],
                _("Agreement with the model"): _shares(table),
                _("I don’t know"): table["unknown"],
                _("Skipped"): table["skipped"],
            }
        ),
        hide_index=True,
        width="stretch",
        alt=_("Decisions by category"),
    )


def _render_corrections(items: pd.DataFrame, taxonomy: Taxonomy) -> None:
    found = corrections(items)
    if found.empty:
        st.caption(_("No suggestion has been corrected yet."))
        return
    shown = found.head(_CORRECTIONS)
    st.dataframe(
        pd.DataFrame(
            {
                _("Suggested"): [category_of(taxonomy, int(code)) for code in shown["first"]],
                _("Corrected to"): [category_of(taxonomy, int(code)) for code in shown["code"]],
                _("Products"): shown["number"],
            }
        ),
        hide_index=True,
        width="stretch",
        height="content",
        alt=_("The most frequent corrections"),
    )
    if len(found) > _CORRECTIONS:
        more = len(found) - _CORRECTIONS
        st.caption(
            ngettext("{n} rarer pair is not shown.", "{n} rarer pairs are not shown.", more).format(n=number(more))
        )


def _shares(table: pd.DataFrame) -> list[str]:
    """Agreement with its interval, written."""
    return [
        "–" if not decided else f"{_share(share)} ({_interval(low, high)})"
        for decided, share, low, high in zip(table["decided"], table["share"], table["low"], table["high"], strict=True)
    ]


def _share(value: float) -> str:
    return "–" if np.isnan(value) else percent(value)


def _interval(low: float, high: float) -> str:
    return "–" if np.isnan(low) else f"{percent(low)} – {percent(high)}"


def _seconds(value: float) -> str:
    if np.isnan(value):
        return "–"
    return duration(value) if value >= 60 else _("{n} s").format(n=number(value, 1))
