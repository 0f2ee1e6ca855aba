"""What charts share: inks of the theme, axes as the page's language writes numbers, a frame."""

import altair as alt

from ui.language import _, language

# In the order of `chartCategoricalColors` in .streamlit/config.toml.
INKS = alt.Scale(domain=["first", "other", "text"])
SHARE = alt.Scale(domain=[0, 1])


def ink(field: str = "ink") -> alt.Color:
    """The colour that a column names."""
    return alt.Color(f"{field}:N", scale=INKS, legend=None)


def spoken() -> alt.Tooltip:
    """What a mark says when pointed at."""
    return alt.Tooltip("spoken:N", title=" ")


def silent() -> dict:
    """For a mark that says nothing: without it Streamlit would show its bare columns."""
    return alt.value(None)


def framed(chart: alt.Chart | alt.LayerChart, height: int) -> alt.Chart | alt.LayerChart:
    """A chart of a height in pixels, without a line around it."""
    return chart.properties(height=height).configure_view(stroke=None)


def said(name: str, value: str) -> str:
    """A name and its value, as one line."""
    return _("{name}: {value}").format(name=name, value=value)


def share_axis() -> alt.Axis:
    """An axis of percentages."""
    return alt.Axis(labelExpr=share_expression(), grid=False)


def share_expression() -> str:
    """As `ui.language.percent`, in Vega's own language."""
    space = "\u202f" if language() == "fr" else ""
    return f"format(100 * datum.value, '.0f') + '{space}%'"


def count_axis() -> alt.Axis:
    """As `ui.language.number`; no half products."""
    separator = "\u202f" if language() == "fr" else ","
    return alt.Axis(
        labelExpr=f"datum.value % 1 ? '' : replace(format(datum.value, ','), /,/g, '{separator}')", tickMinStep=1
    )
