"""One product at a time: only what stands here runs again when a key is pressed."""

import streamlit as st

from decisions.items import Filter
from decisions.store import DecisionStore
from model.taxonomy import Taxonomy
from ui.decide.access import reaching
from ui.review.answers import render_answers
from ui.review.decided import render_last
from ui.review.desk import current, passed
from ui.review.keys import UNDO, listen
from ui.review.product import prepare_next, render_product
from ui.review.waiting import render_nothing
from ui.review.why import render_why

_STYLE = """<style>
.st-key-review_desk :is(button, label) code {background: color-mix(in srgb, currentColor 14%, transparent);
  color: inherit; border-radius: .3rem; padding: .05rem .35rem; font-size: .8em;}
.st-key-review_suggestions button {justify-content: flex-start; text-align: left;}
.st-key-review_suggestions button > div {width: auto;}
</style>"""


@st.fragment
def render_decide(store: DecisionStore, where: Filter, person: str, taxonomy: Taxonomy) -> None:
    """The product that is next, and all that can be said of it."""
    with reaching(), st.container(key="review_desk"):
        listen(store.lease_seconds)
        st.html(_STYLE)
        opened = current(store, where, person)
        render_last(store, person, where, taxonomy, UNDO)
        if opened is None:
            render_nothing(store, where, person)
            return
        grid = st.grid(2, min_column_width=360, gap="medium")
        with grid.cell():
            render_product(store, opened)
        with grid.cell():
            render_answers(store, opened, person, taxonomy)
        render_why(store, opened)
        prepare_next(store, where, person, opened.item.key, passed())
