"""What is chosen on the page, and what it shows of that."""

from datetime import UTC, date, datetime

import streamlit as st
from babel.dates import format_date

from model.bundle import BundleError, read_taxonomy
from model.taxonomy import Taxonomy
from model.versions import active_bundle
from ui.decide.access import reaching, store_or_stop
from ui.language import _, language, ngettext, number
from ui.monitoring.days import render_days
from ui.monitoring.drift import render_drift
from ui.monitoring.words import REFERENCES, SOURCES
from ui.style import literal
from watch.looking import DAYS, active_reference, look
from watch.looking import REFERENCES as KINDS
from watch.observations import counted

_DAYS, _SOURCE, _REFERENCE = "monitoring_last", "monitoring_source", "monitoring_reference"


def render_monitoring() -> None:
    """The whole page."""
    taxonomy = _taxonomy_or_stop()
    store = store_or_stop()
    model, report = active_reference()
    today = datetime.now(UTC).date()
    days, source, reference = _render_choice()
    with reaching():
        seen = look(store.engine, model, report, today, days, source or None, reference)
        every = counted(store.engine, until=today, measure="inputs")
    render_drift(seen, taxonomy, reference)
    first: date | None = None if every.empty else every["day"].min()
    with reaching():
        render_days(store, every, source or None, today, model)
    st.caption(
        _(
            "Model {model}. Counted by days of UTC, some seconds late: how many products fell into each class, and "
            "nothing about a single product."
        ).format(model=literal(model))
        + ("" if first is None else f" {_since(first)}")
    )


def _since(first: date) -> str:
    return _("Counted since {day}.").format(day=format_date(first, "long", locale=language()))


def _render_choice() -> tuple[int, str, str]:
    """Days, source ("" for all), and what to hold them against."""
    for key, usual in ((_DAYS, 7), (_SOURCE, ""), (_REFERENCE, "model")):
        st.session_state.setdefault(key, usual)
    grid = st.grid(3, min_column_width=300)  # below each other on a narrow screen
    with grid.cell():
        days = st.segmented_control(
            _("Days"), DAYS, key=_DAYS, required=True,
            format_func=lambda n: ngettext("Today", "Last {n} days", n).format(n=number(n)),
        )  # fmt: skip
    with grid.cell():
        source = st.segmented_control(
            _("Sent by"), list(SOURCES), key=_SOURCE, required=True,
            format_func=lambda name: _(SOURCES[name]),
        )  # fmt: skip
    with grid.cell():
        reference = st.selectbox(
            _("Held against"), KINDS, key=_REFERENCE,
            format_func=lambda name: _(REFERENCES[name]),
        )  # fmt: skip
    return days, source, reference


def _taxonomy_or_stop() -> Taxonomy:
    try:
        return read_taxonomy(active_bundle())
    except BundleError as error:
        st.error(_("**The model cannot be used, so nothing can be classified.** Tell whoever runs this server:"))
        st.code(str(error), language=None, wrap_lines=True)
    st.stop()
