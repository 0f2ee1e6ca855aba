"""A page of products as a table whose rows can be ticked."""

from collections.abc import Sequence
from contextlib import suppress

import pandas as pd
import streamlit as st

from decisions.errors import DecisionError
from decisions.items import Item
from decisions.store import DecisionStore
from model.taxonomy import Taxonomy
from preprocessing.image import ImageError
from ui.batch.cached import THUMBNAIL, signature
from ui.batch.products import shown_share
from ui.decide.names import category_of, reason_name, standing_sentence
from ui.language import _, moment
from ui.review.product import data_uri

# As in `ui.style`: its buttons speak English.
_STYLE = "<style>[class*='st-key-review_grid'] [data-testid='stElementToolbar'] {display: none;}</style>"
_TALLEST, _HEAD, _SHOWN_CHARACTERS = 640, 38, 300


def render_table(store: DecisionStore, items: Sequence[Item], taxonomy: Taxonomy, decided: bool) -> list[int]:
    """The rows ticked, from 0. ``decided``: with a column of what was decided before, as for what was skipped."""
    table = {
        "picture": [_thumbnail(item.picture, store) for item in items],
        "text": [_text(item) for item in items],
        "category": [category_of(taxonomy, item.code) for item in items],
        "confidence": shown_share(pd.Series([item.confidence for item in items]).to_numpy()),
        "margin": [100 * item.margin for item in items],
        "standing": [item.standing and standing_sentence(item.standing, taxonomy) for item in items],
        "reason": [reason_name(item.reason) for item in items],
        "job": [item.job_name for item in items],
        "added": [moment(item.added_at) for item in items],
    }
    if not decided and not any(table["standing"]):
        del table["standing"]
    if not any(table["job"]):
        del table["job"]
    st.html(_STYLE)
    key = f"review_grid_{signature([(item.key, item.standing and item.standing.id) for item in items])}"
    chosen = st.dataframe(
        pd.DataFrame(table),
        hide_index=True,
        width="stretch",
        height=min(_TALLEST, _HEAD + THUMBNAIL * len(items)),
        row_height=THUMBNAIL,
        placeholder="–",
        column_config={name: column for name, column in _columns().items() if name in table},
        key=key,
        on_select="rerun",
        selection_mode="multi-row",
        alt=_("Products to be decided on"),
    )
    return [row for row in chosen["selection"]["rows"] if row < len(items)]


def _columns() -> dict:
    config = st.column_config
    return {
        "picture": config.ImageColumn(_("Picture"), width=70),
        "text": config.TextColumn(_("Product"), width=300),
        "category": config.TextColumn(_("Suggestion"), width=230),
        "confidence": config.ProgressColumn(_("Confidence"), min_value=0.0, max_value=1.0, format="percent", width=120),
        "margin": config.NumberColumn(_("Lead (points)"), format="%.1f", width=90),
        "standing": config.TextColumn(_("Decided before"), width=220),
        "reason": config.TextColumn(_("Why here"), width=140),
        "job": config.TextColumn(_("File"), width=140),
        "added": config.TextColumn(_("Since"), width=150),
    }


def _text(item: Item) -> str:
    both = " — ".join(filter(None, (item.designation, item.description)))
    return " ".join(both.split())[:_SHOWN_CHARACTERS]


def _thumbnail(reference: str | None, store: DecisionStore) -> str | None:
    with suppress(ImageError, DecisionError):  # the product itself says why its picture does not show
        return None if reference is None else _small(reference, store)
    return None


@st.cache_data(scope="session", max_entries=400, ttl=3600, show_spinner=False)
def _small(reference: str, _store: DecisionStore) -> str | None:
    data = _store.pictures.read(reference)
    return None if data is None else data_uri(data, THUMBNAIL)
