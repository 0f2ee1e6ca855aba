"""Why the model suggests what it does, one key away; the model is asked only then."""

import streamlit as st

from decisions.store import DecisionStore
from model.product import Product
from ui.decide.access import product_of, reaching
from ui.explanation import render_explanation
from ui.language import _
from ui.model import classifier_or_stop, predict
from ui.review.desk import Open
from ui.review.keys import WHY, WHY_KEY, on_key

_PREFIX = "review"
_FOR = "review_why_for"


def render_why(store: DecisionStore, opened: Open) -> None:
    """A button, and when it is pressed the reasons; closed again for the next product."""
    state = st.session_state
    open_ = state.get(_FOR) == opened.token and state.get(f"{_PREFIX}_why", True)
    label = _("Hide the reasons") if open_ else _("Why? What speaks for and against")
    st.button(on_key(label, WHY), key=WHY_KEY, type="tertiary", on_click=_turn, args=(opened.token, not open_))
    if not open_:
        return
    with reaching():
        product = product_of(store, opened.item)
    if product == Product():
        st.info(_("The texts and the picture of this product were deleted: there is nothing to explain."))
        return
    classifier = classifier_or_stop()
    if classifier.bundle.version != opened.item.model:
        st.warning(
            _("The suggestions are of the model {then}; what stands here is the answer of {now}.").format(
                then=opened.item.model, now=classifier.bundle.version
            )
        )
    render_explanation(classifier, product, predict(classifier, product), _PREFIX)


def _turn(token: str, open_: bool) -> None:
    st.session_state[_FOR] = token if open_ else None
    st.session_state[f"{_PREFIX}_why"] = open_
