"""What stands behind the tabs of the page; only the one that is open is worked out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from model.taxonomy import Taxonomy
from ui.card.architecture import render_architecture
from ui.card.categories import render_each_category
from ui.card.confidence import render_confidence
from ui.card.faithfulness import render_faithfulness
from ui.card.origins import render_data, render_licences, render_recipe, render_versions
from ui.card.quality import render_quality
from ui.card.report import Report
from ui.card.weaknesses import render_weaknesses
from ui.language import _, language

if TYPE_CHECKING:
    from model.loading import LoadedBundle

_KEPT = "card_tab"


def render_tabs(bundle: LoadedBundle, taxonomy: Taxonomy, report: Report) -> None:
    """The parts of the card, one for each tab."""
    manifest = bundle.manifest
    parts: dict[str, tuple[str, Callable[[], None]]] = {
        "weaknesses": (_("Weaknesses"), lambda: render_weaknesses(manifest, report, taxonomy)),
        "quality": (_("Quality"), lambda: render_quality(report)),
        "confidence": (_("Confidence"), lambda: render_confidence(manifest, report)),
        "categories": (_("Categories"), lambda: render_each_category(report, taxonomy)),
        "origins": (_("Data and licences"), lambda: _render_origins(bundle, report)),
        "architecture": (_("The network"), lambda: render_architecture(bundle)),
        "faithfulness": (_("Explanations"), lambda: render_faithfulness(bundle.reports.get("faithfulness"))),
    }
    # To Streamlit a tab with another title is another tab: the open one is kept under its own name.
    key = f"card_tabs_{language()}"
    if key not in st.session_state:
        st.session_state[key] = parts.get(st.session_state.get(_KEPT, ""), parts["weaknesses"])[0]
    tabs = st.tabs([title for title, _render in parts.values()], key=key, on_change="rerun")
    for (name, (_title, render)), tab in zip(parts.items(), tabs, strict=True):
        if tab.open:
            st.session_state[_KEPT] = name
            with tab:
                render()


def _render_origins(bundle: LoadedBundle, report: Report) -> None:
    grid = st.grid(2, min_column_width=340)
    with grid.cell(), st.container(border=True):
        render_data(bundle.manifest, report)
    with grid.cell():
        with st.container(border=True):
            render_licences(bundle.manifest)
        with st.container(border=True):
            render_versions(bundle.manifest)
        with st.container(border=True):
            render_recipe(bundle.manifest)
