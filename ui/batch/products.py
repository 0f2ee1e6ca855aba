"""The products of a result, page by page: filtered and sorted over all rows, a row opened on demand."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from batch.results import NO_LABEL, SORTS, Results
from model.taxonomy import Taxonomy
from ui.batch.cached import THUMBNAIL, signature, taxonomy, thumbnails
from ui.batch.choice import choose
from ui.batch.decided import decided
from ui.batch.names import category_name, fate_name
from ui.language import N_, _, language, ngettext, number, percent

PAGE = 50
ALTERNATIVES = 2
NEGLIGIBLE = 0.005
_TALLEST = 640
"""Pixels of the table, which scrolls: what is opened below it stays in reach."""
_LINE, _HEAD = 35, 38
_SORTS = {
    "row": N_("Order of the file"),
    "confidence": N_("Confidence"),
    "margin": N_("Lead over the second"),
    "category": N_("Category"),
}
_SHOWN_CHARACTERS = 300


def render_products(found: Results) -> int | None:
    """Filters, the pages, one page of the table; gives the row that is ticked."""
    labels = taxonomy(found.spec.bundle)
    chosen = _render_filters(found, labels)
    rows = found.select(**chosen)
    count = ngettext("{n} product", "{n} products", len(rows)).format(n=number(len(rows)))
    if not len(rows):
        st.info(_("No product passes these filters: loosen one of them."))
        return None
    pages = -(-len(rows) // PAGE)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(
            _("{count}. Tick a row to open it. To sort, use the boxes: a heading sorts this page alone.").format(
                count=count
            ),
            width="content",
        )
        # Other filters, other pages: they begin at the first.
        key = f"batch_page_{signature(found.job.id, chosen)}"
        page = st.pagination(pages, key=key, persist_state="session") if pages > 1 else 1
    shown = rows[(page - 1) * PAGE : page * PAGE]
    table, columns = _table(found, shown, labels)
    key = f"batch_grid_products_{signature(found.job.id, shown.tolist())}"
    line = THUMBNAIL if "picture" in table else _LINE
    ticked = st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        height=min(_TALLEST, _HEAD + line * len(table)),
        row_height=line,
        placeholder="–",
        column_config=columns,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
        alt=count,
    )["selection"]["rows"]
    return int(shown[ticked[0]]) if ticked else None


def _render_filters(found: Results, labels: Taxonomy) -> dict[str, Any]:
    """What `Results.select` takes."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="batch_filters"):
        code = _category_box(found, labels)
        sort = choose(_("Sort by"), SORTS, lambda name: _(_SORTS[name]), key=f"batch_sort_{found.job.id}")
        descending = st.segmented_control(
            _("Direction"),
            [False, True],
            format_func={False: _("↑ up"), True: _("↓ down")}.__getitem__,
            default=False,
            required=True,
            key=f"batch_descending_{found.job.id}",
            persist_state="session",
            width="content",
        )
        below = st.slider(
            _("Confidence below"),
            0,
            100,
            100,
            format="%d\u202f%%" if language() == "fr" else "%d%%",
            key=f"batch_below_{found.job.id}",
            persist_state="session",
            width=220,
            help=_("At the right end, every product is shown."),
        )
        disagreeing = found.labels is not None and st.toggle(
            _("Only other than given"),
            key=f"batch_disagreeing_{found.job.id}",
            persist_state="session",
            width="content",
            help=_("Products whose first category is not the one the file gives."),
        )
    return {
        "code": code,
        "below": None if below == 100 else below / 100,
        "disagreeing": disagreeing,
        "sort": sort,
        "descending": descending,
    }


def _category_box(found: Results, labels: Taxonomy) -> int | None:
    codes, counted = np.unique(found.codes[:, 0], return_counts=True)
    counts = dict(zip(codes.tolist(), counted.tolist(), strict=True))
    every = _("All categories ({n})").format(n=number(len(found)))

    def name(code: int | None) -> str:
        return every if code is None else f"{category_name(labels, code)} ({number(counts[code])})"

    return choose(_("Category"), [None, *counts], name, key=f"batch_code_{found.job.id}")


def _table(found: Results, rows: np.ndarray, labels: Taxonomy) -> tuple[pd.DataFrame, dict]:
    """The table of some rows, and how its columns are shown."""
    cells = found.cells(rows)
    texts = [found.texts(members) for members in cells]
    columns = {
        "row": st.column_config.NumberColumn(_("Row"), format="%d", width=55, help=_("Place in the file, from 1")),
        "picture": st.column_config.ImageColumn(_("Picture"), width=70),
        "text": st.column_config.TextColumn(_("Designation"), width=260),
        "category": st.column_config.TextColumn(_("Category"), width=230),
        "confidence": st.column_config.ProgressColumn(
            _("Confidence"), min_value=0.0, max_value=1.0, format="percent", width=120
        ),
        "decision": st.column_config.TextColumn(_("Decision"), width=230, help=_("Of the moderators")),
        "given": st.column_config.TextColumn(_("Category given"), width=180, help=_("= the same, ≠ another")),
        "alternatives": st.column_config.TextColumn(_("Then"), width=260),
        "fate": st.column_config.TextColumn(_("State of the picture"), width=130),
    }
    table = {
        "row": rows + 1,
        "picture": thumbnails(found, rows, cells),
        "text": [(first or second or "")[:_SHOWN_CHARACTERS] for first, second in texts],
        "category": [category_name(labels, code) for code in found.codes[rows, 0].tolist()],
        "confidence": shown_share(found.confidence[rows]),
        "decision": decided(found, rows.tolist(), cells, labels),
        "given": None if found.labels is None else [_given(labels, found, row) for row in rows],
        "alternatives": [_alternatives(labels, found, row) for row in rows],
        "fate": [fate_name(reason) for reason in found.pictures[rows]],
    }
    if found.spec.pictures is None:
        del table["picture"], table["fate"]
    table = {name: values for name, values in table.items() if values is not None}
    return pd.DataFrame(table), {name: columns[name] for name in table}


def shown_share(confidence: np.ndarray) -> np.ndarray:
    """A probability as a table shows it, where "100 %" would claim to be certain."""
    return np.minimum(confidence.astype(float), 0.9999)


def _given(labels: Taxonomy, found: Results, row: int) -> str:
    code = int(found.labels[row])
    if code == NO_LABEL:
        return "–"
    return "=" if code == found.codes[row, 0] else f"≠ {category_name(labels, code)}"


def _alternatives(labels: Taxonomy, found: Results, row: int) -> str:
    """The next categories, less those that would read 0 %."""
    pairs = zip(found.codes[row, 1 : ALTERNATIVES + 1], found.probabilities[row, 1 : ALTERNATIVES + 1], strict=True)
    return " · ".join(
        f"{category_name(labels, int(code))} {percent(float(value))}" for code, value in pairs if value >= NEGLIGIBLE
    )
