"""What was decided last, with the way back, and how much is left."""

from html import escape

import streamlit as st

from decisions.items import Decision, Filter
from decisions.store import DecisionStore
from model.taxonomy import Taxonomy
from ui.decide.names import category_of, decision_name, quoted
from ui.language import _, ngettext, number
from ui.review.desk import Last, last, told, undo
from ui.review.keys import DO, on_key
from ui.review.waiting import render_waiting

_STYLE = "<style>.rayon-last {margin: 0; overflow-wrap: anywhere; unicode-bidi: isolate;}</style>"


def render_last(store: DecisionStore, person: str, where: Filter, taxonomy: Taxonomy, *keys: str) -> None:
    """The last decision of this person, whenever it was, how many wait, and what came of the last key or button.

    ``keys``: those that undo it.
    """
    found = last(store, person)
    with st.container(horizontal=True, vertical_alignment="center", key="review_last"):
        with st.container(width="stretch", gap="xxsmall"):
            st.html(f"{_STYLE}<p class='rayon-last' role='status' dir='auto'>{escape(_sentence(found, taxonomy))}</p>")
            render_waiting(store, where, person)
        st.button(
            on_key(_("Undo"), *keys),
            key=f"{DO}_undo",
            on_click=undo,
            args=(store, person, where),
            disabled=not found.decisions,
        )
    if (said := told()) is not None:
        kind, message = said
        {"info": st.info, "warning": st.warning, "error": st.error}[kind](message)


def _sentence(found: Last, taxonomy: Taxonomy) -> str:
    if not found.decisions:
        return _("Your decisions show here, and can be undone.")
    count, decision = len(found.decisions), found.decisions[0]
    answers = {_answer(one, taxonomy) for one in found.decisions}
    sentence = _("{product} → {answer}").format(
        product=quoted(found.title)
        if count == 1
        else ngettext("{n} product", "{n} products", count).format(n=number(count)),
        answer=answers.pop() if len(answers) == 1 else _("each its own category"),
    )
    if found.before is None or found.before.person == decision.person:
        return sentence
    before, name = _answer(found.before, taxonomy), found.before.person
    if decision.decision == "approved":
        more = _("as {person} had said").format(person=name)
    else:
        more = _("{person} had said {answer}").format(person=name, answer=before)
    return f"{sentence} · {more}"


def _answer(decision: Decision, taxonomy: Taxonomy) -> str:
    return decision_name(decision.decision) if decision.code is None else category_of(taxonomy, decision.code)
