"""Charts of a result, built from plain rows; their colours come from the theme, so that they follow it."""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from ui.drawing import SHARE, count_axis, framed, ink, said, share_axis, spoken
from ui.language import number, percent

BINS = 20
_STEP = 24  # pixels for one bar


def category_bars(names: Sequence[str], counts: Sequence[int], title: str) -> alt.Chart:
    """Horizontal bars, the longest first, each with its number."""
    total = sum(counts)
    data = pd.DataFrame(
        {
            "name": names,
            "count": counts,
            "text": [number(count) for count in counts],
            "spoken": [
                said(name, f"{number(count)} ({percent(count / total, 1)})") for name, count in _pairs(names, counts)
            ],
            "ink": "first",
            "written": "text",
        }
    )
    base = alt.Chart(data).encode(
        y=alt.Y("name:N", sort=list(names), title=None, axis=alt.Axis(labelLimit=260, ticks=False, domain=False)),
        x=alt.X("count:Q", title=title, axis=count_axis()),
        tooltip=spoken(),
    )
    bars = base.mark_bar(height=14, cornerRadiusEnd=4).encode(color=ink())
    texts = base.mark_text(align="left", dx=4).encode(text="text:N", color=ink("written"))
    return framed(alt.layer(bars, texts), _STEP * len(names))


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
            "spoken": [said(span, number(int(count))) for span, count in _pairs(spans, counts)],
            "ink": "first",
        }
    )
    chart = (
        alt.Chart(data)
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X("start:Q", bin="binned", title=x_title, scale=SHARE, axis=share_axis()),
            x2="end:Q",
            y=alt.Y("count:Q", title=y_title, axis=count_axis()),
            color=ink(),
            tooltip=spoken(),
        )
    )
    return framed(chart, 260)


def threshold_curve(
    thresholds: Sequence[float], counts: Sequence[int], total: int, chosen: float, x_title: str, y_title: str
) -> alt.LayerChart:
    """How many products would need a person at each threshold; a dashed line at the chosen one."""
    data = pd.DataFrame(
        {
            "threshold": thresholds,
            "count": counts,
            "spoken": [
                said(percent(threshold), f"{number(int(count))} ({percent(count / total)})")
                for threshold, count in _pairs(thresholds, counts)
            ],
            "ink": "first",
        }
    )
    x = alt.X("threshold:Q", title=x_title, scale=SHARE, axis=share_axis())
    y = alt.Y("count:Q", title=y_title, scale=alt.Scale(domain=[0, total]), axis=count_axis())
    colour = ink()
    tooltip = spoken()
    base = alt.Chart(data).encode(x=x, y=y)
    line = pd.DataFrame({"threshold": [chosen], "ink": ["text"]})
    return framed(
        alt.layer(
            base.mark_area(opacity=0.25).encode(color=colour),
            base.mark_line(strokeWidth=2).encode(color=colour),
            # Wide and unseen: what the pointer meets.
            alt.Chart(data).mark_rule(strokeWidth=8, opacity=0).encode(x=x, tooltip=tooltip),
            alt.Chart(line).mark_rule(strokeDash=[4, 4]).encode(x=x, color=colour),
        ),
        260,
    )


def _pairs(first: Sequence, second: Sequence) -> zip:
    return zip(first, second, strict=True)
