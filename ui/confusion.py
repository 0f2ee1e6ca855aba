"""What is taken for what: a map of counts, and the mistakes made most often."""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from ui.drawing import SHARE, framed, share_expression
from ui.language import _, number, percent

_ROW = 21  # pixels
_LOWEST = 160  # pixels


def render_confusion(counts: np.ndarray, codes: Sequence[int], names: Sequence[str], given: str) -> str:
    """The map of counts, int (n, n), and gives the sentence that says it in words. ``given``: the title down."""
    spoken = _("No row differs.")
    for i, j in mistaken(counts, 1):
        spoken = _("Most often, {given} is taken for {answered}: {n} times.").format(
            given=names[i], answered=names[j], n=number(int(counts[i, j]))
        )
    answered = _("Category of the model")
    st.altair_chart(confusion_map(counts, codes, names, given, answered, _("Rows"), _("Share")), alt=spoken)
    return spoken


def confusion_map(
    confusion: np.ndarray,
    codes: Sequence[int],
    names: Sequence[str],
    given: str,
    answered: str,
    count: str,
    share: str,
) -> alt.Chart:
    """Rows by given category (down) and answer (across); colours are shares of the given category's rows."""
    supports = confusion.sum(axis=1)
    kept = [i for i in range(len(codes)) if supports[i] or confusion[:, i].any()]
    rows = [
        {
            "given": str(codes[i]),
            "answered": str(codes[j]),
            "given_name": names[i],
            "answered_name": names[j],
            "count": number(int(confusion[i, j])),
            "share": float(confusion[i, j] / supports[i]),
            "share_text": percent(float(confusion[i, j] / supports[i]), 1),
        }
        for i in kept
        for j in kept
        if supports[i]
    ]
    across = [str(codes[i]) for i in kept]
    down = [str(codes[i]) for i in kept if supports[i]]
    chart = (
        alt.Chart(pd.DataFrame(rows))
        .mark_rect()
        .encode(
            x=alt.X(
                "answered:N",
                sort=across,
                title=answered,
                axis=alt.Axis(labelAngle=-90, orient="top", labelOverlap="parity"),
            ),
            y=alt.Y("given:N", sort=down, title=given, axis=alt.Axis(labelOverlap=False)),
            color=alt.Color("share:Q", scale=SHARE, title=share, legend=_legend()),
            tooltip=[
                alt.Tooltip("given_name:N", title=given),
                alt.Tooltip("answered_name:N", title=answered),
                alt.Tooltip("count:N", title=count),
                alt.Tooltip("share_text:N", title=share),
            ],
        )
    )
    return framed(chart, max(_LOWEST, _ROW * len(down)))


def _legend() -> alt.Legend:
    """Under the map: beside it, it would take what little width a telephone has."""
    return alt.Legend(labelExpr=share_expression(), orient="bottom", direction="horizontal", gradientLength=180)


def mistaken(confusion: np.ndarray, most: int) -> list[tuple[int, int]]:
    """Places (given, answered) of the ``most`` frequent mistakes, the most frequent first; those that were made."""
    wrong = confusion.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    return [(int(i), int(j)) for i, j in np.stack(np.unravel_index(order, wrong.shape), axis=1) if wrong[i, j]]
