"""The parts of the page, behind tabs; only the open one is worked out."""

import streamlit as st

from decisions.store import DecisionStore
from model.bundle import BundleError
from model.taxonomy import Taxonomy, default_taxonomy
from model.versions import active_bundle
from ui.batch.cached import taxonomy
from ui.decide.access import reaching
from ui.language import _, language
from ui.review.decide import render_decide
from ui.review.desk import hush
from ui.review.figures import render_figures
from ui.review.filters import render_filters
from ui.review.kept import render_kept
from ui.review.several import render_several
from ui.review.taking import render_export
from ui.review.threshold import render_threshold

_KEPT = "review_tab"


def render_tabs(store: DecisionStore, person: str | None) -> None:
    """The tabs; ``person``: who decides, None until they have said so."""
    names = {
        "decide": _("Decide"),
        "several": _("Several at once"),
        "progress": _("Progress"),
        "threshold": _("Threshold"),
        "taking": _("Export and privacy"),
    }
    key = f"review_tabs_{language()}"
    if key not in st.session_state:
        st.session_state[key] = names.get(st.session_state.get(_KEPT, ""), names["decide"])
    tabs = st.tabs(list(names.values()), key=key, on_change="rerun")
    for name, tab in zip(names, tabs, strict=True):
        if tab.open:
            st.session_state[_KEPT] = name
            with tab, reaching():
                _render_tab(name, store, person)


def _render_tab(name: str, store: DecisionStore, person: str | None) -> None:
    labels = _labels()
    if name == "progress":
        render_figures(store, labels)
    elif name == "threshold":
        render_threshold(store)
    elif name == "taking":
        render_export(store, labels)
        st.divider()
        render_kept(store)
    elif person is None:
        st.info(_("Say who decides, above: then the first product comes up."))
    else:
        where = render_filters(store, labels, person)
        hush((name, where))
        {"decide": render_decide, "several": render_several}[name](store, where, person, labels)


def _labels() -> Taxonomy:
    """The categories of the model in use, without loading it; the usual ones when it cannot be used."""
    try:
        return taxonomy(str(active_bundle()))
    except BundleError:  # said where the model is needed
        return default_taxonomy()
