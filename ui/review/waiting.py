"""How many products wait, and what to do when none does."""

import time
from contextlib import suppress

import streamlit as st
from streamlit.errors import StreamlitAPIException

from decisions.items import Filter
from decisions.store import DecisionStore
from ui.decide.access import holder
from ui.language import _, ngettext, number
from ui.review.desk import done, passed, start_again
from ui.review.filters import STATES, is_narrow, show

_COUNTED = "review_counted"
_SECONDS = 5
"""How old the count of a large queue may be."""


def render_waiting(store: DecisionStore, where: Filter, person: str) -> None:
    """How many wait, how many of them others have open."""
    waiting, held = _counts(store, where, person)
    sentence = ngettext("**{n}** product waits", "**{n}** products wait", waiting).format(n=number(waiting))
    if held:
        sentence += " · " + ngettext("{n} open by another", "{n} open by others", held).format(n=number(held))
    if skipped := len(passed()):
        sentence += " · " + ngettext("{n} passed over", "{n} passed over", skipped).format(n=number(skipped))
    st.caption(sentence, width="content")


def _counts(store: DecisionStore, where: Filter, person: str) -> tuple[int, int]:
    """Counted afresh every few seconds; in between, one less for each decision."""
    kept = st.session_state.get(_COUNTED)
    if kept is None or kept["where"] != (where, person) or time.monotonic() - kept["at"] > _SECONDS:
        kept = {
            "where": (where, person),
            "at": time.monotonic(),
            "done": done(),
            "waiting": store.count(where, person),
            "held": store.held(where, holder()),
        }
        st.session_state[_COUNTED] = kept
    return max(0, kept["waiting"] - (done() - kept["done"])), kept["held"]


def render_nothing(store: DecisionStore, where: Filter, person: str) -> None:
    """Nothing is left: why, and where to go on."""
    st.session_state.pop(_COUNTED, None)
    others = store.held(where, holder())
    with st.container(border=True, key="review_nothing"):
        if is_narrow(where) and not passed():
            st.markdown(_("**No product passes these filters.**"))
        elif others:
            message = ngettext(
                "**Another moderator has the last product open.**",
                "**Other moderators have the last {n} products open.**",
                others,
            )
            st.markdown(message.format(n=number(others)))
        elif where.state == "second_look":
            st.markdown(_("**No product waits for your second look.**"))
        elif where.state == "skipped":
            st.markdown(_("**No product is laid aside.**"))
        else:
            st.markdown(_("**Everything is decided.**") if store.states() else _("**The queue is empty.**"))
        with st.container(horizontal=True):
            _render_ways(store, where, person)
        with suppress(StreamlitAPIException):  # no front door: a page is run alone, as a test may do
            st.caption(
                _("Products come here from a product's page, or from a file: those that the model is unsure of.")
            )
            st.page_link("pages/batch.py", label=_("Send products of a file"), icon=":material/table_view:")


def _render_ways(store: DecisionStore, where: Filter, person: str) -> None:
    if skipped := len(passed()):
        message = ngettext("Look at the {n} passed over", "Look at the {n} passed over", skipped)
        st.button(message.format(n=number(skipped)), key="review_again", type="primary", on_click=start_again)
    if is_narrow(where):
        st.button(_("Loosen the filters"), key="review_loosen", on_click=show, args=(where.state,))
    for state in STATES:
        count = 0 if state == where.state else store.count(Filter(state), person)
        if count:
            st.button(f"{_(STATES[state])} ({number(count)})", key=f"review_to_{state}", on_click=show, args=(state,))
    st.button(_("Look again"), key="review_look", icon=":material/refresh:")
