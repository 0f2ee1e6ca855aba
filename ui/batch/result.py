"""A finished job: its numbers, and behind tabs its products, charts, quality, what to send on and to take away."""

from pathlib import Path

import streamlit as st

from batch.jobs import Job, JobState
from batch.quality import needing_a_person
from batch.results import Results
from model.bundle import BundleError, read_manifest
from ui.batch.cached import results
from ui.batch.downloads import render_downloads
from ui.batch.evaluation import render_quality
from ui.batch.figures import render_charts
from ui.batch.products import render_products
from ui.batch.progress import render_fates
from ui.batch.queue import render_queue, take_up
from ui.batch.row import render_row
from ui.language import _, language, number, percent

_KEPT = "batch_tab"


def render_finished(job: Job, state: JobState) -> None:
    """Everything about a finished job."""
    with st.spinner(_("Opening the result…")):
        found = results(job)
    take_up(found)
    threshold = _threshold(found)
    _render_numbers(found, threshold)
    render_fates(state)
    if threshold is None:
        st.warning(
            _("The model that classified this file is not here any more: names are those of today's categories.")
        )
    if found.pictures_gone:
        st.warning(_("The pictures of this file are not where they were: the table shows none of them."))
    names = {
        "products": _("Products"),
        "charts": _("Charts"),
        "quality": _("Quality"),
        "queue": _("To the moderators"),
        "download": _("Download"),
    }
    if found.labels is None:
        del names["quality"]
    key = f"batch_tabs_{language()}"
    if key not in st.session_state:
        st.session_state[key] = names.get(st.session_state.get(_KEPT, ""), names["products"])
    tabs = st.tabs(list(names.values()), key=key, on_change="rerun")
    for name, tab in zip(names, tabs, strict=True):
        if tab.open:  # what stands in the others is not even worked out
            st.session_state[_KEPT] = name
            with tab:
                _render_tab(name, found, threshold)


def _render_tab(name: str, found: Results, threshold: float | None) -> None:
    row = None
    if name == "products":
        row = render_products(found)
    elif name == "charts":
        render_charts(found, threshold)
    elif name == "quality":
        row = render_quality(found)
    elif name == "queue":
        render_queue(found, threshold)
    else:
        render_downloads(found)
    if row is not None:
        render_row(found, row)


def _render_numbers(found: Results, threshold: float | None) -> None:
    with st.container(border=True, horizontal=True, gap="large", key="batch_numbers"):
        st.metric(_("Rows classified"), number(len(found)), width="content")
        if threshold is not None:
            doubtful = int(needing_a_person(found.confidence, [threshold])[0])
            help_ = _("Less sure of their category than {share}, the model's threshold.")
            st.metric(
                _("For a person to look at"),
                f"{number(doubtful)} ({percent(doubtful / len(found))})",
                width="content",
                help=help_.format(share=percent(threshold)),
            )
        if found.spec.pictures is not None:
            st.metric(_("Pictures used"), number(int((found.pictures == "used").sum())), width="content")
        if found.labels is not None:
            differing = int(found.disagreeing.sum())
            st.metric(_("Other than the category given"), number(differing), width="content")


def _threshold(found: Results) -> float | None:
    """The confidence below which a person should look, as the model says; None when it is not there any more."""
    try:
        return float(read_manifest(Path(found.spec.bundle))["settings"]["threshold"])
    except (BundleError, KeyError):
        return None
