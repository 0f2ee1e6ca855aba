"""Charts of a result, built from plain rows; their colours come from the theme, so that they follow it."""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from ui.language import _, language, number, percent

BINS = 20
_STEP = 24  # pixels for one bar
# In the order of `chartCategoricalColors` in .streamlit/config.toml.
_INKS = alt.Scale(domain=["first", "other", "text"])
_SHARE = alt.Scale(domain=[0, 1])


def category_bars(names: Sequence[str], counts: Sequence[int], title: str) -> alt.Chart:
    """Horizontal bars, the longest first, each with its number."""
    total = sum(counts)
    data = pd.DataFrame(
        {
            "name": names,
            "count": counts,
            "text": [number(count) for count in counts],
            "spoken": [
                _said(name, f"{number(count)} ({percent(count / total, 1)})") for name, count in _pairs(names, counts)
            ],
            "ink": "first",
            "written": "text",
        }
    )
    base = alt.Chart(data).encode(
        y=alt.Y("name:N", sort=list(names), title=None, axis=alt.Axis(labelLimit=260, ticks=False, domain=False)),
        x=alt.X("count:Q", title=title, axis=_count_axis()),
        tooltip=alt.Tooltip("spoken:N", title=" "),
    )
    bars = base.mark_bar(height=14, cornerRadiusEnd=4).encode(color=alt.Color("ink:N", scale=_INKS, legend=None))
    texts = base.mark_text(align="left", dx=4).encode(
        text="text:N", color=alt.Color("written:N", scale=_INKS, legend=None)
    )
    return _framed(alt.layer(bars, texts), _STEP * len(names))


def confidence_histogram(confidence: np.ndarray, x_title: str, y_title: str) -> alt.Chart:
    """How many products have which confidence."""
    counts, edges = np.histogram(confidence, bins=BINS, range=(0.0, 1.0))
    starts, ends = edges[:-1], edges[1:]
    spans = [f"{percent(start)} – {percent(end)}" for start, end in _pairs(starts, ends)]
    data = pd.DataFrame(
        {
            "start": starts,
            "end": ends,
            "count": counts,
            "spoken": [_said(span, number(int(count))) for span, count in _pairs(spans, counts)],
            "ink": "first",
        }
    )
    chart = (
        alt.Chart(data)
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X("start:Q", bin="binned", title=x_title, scale=_SHARE, axis=_share_axis()),
            x2="end:Q",
            y=alt.Y("count:Q", title=y_title, axis=_count_axis()),
            color=alt.Color("ink:N", scale=_INKS, legend=None),
            tooltip=alt.Tooltip("spoken:N", title=" "),
        )
    )
    return _framed(chart, 260)


def threshold_curve(
    thresholds: Sequence[float], counts: Sequence[int], total: int, chosen: float, x_title: str, y_title: str
) -> alt.LayerChart:
    """How many products would need a person at each threshold; a dashed line at the chosen one."""
    data = pd.DataFrame(
        {
            "threshold": thresholds,
            "count": counts,
            "spoken": [
                _said(percent(threshold), f"{number(int(count))} ({percent(count / total)})")
                for threshold, count in _pairs(thresholds, counts)
            ],
            "ink": "first",
        }
    )
    x = alt.X("threshold:Q", title=x_title, scale=_SHARE, axis=_share_axis())
    y = alt.Y("count:Q", title=y_title, scale=alt.Scale(domain=[0, total]), axis=_count_axis())
    colour = alt.Color("ink:N", scale=_INKS, legend=None)
    tooltip = alt.Tooltip("spoken:N", title=" ")
    base = alt.Chart(data).encode(x=x, y=y)
    line = pd.DataFrame({"threshold": [chosen], "ink": ["text"]})
    return _framed(
        alt.layer(
            base.mark_area(opacity=0.25).encode(color=colour),
            base.mark_line(strokeWidth=2).encode(color=colour),
            # Wide and unseen: what the pointer meets.
            alt.Chart(data).mark_rule(strokeWidth=8, opacity=0).encode(x=x, tooltip=tooltip),
            alt.Chart(line).mark_rule(strokeDash=[4, 4]).encode(x=x, color=colour),
        ),
        260,
    )


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
                axis=alt.Axis(labelAngle=-90, orient="top", labelOverlap=False),
            ),
            y=alt.Y("given:N", sort=down, title=given, axis=alt.Axis(labelOverlap=False)),
            color=alt.Color("share:Q", scale=_SHARE, title=share, legend=alt.Legend(labelExpr=_share_expression())),
            tooltip=[
                alt.Tooltip("given_name:N", title=given),
                alt.Tooltip("answered_name:N", title=answered),
                alt.Tooltip("count:N", title=count),
                alt.Tooltip("share_text:N", title=share),
            ],
        )
    )
    return _framed(chart, max(160, 21 * len(down)))


def _framed(chart: alt.Chart | alt.LayerChart, height: int) -> alt.Chart | alt.LayerChart:
    return chart.properties(height=height).configure_view(stroke=None)


def _said(name: str, value: str) -> str:
    return _("{name}: {value}").format(name=name, value=value)


def _pairs(first: Sequence, second: Sequence) -> zip:
    return zip(first, second, strict=True)


def _share_axis() -> alt.Axis:
    return alt.Axis(labelExpr=_share_expression(), grid=False)


def _share_expression() -> str:
    """As `ui.language.percent`, in Vega's own language."""
    space = "\u202f" if language() == "fr" else ""
    return f"format(100 * datum.value, '.0f') + '{space}%'"


def _count_axis() -> alt.Axis:
    """As `ui.language.number`; no half products."""
    separator = "\u202f" if language() == "fr" else ","
    return alt.Axis(
        labelExpr=f"datum.value % 1 ? '' : replace(format(datum.value, ','), /,/g, '{separator}')", tickMinStep=1
    )
