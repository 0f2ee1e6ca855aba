"""Charts, built from plain rows; all their colours come from the theme, so that they follow it."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd

_STEP = 42  # pixels for one bar and the name above it
# In the order of `chartCategoricalColors` in .streamlit/config.toml.
_INKS = alt.Scale(domain=["first", "other", "text"])
_SHARE = alt.Scale(domain=[0, 1])


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its name, its length in [0, 1], how that is written, and whether it stands out."""

    name: str
    value: float
    text: str
    first: bool = False


def bars(rows: Sequence[Bar], threshold: float | None = None) -> alt.LayerChart:
    """Horizontal bars in the order given, each under its name. ``threshold`` draws a dashed line."""
    data = pd.DataFrame(
        {
            "name": [row.name for row in rows],
            "value": [row.value for row in rows],
            "text": [row.text for row in rows],
            "spoken": [f"{row.name}: {row.text}" for row in rows],
            "ink": ["first" if row.first else "other" for row in rows],
            "written": "text",
        }
    )
    base = alt.Chart(data).encode(
        y=alt.Y("name:N", sort=None, axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0)),
        tooltip=alt.Tooltip("spoken:N", title=" "),
    )
    written = alt.Color("written:N", scale=_INKS, legend=None)
    bar = {"height": 10, "yOffset": 10, "cornerRadius": 5}
    layers = [
        base.mark_bar(**bar, color="gray", opacity=0.15).encode(x=alt.X(datum=1, scale=_SHARE, axis=None)),
        base.mark_bar(**bar).encode(
            x=alt.X("value:Q", scale=_SHARE, axis=None),
            color=alt.Color("ink:N", scale=_INKS, legend=None),
        ),
        base.mark_text(align="left", dy=-7, x=0, limit=420, fontSize=13).encode(text="name:N", color=written),
        base.mark_text(align="right", dy=-7, x="width", fontSize=13).encode(text="text:N", color=written),
    ]
    if threshold is not None:
        line = alt.Chart(pd.DataFrame({"threshold": [threshold], "written": "text"})).mark_rule(
            strokeDash=[4, 4], opacity=0.7
        )
        layers.append(line.encode(x=alt.X("threshold:Q", scale=_SHARE, axis=None), color=written))
    return alt.layer(*layers).properties(height=_STEP * len(rows)).configure_view(stroke=None)
