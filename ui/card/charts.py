"""Charts of a report, built from plain rows; their colours come from the theme."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from ui.card.report import Bin, Level
from ui.card.words import interval, share
from ui.drawing import SHARE, framed, ink, said, share_axis, share_expression, silent, spoken
from ui.language import _, number, percent

_HEIGHT = 300
_MARGIN = 0.02
"""Free space under the lowest point of a curve, as a share."""


def reliability_chart(bins: Sequence[Bin]) -> alt.LayerChart:
    """Accuracy by confidence, the larger the point the more answers; dashed, where both are equal."""
    data = pd.DataFrame(
        {
            "confidence": [one.confidence for one in bins],
            "accuracy": [one.accuracy for one in bins],
            "rows": [one.rows for one in bins],
            "span": [f"{percent(one.start)} – {percent(one.end)}" for one in bins],
            "confidence_text": [percent(one.confidence, 1) for one in bins],
            "accuracy_text": [percent(one.accuracy, 1) for one in bins],
            "rows_text": [number(one.rows) for one in bins],
            "ink": "first",
        }
    )
    x, y = _across("confidence", _("Confidence")), _up("accuracy", _("Accuracy"))
    diagonal = pd.DataFrame({"confidence": [0.0, 1.0], "accuracy": [0.0, 1.0], "ink": "text"})
    base = alt.Chart(data).encode(x=x, y=y, color=ink(), tooltip=silent())
    points = base.mark_circle(opacity=0.85).encode(
        size=alt.Size("rows:Q", scale=alt.Scale(range=[30, 500]), legend=None),
        tooltip=[
            alt.Tooltip("span:N", title=_("Confidence")),
            alt.Tooltip("rows_text:N", title=_("Rows")),
            alt.Tooltip("confidence_text:N", title=_("Mean confidence")),
            alt.Tooltip("accuracy_text:N", title=_("Accuracy")),
        ],
    )
    line = alt.Chart(diagonal).mark_line(strokeDash=[4, 4], opacity=0.6, strokeWidth=1.5)
    line = line.encode(x=x, y=y, color=ink(), tooltip=silent())
    return framed(alt.layer(line, base.mark_line(opacity=0.5), points), _HEIGHT)


def coverage_chart(levels: Sequence[Level], chosen: Level | None) -> alt.LayerChart:
    """Accuracy by the share that is decided without a person, with its interval; dashed, the chosen threshold."""
    known = [level for level in levels if level.accuracy is not None]
    data = pd.DataFrame(
        {
            "coverage": [level.coverage for level in known],
            "accuracy": [level.accuracy for level in known],
            "low": [(level.interval or (level.accuracy,))[0] for level in known],
            "high": [(level.interval or (level.accuracy,))[-1] for level in known],
            "threshold_text": [percent(level.threshold) for level in known],
            "coverage_text": [share(level.coverage) for level in known],
            "accuracy_text": [f"{share(level.accuracy)} ({interval(level.interval, share)})" for level in known],
            "ink": "first",
        }
    )
    lowest = max(0.0, min(data["low"].min(), data["accuracy"].min()) - _MARGIN)
    title = _("Right among these")
    x, y = _across("coverage", _("Decided without a person")), _up("accuracy", title, lowest)
    base = alt.Chart(data).encode(x=x, color=ink(), tooltip=silent())
    layers = [
        base.mark_area(opacity=0.2).encode(y=_up("low", title, lowest), y2="high:Q"),
        base.mark_line(strokeWidth=2).encode(y=y, order="coverage:Q"),
        # Large and unseen: what the pointer meets.
        base.mark_circle(size=140, opacity=0).encode(
            y=y,
            tooltip=[
                alt.Tooltip("threshold_text:N", title=_("Threshold")),
                alt.Tooltip("coverage_text:N", title=_("Decided without a person")),
                alt.Tooltip("accuracy_text:N", title=_("Right among these")),
            ],
        ),
    ]
    if chosen is not None and chosen.accuracy is not None:
        place = pd.DataFrame({"coverage": [chosen.coverage], "accuracy": [chosen.accuracy], "ink": ["text"]})
        mark = alt.Chart(place).encode(x=x, color=ink(), tooltip=silent())
        layers += [mark.mark_rule(strokeDash=[4, 4]), mark.mark_circle(size=90, opacity=1).encode(y=y)]
    return framed(alt.layer(*layers), _HEIGHT)


def set_size_chart(sizes: Sequence[tuple[str, float]]) -> alt.Chart:
    """Share of the products by how many categories their list has."""
    data = pd.DataFrame(
        {
            "size": [size for size, _share in sizes],
            "share": [value for _size, value in sizes],
            "spoken": [said(size, percent(value, 1)) for size, value in sizes],
            "ink": "first",
        }
    )
    chart = (
        alt.Chart(data)
        .mark_bar(cornerRadiusEnd=4)
        .encode(
            x=alt.X("size:N", sort=None, title=_("Categories in the list"), axis=alt.Axis(labelAngle=0)),
            y=alt.Y("share:Q", title=_("Share of the products"), axis=share_axis()),
            color=ink(),
            tooltip=spoken(),
        )
    )
    return framed(chart, 220)


def _across(field: str, title: str) -> alt.X:
    """Shares from left to right."""
    return alt.X(f"{field}:Q", title=title, scale=SHARE, axis=share_axis())


def _up(field: str, title: str, lowest: float = 0.0) -> alt.Y:
    """Shares from ``lowest`` up."""
    scale = alt.Scale(domain=[lowest, 1], zero=False)
    return alt.Y(f"{field}:Q", title=title, scale=scale, axis=alt.Axis(labelExpr=share_expression()))
