"""A result against the categories that its file gives."""

import pandas as pd
import streamlit as st

from batch.quality import Quality
from batch.results import Results
from model.taxonomy import Taxonomy
from ui.batch.cached import measured, taxonomy
from ui.batch.names import category_name
from ui.batch.products import shown_share
from ui.confusion import render_confusion
from ui.language import _, ngettext, number, percent

MISTAKES = 50
"""Rows of the table of mistakes."""
_SHOWN_CHARACTERS = 300


def render_quality(found: Results) -> int | None:
    """Scores, what is confused, each category, the most confident mistakes; gives the row of these that is ticked."""
    labels = taxonomy(found.spec.bundle)
    try:
        seen = measured(found)
    except ValueError:
        st.error(
            _("The model that classified this file is gone, and today's has other categories: nothing to compare.")
        )
        return None
    _render_skipped(seen)
    if not seen.rows:
        st.info(_("No row gives a category that the model knows, so there is nothing to compare."))
        return None
    _render_scores(seen)
    with st.container(border=True):
        st.subheader(_("What is taken for what"), anchor=False)
        _render_confusion(seen, labels)
    with st.container(border=True):
        st.subheader(_("Each category"), anchor=False)
        _render_categories(seen, labels)
    with st.container(border=True):
        st.subheader(_("Where the model is surest and yet differs"), anchor=False)
        return _render_mistakes(found, seen, labels)


def _render_skipped(seen: Quality) -> None:
    if seen.skipped:
        message = ngettext(
            "{n} row is left out: it gives no category, or none that the model knows.",
            "{n} rows are left out: they give no category, or none that the model knows.",
            seen.skipped,
        )
        st.warning(message.format(n=number(seen.skipped)))


def _render_scores(seen: Quality) -> None:
    with st.container(border=True, horizontal=True, gap="large"):
        st.metric(_("Rows compared"), number(seen.rows), width="content")
        st.metric(
            _("Accuracy"), percent(seen.accuracy, 1), width="content", help=_("Rows that have the category given.")
        )
        st.metric(
            _("Weighted F1"),
            number(seen.weighted_f1, 3),
            width="content",
            help=_("Mean F1 of the categories, each counting as much as it has rows: the challenge's measure."),
        )
        st.metric(
            _("Macro F1"),
            number(seen.macro_f1, 3),
            width="content",
            help=_("Mean F1 of the categories, each counting the same."),
        )


def _render_confusion(seen: Quality, labels: Taxonomy) -> None:
    st.caption(
        _("Down, the category given; across, the model's. The stronger the colour, the larger the share of the line.")
    )
    names = [category_name(labels, code) for code in seen.codes]
    st.caption(render_confusion(seen.confusion, seen.codes, names, _("Category given")))


def _render_categories(seen: Quality, labels: Taxonomy) -> None:
    shown = [category for category in seen.by_category if category.support]
    table = pd.DataFrame(
        {
            "name": [category_name(labels, category.code) for category in shown],
            "support": [category.support for category in shown],
            "precision": [category.precision for category in shown],
            "recall": [category.recall for category in shown],
            "f1": [category.f1 for category in shown],
        }
    )
    columns = {
        "name": st.column_config.TextColumn(_("Category"), width=320),
        "support": st.column_config.NumberColumn(_("Rows"), format="localized", width=90),
        "precision": st.column_config.NumberColumn(
            _("Precision"), format="percent", width=110, help=_("Of those the model put here, how many belong here.")
        ),
        "recall": st.column_config.NumberColumn(
            _("Recall"), format="percent", width=110, help=_("Of those that belong here, how many the model put here.")
        ),
        "f1": st.column_config.ProgressColumn("F1", format="localized", min_value=0.0, max_value=1.0, width=160),
    }
    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        height="content",
        column_config=columns,
        key="batch_grid_categories",
        alt=_("Each category"),
    )


def _render_mistakes(found: Results, seen: Quality, labels: Taxonomy) -> int | None:
    rows = seen.mistakes[:MISTAKES]
    if not len(rows):
        st.success(_("No row differs."))
        return None
    st.caption(_("Often the category given is the one to correct. Tick a row to open it below."))
    texts = [found.texts(members) for members in found.cells(rows)]
    table = pd.DataFrame(
        {
            "row": rows + 1,
            "text": [(first or second or "")[:_SHOWN_CHARACTERS] for first, second in texts],
            "given": [category_name(labels, code) for code in found.labels[rows].tolist()],
            "answered": [category_name(labels, code) for code in found.codes[rows, 0].tolist()],
            "confidence": shown_share(found.confidence[rows]),
        }
    )
    columns = {
        "row": st.column_config.NumberColumn(_("Row"), format="%d", width=60),
        "text": st.column_config.TextColumn(_("Designation"), width=360),
        "given": st.column_config.TextColumn(_("Category given"), width=250),
        "answered": st.column_config.TextColumn(_("Category of the model"), width=250),
        "confidence": st.column_config.ProgressColumn(
            _("Confidence"), min_value=0.0, max_value=1.0, format="percent", width=120
        ),
    }
    key = f"batch_grid_mistakes_{found.job.id}"
    ticked = st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        column_config=columns,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
        alt=_("Where the model is surest and yet differs"),
    )["selection"]["rows"]
    return int(rows[ticked[0]]) if ticked else None
