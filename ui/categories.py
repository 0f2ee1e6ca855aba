"""The list of categories."""

import unicodedata
from collections.abc import Mapping

import pandas as pd
import streamlit as st

from model.taxonomy import Category, Taxonomy
from ui.language import _, language, ngettext, number
from ui.scopes import scope


def render_categories(taxonomy: Taxonomy, prefix: str, f1: Mapping[int, float | None] | None = None) -> None:
    """A searchable table of all categories; with the F1 of each, by code, when it is given."""
    wanted = st.text_input(
        _("Search"),
        key=f"{prefix}_search",
        placeholder=_("A code, or a word of the label or of what it covers"),
        live="250ms",
        type="search",
        persist_state="session",
    )
    found = [category for category in taxonomy.categories if _matches(category, wanted)]
    if not found:
        st.info(_("No category matches."))
        return
    count = ngettext("{n} category", "{n} categories", len(found))
    st.caption(count.format(n=number(len(found))))
    table = pd.DataFrame(
        {
            "code": [category.code for category in found],
            "label": [category.label(language()) for category in found],
            "scope": [scope(category) for category in found],
            "count": [category.train_count for category in found],
        }
    )
    width = 540 if f1 is None else 440
    columns = {
        "code": st.column_config.NumberColumn(_("Code"), format="%d", width=70),
        "label": st.column_config.TextColumn(_("Label"), width=280),
        "scope": st.column_config.TextColumn(_("What it covers"), width=width),
        "count": st.column_config.ProgressColumn(
            _("Listings"),
            help=_("Published number of listings: the model takes it for how common the category is."),
            format="localized",
            min_value=0,
            max_value=max(category.train_count for category in taxonomy.categories),
        ),
    }
    if f1 is not None:
        table["f1"] = pd.array([f1.get(category.code) for category in found], "Float64").round(3)
        columns["f1"] = st.column_config.NumberColumn("F1", format="localized", width=70)
    st.dataframe(table, hide_index=True, width="stretch", height="content", column_config=columns)


def _matches(category: Category, wanted: str) -> bool:
    text = _plain(f"{category.code} {category.label_fr} {category.label_en} {category.scope} {scope(category)}")
    return all(word in text for word in _plain(wanted).split())


def _plain(text: str) -> str:
    """Lower case without accents, so that "puericulture" finds "Puériculture"."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(character for character in decomposed if not unicodedata.combining(character))
