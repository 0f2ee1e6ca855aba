"""Charts, built from plain rows; all their colours come from the theme, so that they follow it."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd

from ui.drawing import SHARE, framed, ink, silent, spoken

_STEP = 42  # pixels for one bar and the name above it
_BELOW = 10  # pixels by which the bar is lower than the middle of the two
_PADDING = {"left": 0, "right": 0, "top": 0, "bottom": 4}  # pixels


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its name, its length in [0, 1], how that is written, whether it stands out, where it may lie.

    ``more`` is said beside the text when the bar is pointed at.
    """

    name: str
    value: float
    text: str
    first: bool = False
    interval: tuple[float, float] | None = None
    more: str = ""


def bars(rows: Sequence[Bar], threshold: float | None = None, step: int = _STEP) -> alt.LayerChart:
    """Horizontal bars in the order given, each under its name, ``step`` pixels apart.

    ``threshold`` draws a dashed line; a bar with an interval has it drawn across its end.
    """
    data = pd.DataFrame(
        {
            "name": [row.name for row in rows],
            "value": [row.value for row in rows],
            "text": [row.text for row in rows],
            "spoken": [f"{row.name}: {row.text} {row.more}".rstrip() for row in rows],
            "ink": ["first" if row.first else "other" for row in rows],
            "written": "text",
        }
    )
    base = alt.Chart(data).encode(
        y=alt.Y("name:N", sort=None, axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0)),
        tooltip=spoken(),
    )
    written = ink("written")
    bar = {"height": 10, "yOffset": _BELOW, "cornerRadius": 5}
    layers = [
        base.mark_bar(**bar, color="gray", opacity=0.15).encode(x=alt.X(datum=1, scale=SHARE, axis=None)),
        base.mark_bar(**bar).encode(
            x=alt.X("value:Q", scale=SHARE, axis=None),
            color=ink(),
        ),
        base.mark_text(align="left", dy=-7, x=0, limit=420, fontSize=13).encode(text="name:N", color=written),
        base.mark_text(align="right", dy=-7, x="width", fontSize=13).encode(text="text:N", color=written),
    ]
    if threshold is not None:
        line = alt.Chart(pd.DataFrame({"threshold": [threshold], "written": "text"})).mark_rule(
            strokeDash=[4, 4], opacity=0.7
        )
        layers.append(line.encode(x=alt.X("threshold:Q", scale=SHARE, axis=None), color=written, tooltip=silent()))
    if any(row.interval for row in rows):
        layers.append(_intervals(rows))
    # No axes, so no margins for them: the height is the bars' own.
    return framed(alt.layer(*layers), step * len(rows)).properties(padding=_PADDING)


def _intervals(rows: Sequence[Bar]) -> alt.Chart:
    """A thin line from the low to the high end of each interval."""
    data = pd.DataFrame(
        [
            {"name": row.name, "low": row.interval[0], "high": row.interval[1], "written": "text"}
            for row in rows
            if row.interval
        ]
    )
    return (
        alt.Chart(data)
        .mark_rule(strokeWidth=2, yOffset=_BELOW)
        .encode(
            x=alt.X("low:Q", scale=SHARE, axis=None),
            x2="high:Q",
            y=alt.Y("name:N", sort=None, axis=None),
            color=ink("written"),
            tooltip=silent(),
        )
    )
