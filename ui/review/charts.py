"""Charts of the queue, built from plain rows; their colours come from the theme."""

import altair as alt
import numpy as np
import pandas as pd

from ui.drawing import SHARE, count_axis, framed, ink, said, share_axis, share_expression, silent, spoken
from ui.language import _, day, number, percent

_MARGIN = 0.02
"""Free space under the lowest point of a curve, as a share."""
DECISIONS, CARD = "first", "other"
"""Inks of the two curves."""


def days_chart(days: pd.DataFrame) -> alt.Chart:
    """Decisions by day; the darker part of a bar agreed with the model. ``days``: `statistics.by_day`."""
    data = pd.DataFrame(
        {
            "day": [day(moment) for moment in days.index],
            "decided": days["decided"].to_numpy(),
            "agreed": days["agreed"].to_numpy(),
            "spoken": [
                said(
                    day(moment),
                    _("{n} decided, {agreed} as the model suggested").format(n=number(n), agreed=number(agreed)),
                )
                for moment, n, agreed in days[["decided", "agreed"]].itertuples()
            ],
            "ink": "first",
        }
    )
    base = alt.Chart(data).encode(
        x=alt.X("day:N", sort=None, title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        color=ink(),
        tooltip=spoken(),
    )
    bar = {"cornerRadiusEnd": 4, "size": 28}
    return framed(
        alt.layer(
            base.mark_bar(**bar, opacity=0.35).encode(y=alt.Y("decided:Q", title=_("Decisions"), axis=count_axis())),
            base.mark_bar(**bar).encode(y="agreed:Q"),
        ),
        220,
    )


def automatic_chart(curve: pd.DataFrame, card: pd.DataFrame, chosen: float) -> alt.LayerChart:
    """Accuracy by the share left to the model: from decisions with its interval, and dashed from the model's card.

    ``curve``: `decisions.threshold.automatic`; ``card``: threshold, share, accuracy. Dots mark the threshold chosen.
    """
    known = curve[curve["accuracy"].notna()]
    parts = [_part(known, DECISIONS, _("Decisions")), _part(card, CARD, _("Model’s card"))]
    data = pd.concat([part for part in parts if len(part)], ignore_index=True)
    lowest = max(0.0, float(np.nanmin([data["accuracy"].min(), known["low"].min()])) - _MARGIN)
    x = alt.X("share:Q", title=_("Left to the model"), scale=SHARE, axis=share_axis())
    up = alt.Scale(domain=[lowest, 1], zero=False)
    y = alt.Y("accuracy:Q", title=_("Right among these"), scale=up, axis=alt.Axis(labelExpr=share_expression()))
    base = alt.Chart(data).encode(x=x, color=ink(), tooltip=silent())
    dash = alt.StrokeDash("ink:N", scale=alt.Scale(domain=[DECISIONS, CARD], range=[[1, 0], [5, 4]]), legend=None)
    band = base.transform_filter(alt.datum.ink == DECISIONS).mark_area(opacity=0.2)
    here = alt.Chart(data[np.isclose(data["threshold"], chosen)])
    layers = [
        band.encode(y=alt.Y("low:Q", scale=up, title=_("Right among these")), y2="high:Q"),
        base.mark_line(strokeWidth=2).encode(y=y, strokeDash=dash, order="share:Q"),
        base.mark_circle(size=140, opacity=0).encode(y=y, tooltip=spoken()),
        here.mark_circle(size=90, opacity=1).encode(x=x, y=y, color=ink(), tooltip=silent()),
    ]
    return framed(alt.layer(*layers), 320)


def _part(rows: pd.DataFrame, name: str, title: str) -> pd.DataFrame:
    words = [
        said(
            title,
            _("threshold {threshold}: {share} left to the model, {right} right").format(
                threshold=percent(row.threshold), share=percent(row.share, 1), right=percent(row.accuracy, 1)
            ),
        )
        for row in rows.itertuples()
    ]
    columns = {name: rows.get(name, pd.Series(np.nan, rows.index)) for name in ("threshold", "share", "accuracy")}
    bounds = {name: rows.get(name, pd.Series(np.nan, rows.index)) for name in ("low", "high")}
    return pd.DataFrame({**columns, **bounds, "spoken": words, "ink": name})
