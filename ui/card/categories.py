"""Each category: how well it is recognised, what it is taken for, what it covers."""

import numpy as np
import pandas as pd
import streamlit as st

from model.taxonomy import Taxonomy
from ui.batch.names import category_name
from ui.card.report import CategoryScores, Confusion, Report
from ui.card.words import DASH, interval, score
from ui.categories import render_categories
from ui.charts import Bar, bars
from ui.confusion import render_confusion as render_confusion_map
from ui.language import _, listed

_STEP = 34  # pixels
_SPOKEN = 5
"""Bars that the description of a chart names."""


def render_each_category(report: Report, taxonomy: Taxonomy) -> None:
    """Scope with F1, F1 as bars, all numbers, and the confusion map."""
    with st.container(border=True):
        st.subheader(_("What each category covers"), anchor=False)
        f1 = {category.code: category.f1 for category in report.categories}
        render_categories(taxonomy, "card", f1)
    with st.container(border=True):
        st.subheader(_("F1 of each category"), anchor=False)
        render_f1(report.categories, taxonomy)
    with st.container(border=True):
        st.subheader(_("What is taken for what"), anchor=False)
        render_confusion(report.confusion, taxonomy)
    with st.container(border=True):
        st.subheader(_("Each category"), anchor=False)
        render_table(report.categories, taxonomy)


def render_f1(categories: tuple[CategoryScores, ...], taxonomy: Taxonomy) -> None:
    """Bars with their intervals, the best first."""
    known = sorted((one for one in categories if one.f1 is not None), key=lambda one: -one.f1)
    if not known:
        st.markdown(DASH)
        return
    drawn = [
        Bar(
            category_name(taxonomy, one.code),
            one.f1,
            score(one.f1),
            first=True,
            interval=one.interval,
            more=f"({interval(one.interval)})",
        )
        for one in known
    ]
    st.caption(_("The best first; the thin line across an end is the 95% interval. Point to read it."))
    last = listed([f"{bar.name} ({bar.text})" for bar in drawn[-_SPOKEN:]])
    st.altair_chart(bars(drawn, step=_STEP), alt=_("The weakest: {categories}").format(categories=last))


def render_confusion(confusion: Confusion | None, taxonomy: Taxonomy) -> None:
    """Counts as a map, each line in shares of its category."""
    if confusion is None or not confusion.counts.any():
        st.markdown(DASH)
        return
    st.caption(
        _("Down, the right category; across, the model's. The stronger the colour, the larger the share of the line.")
    )
    names = [category_name(taxonomy, code) for code in confusion.codes]
    render_confusion_map(confusion.counts, confusion.codes, names, _("Right category"))


def render_table(categories: tuple[CategoryScores, ...], taxonomy: Taxonomy) -> None:
    """All numbers of each category; a click on a title sorts."""
    if not categories:
        st.markdown(DASH)
        return
    table = pd.DataFrame(
        {
            "name": [category_name(taxonomy, one.code) for one in categories],
            "support": pd.array([one.support for one in categories], "Int64"),
            **{field: _column([getattr(one, field) for one in categories]) for field in ("precision", "recall", "f1")},
            "low": _column([one.interval and one.interval[0] for one in categories]),
            "high": _column([one.interval and one.interval[1] for one in categories]),
        }
    )
    number_ = st.column_config.NumberColumn
    columns = {
        "name": st.column_config.TextColumn(_("Category"), width=300),
        "support": number_(_("Rows"), format="localized", width=90),
        "precision": number_(
            _("Precision"), format="percent", width=100, help=_("Of those the model put here, how many belong here.")
        ),
        "recall": number_(
            _("Recall"), format="percent", width=100, help=_("Of those that belong here, how many the model put here.")
        ),
        "f1": st.column_config.ProgressColumn("F1", format="localized", min_value=0.0, max_value=1.0, width=150),
        "low": number_(_("F1, from"), format="localized", width=90, help=_("Low end of its 95% interval.")),
        "high": number_(_("to"), format="localized", width=90, help=_("High end of its 95% interval.")),
    }
    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        height="content",
        column_config=columns,
        placeholder=DASH,
        key="card_grid_categories",
        alt=_("Each category"),
    )


def _column(values: list[float | None]) -> np.ndarray:
    """float64, NaN where there is none, with the digits that are shown."""
    return np.round(np.array([np.nan if value is None else value for value in values], float), 3)
