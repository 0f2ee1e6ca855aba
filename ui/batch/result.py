"""A finished job: its numbers, and behind tabs its products, charts, quality and files to take away."""

import streamlit as st

from batch.jobs import Job, JobState
from batch.quality import needing_a_person
from batch.results import Results
from model.bundle import BundleError, read_manifest
from settings import settings
from ui.batch.cached import results
from ui.batch.downloads import render_downloads
from ui.batch.evaluation import render_quality
from ui.batch.figures import render_charts
from ui.batch.products import render_products
from ui.batch.progress import render_fates
from ui.batch.row import render_row
from ui.language import _, language, number, percent

DEFAULT_THRESHOLD = 0.8


def render_finished(job: Job, state: JobState) -> None:
    """Everything about a finished job."""
    with st.spinner(_("Opening the result…")):
        found = results(job)
    threshold = _threshold()
    _render_numbers(found, threshold)
    render_fates(state)
    opened = _tab(found)
    if opened == "products":
        render_products(found)
    elif opened == "charts":
        render_charts(found, threshold)
    elif opened == "quality":
        render_quality(found)
    else:
        render_downloads(found)
    if opened in ("products", "quality"):
        render_row(found)


def _tab(found: Results) -> str:
    """The open tab; what stands in the others is not even worked out."""
    names = {"products": _("Products"), "charts": _("Charts"), "quality": _("Quality"), "download": _("Download")}
    if found.labels is None:
        del names["quality"]
    st.session_state.setdefault("batch_tab", "products")
    if st.session_state["batch_tab"] not in names:
        st.session_state["batch_tab"] = "products"
    return st.segmented_control(
        _("What to show"),
        list(names),
        format_func=names.__getitem__,
        key="batch_tab",
        required=True,
        label_visibility="collapsed",
        persist_state="session",
    )


def _render_numbers(found: Results, threshold: float) -> None:
    doubtful = int(needing_a_person(found.confidence, [threshold])[0])
    with st.container(border=True, horizontal=True, gap="large"):
        st.metric(_("Rows classified"), number(len(found)), width="content")
        st.metric(
            _("Sure enough"),
            percent(1 - doubtful / len(found)),
            width="content",
            help=_("Rows whose first category has at least the probability of {share}, the model's threshold.").format(
                share=percent(threshold)
            ),
        )
        st.metric(_("For a person to look at"), number(doubtful), width="content")
        if found.spec.pictures is not None:
            st.metric(_("Pictures used"), number(int((found.pictures == "used").sum())), width="content")
        if found.labels is not None:
            differing = int(found.disagreeing.sum())
            st.metric(_("Other than the category given"), number(differing), width="content")


def _threshold() -> float:
    """Below this confidence a person should look, by the active model."""
    try:
        return float(read_manifest(settings().bundle)["settings"]["threshold"])
    except BundleError:
        return DEFAULT_THRESHOLD
