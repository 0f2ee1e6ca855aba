"""Charts of what is watched, built from plain rows; their colours come from the theme."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import altair as alt
import pandas as pd
from babel.dates import format_date

from ui.drawing import SHARE, count_axis, framed, ink, said, share_axis, share_expression, spoken
from ui.language import _, language, number, percent

NOW, THEN = "first", "other"
"""Inks of the days that are looked at, and of what they are held against."""
_HEIGHT, _STEP = 210, 28
_LONG = 320
"""Pixels for the name of a category."""


def day_name(day: date) -> str:
    """A day of the calendar of the counts, which is UTC's."""
    return format_date(day, "d MMM", locale=language())


def both_chart(names: Sequence[str], now: Sequence[float], then: Sequence[float], lying: bool = False) -> alt.Chart:
    """The share of each class in these days and in the comparison, two bars side by side. ``lying``: from the left."""
    rows = [
        {
            "name": name,
            "share": value,
            "ink": who,
            "spoken": said(name, _("{now} in these days, {then} in the comparison").format(
                now=percent(a, 1), then=percent(b, 1))),
        }
        for name, a, b in zip(names, now, then, strict=True)
        for who, value in ((NOW, a), (THEN, b))
    ]  # fmt: skip
    base = alt.Chart(pd.DataFrame(rows)).mark_bar(cornerRadiusEnd=3)
    common = {"color": ink(), "tooltip": spoken()}
    if lying:
        chart = base.encode(
            y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=_LONG, ticks=False, domain=False)),
            x=alt.X("share:Q", title=None, axis=_whole_shares()),
            yOffset=alt.YOffset("ink:N", sort=[NOW, THEN]),
            **common,
        )
        return framed(chart, _STEP * max(1, len(names)))
    chart = base.encode(
        x=alt.X(
            "name:N",
            sort=None,
            title=None,
            axis=alt.Axis(labelAngle=-35, labelLimit=150, labelOverlap=False, ticks=False),
        ),
        y=alt.Y("share:Q", title=None, axis=_whole_shares()),
        xOffset=alt.XOffset("ink:N", sort=[NOW, THEN]),
        **common,
    )
    return framed(chart, _HEIGHT)


def classified_chart(
    days: Sequence[date], counts: Sequence[int], changes: Sequence[tuple[date, str]]
) -> alt.LayerChart:
    """Products classified by day; a dashed line where a model came into use."""
    data = pd.DataFrame(
        {
            "day": [_midnight(day) for day in days],
            "count": counts,
            "spoken": [said(day_name(day), number(count)) for day, count in zip(days, counts, strict=True)],
            "ink": NOW,
        }
    )
    bars = (
        alt.Chart(data)
        .mark_bar(cornerRadiusEnd=3, size=max(4, min(24, 420 // max(1, len(days)))))
        .encode(x=_days(), y=alt.Y("count:Q", title=None, axis=count_axis()), color=ink(), tooltip=spoken())
    )
    return framed(alt.layer(bars, *_changes(changes)), _HEIGHT)


def agreement_chart(frame: pd.DataFrame, changes: Sequence[tuple[date, str]]) -> alt.LayerChart:
    """The share of decisions that took the category suggested, by day, with its interval. ``frame``: day (index),
    decided, agreed, share, low, high."""
    data = pd.DataFrame(
        {
            "day": [_midnight(day) for day in frame.index],
            "share": frame["share"].to_numpy(),
            "low": frame["low"].to_numpy(),
            "high": frame["high"].to_numpy(),
            "spoken": [
                said(day_name(day), _("{agreed} of {decided} as the model suggested").format(
                    agreed=number(row.agreed), decided=number(row.decided)))
                for day, row in zip(frame.index, frame.itertuples(), strict=True)
            ],
            "ink": NOW,
        }
    )  # fmt: skip
    base = alt.Chart(data).encode(x=_days(), color=ink(), tooltip=spoken())
    y = alt.Y("share:Q", title=None, axis=share_axis(), scale=SHARE)
    layers = [
        base.mark_rule(opacity=0.5).encode(y=alt.Y("low:Q", title=None, scale=SHARE), y2="high:Q"),
        base.mark_line(opacity=0.5).encode(y=y),
        base.mark_circle(size=60, opacity=1).encode(y=y),
    ]
    return framed(alt.layer(*layers, *_changes(changes)), _HEIGHT)


def waiting_chart(days: Sequence[date], waiting: Sequence[int], changes: Sequence[tuple[date, str]]) -> alt.LayerChart:
    """Products that waited for a decision at the end of each day."""
    data = pd.DataFrame(
        {
            "day": [_midnight(day) for day in days],
            "count": waiting,
            "spoken": [said(day_name(day), number(count)) for day, count in zip(days, waiting, strict=True)],
            "ink": NOW,
        }
    )
    base = alt.Chart(data).encode(
        x=_days(), y=alt.Y("count:Q", title=None, axis=count_axis()), color=ink(), tooltip=spoken()
    )
    layers = [base.mark_area(opacity=0.2), base.mark_line(), base.mark_circle(size=60, opacity=1)]
    return framed(alt.layer(*layers, *_changes(changes)), _HEIGHT)


def _whole_shares() -> alt.Axis:
    """An axis of percentages that writes none twice."""
    return alt.Axis(labelExpr=share_expression(), grid=False, tickMinStep=0.01, tickCount=6)


def _changes(changes: Sequence[tuple[date, str]]) -> list[alt.Chart]:
    if not changes:
        return []
    data = pd.DataFrame(
        {
            "day": [_midnight(day) for day, _version in changes],
            "spoken": [said(day_name(day), _("first answers of {model}").format(model=v)) for day, v in changes],
            "ink": "text",
        }
    )
    rule = alt.Chart(data).mark_rule(strokeDash=[4, 4], strokeWidth=2, opacity=0.7)
    return [rule.encode(x=_days(), color=ink(), tooltip=spoken())]


def _days() -> alt.X:
    """Days from left to right, named as the page's language does."""
    months = [format_date(date(2026, month, 1), "MMM", locale=language()) for month in range(1, 13)]
    named = "[" + ",".join(f"'{month}'" for month in months) + "]"
    label = f"utcdate(datum.value) + ' ' + {named}[utcmonth(datum.value)]"
    axis = alt.Axis(labelExpr=label, grid=False, tickCount={"interval": "day", "step": 1}, labelOverlap=True)
    return alt.X("day:T", title=None, axis=axis, scale=alt.Scale(type="utc", padding=16))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
