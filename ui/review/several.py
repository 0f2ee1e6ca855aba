"""One answer for several products at once: ticked in a table, told how many, taken back as one."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from decisions.errors import DecisionError
from decisions.items import MAX_NOTE, Filter, Item, Many, Verdict
from decisions.store import DecisionStore
from model.taxonomy import Taxonomy
from ui.batch.cached import signature
from ui.batch.choice import choose
from ui.decide.access import holder, reaching
from ui.decide.category_box import choose_category
from ui.decide.errors import decision_message
from ui.decide.names import category_of
from ui.language import N_, _, ngettext, number
from ui.review.decided import render_last
from ui.review.desk import done, said_of_several
from ui.review.table import render_table
from ui.review.waiting import render_nothing

PAGE = 50
_SHOWN, _NOTE, _ASKED = "review_several", "review_several_note", "review_several_asked"
VERDICTS = {
    "accepted": N_("Accept, each its own suggestion"),
    "approved": N_("Approve what was decided"),
    "corrected": N_("One category for all"),
    "unknown": N_("I don’t know"),
    "skipped": N_("Skip"),
}
_OFFERED = {
    "pending": ("accepted", "corrected", "unknown", "skipped"),
    "skipped": ("accepted", "corrected", "unknown"),
    "second_look": ("approved", "corrected", "unknown"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of the table as it is on screen: it does not move while rows are ticked, whatever others decide."""

    wanted: tuple
    items: tuple[Item, ...]


@st.fragment
def render_several(store: DecisionStore, where: Filter, person: str, taxonomy: Taxonomy) -> None:
    """The table, and what is to be said of the rows ticked in it."""
    with reaching(), st.container(key="review_table"):
        render_last(store, person, where, taxonomy)
        total = store.count(where, person)
        if not total:
            render_nothing(store, where, person)
            return
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            page = _render_pages(where, -(-total // PAGE))
            st.button(_("Look again"), key="review_reload", icon=":material/refresh:", on_click=_forget)
        shown = _shown(store, where, person, page)
        ticked = [shown.items[row] for row in render_table(store, shown.items, taxonomy, where.state == "second_look")]
        if not ticked:
            st.caption(_("Tick rows, or the box above them for all of this page; then say what they are."))
            return
        verdict = _render_verdict(where, taxonomy)
        if verdict is not None:
            _render_confirm(store, ticked, verdict, person, taxonomy)


def _render_pages(where: Filter, pages: int) -> int:
    """The page chosen, from 1."""
    if pages < 2:
        return 1
    return min(st.pagination(pages, key=f"review_page_{signature(where)}", persist_state="session"), pages)


def _shown(store: DecisionStore, where: Filter, person: str, page: int) -> Shown:
    # What was decided here is to leave the table; what others decide is told when it matters.
    wanted = (where, person, page, done())
    shown: Shown | None = st.session_state.get(_SHOWN)
    if shown is None or shown.wanted != wanted:
        shown = Shown(wanted, tuple(store.items(where, PAGE, (page - 1) * PAGE, person)))
        st.session_state[_SHOWN] = shown
    return shown


def _render_verdict(where: Filter, taxonomy: Taxonomy) -> Verdict | None:
    """The answer for all that is ticked; None while it lacks its category."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        decision = choose(
            _("The answer"),
            _OFFERED[where.state],
            lambda name: _(VERDICTS[name]),
            key=f"review_several_verdict_{where.state}",
        )
        code = None
        if decision == "corrected":
            code = choose_category(_("Category"), (), taxonomy, "review_several_code", persist_state="session")
        note = st.text_input(
            _("Note (optional)"), key=_NOTE, max_chars=MAX_NOTE, autocomplete="off", persist_state="session"
        )
    if decision == "corrected" and code is None:
        st.caption(_("Choose the category first."))
        return None
    return Verdict(decision, code, note.strip() or None, action="")


def _render_confirm(
    store: DecisionStore, ticked: Sequence[Item], verdict: Verdict, person: str, taxonomy: Taxonomy
) -> None:
    """Says how many, and asks once more."""
    count = ngettext("{n} product", "{n} products", len(ticked)).format(n=number(len(ticked)))
    answer = _(VERDICTS[verdict.decision]) if verdict.code is None else category_of(taxonomy, verdict.code)
    asked = signature([item.key for item in ticked], verdict)
    if st.session_state.get(_ASKED) != asked:
        label = _("{answer}: {count}…").format(answer=answer, count=count)
        st.button(label, key="review_several_ask", type="primary", on_click=_ask, args=(asked,))
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(_("**{count}**: is that meant?").format(count=count), width="content")
        st.button(
            _("Yes, {count}").format(count=count),
            key="review_several_yes",
            type="primary",
            on_click=_apply,
            args=(store, tuple(ticked), verdict, person, asked),
        )
        st.button(_("No"), key="review_several_no", on_click=_ask, args=(None,))


def _ask(asked: str | None) -> None:
    st.session_state[_ASKED] = asked


def _apply(store: DecisionStore, ticked: Sequence[Item], verdict: Verdict, person: str, asked: str) -> None:
    state = st.session_state
    if state.get(_ASKED) != asked:  # pressed twice
        return
    state[_ASKED] = None
    # A new action each time it is confirmed, one for all rows.
    verdict = Verdict(verdict.decision, verdict.code, verdict.note)
    try:
        many = store.decide_many(ticked, verdict, person, holder())
    except DecisionError as error:
        said_of_several("error", decision_message(error), 0)
        return
    state[_NOTE] = ""
    _forget()
    said_of_several("warning" if many.held or many.changed else "info", _came_of(many), many.done)


def _came_of(many: Many) -> str:
    parts = [ngettext("{n} product decided.", "{n} products decided.", many.done).format(n=number(many.done))]
    if many.held:
        message = ngettext(
            "{n} left as it is: somebody else has it open.",
            "{n} left as they are: others have them open.",
            many.held,
        )
        parts.append(message.format(n=number(many.held)))
    if many.changed:
        message = ngettext(
            "{n} left as it is: it was decided on meanwhile.",
            "{n} left as they are: they were decided on meanwhile.",
            many.changed,
        )
        parts.append(message.format(n=number(many.changed)))
    return " ".join(parts)


def _forget() -> None:
    st.session_state.pop(_SHOWN, None)
