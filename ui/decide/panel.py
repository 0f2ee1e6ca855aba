"""Deciding on the product that is on screen: under its answer, wherever the answer stands."""

from collections.abc import Callable

import streamlit as st

from decisions.errors import DecisionError
from model.product import Prediction, Product
from model.taxonomy import Taxonomy
from ui.decide.asking import try_again
from ui.decide.case import Case, Origin, change, decide, find_case, note_box, reporting, send, take, undo
from ui.decide.category_box import box_key, choose_category
from ui.decide.errors import decision_message
from ui.decide.names import category_of, decision_sentence, reason_name
from ui.decide.person import person, render_person
from ui.language import _, moment
from ui.sign_in.visitor import may
from ui.style import literal

_ASIDE = Origin()


def render_decision(
    prefix: str, product: Product, prediction: Prediction, taxonomy: Taxonomy, origin: Origin = _ASIDE
) -> None:
    """What was decided on the product, and the means to decide. A store out of reach is told here and nowhere else."""
    try:
        case = find_case(prefix, product, prediction, origin)
        if case is not None:
            with st.container(border=True, key=f"{prefix}_decide"):
                _render_case(case, taxonomy)
    except DecisionError as error:
        st.warning(_("**Nothing can be decided at the moment**; the answer above is not touched by that."))
        st.caption(decision_message(error))
        st.button(_("Try again"), key=f"{prefix}_decide_retry", on_click=try_again)


def _render_case(case: Case, taxonomy: Taxonomy) -> None:
    standing = case.standing
    _render_state(case, taxonomy)
    if case.problem is not None:
        st.error(case.problem)
    if case.notice is not None:
        st.info(case.notice)
    if not may("decide"):
        _render_send(case)
    elif standing is not None and standing.decision != "skipped" and not case.changing:
        with st.container(horizontal=True, key=f"{case.prefix}_decide_again"):
            if case.undoable:
                _button(case, "undo", _("Undo"), ":material/undo:", undo)
            _button(case, "change", _("Decide again"), ":material/edit:", change)
    elif person() is None:
        _render_stranger(case)
    else:
        _render_controls(case, taxonomy)


def _render_state(case: Case, taxonomy: Taxonomy) -> None:
    """The decision that counts, or that the product waits in the queue."""
    standing = case.standing
    if standing is not None:
        sentence = literal(decision_sentence(standing, taxonomy))
        who, when = literal(standing.person), moment(standing.decided_at)
        st.markdown(_("Decision: **{decision}**, by {person}, {when}").format(decision=sentence, person=who, when=when))
        if standing.note:
            st.caption(_("Note: {note}").format(note=literal(standing.note)))
    elif case.item is not None:
        waiting = _("In the queue since {when} ({reason}).")
        st.markdown(waiting.format(when=moment(case.item.added_at), reason=reason_name(case.item.reason)))


def _render_stranger(case: Case) -> None:
    """For somebody who has not said who they are: folded, as most only want the answer."""
    state, key, kept = st.session_state, f"{case.prefix}_decide_open", f"{case.prefix}_decide_open_kept"
    state[key] = state.get(key, state.get(kept, False))
    panel = st.expander(_("Decide, or ask the moderators"), key=key, on_change="rerun")
    state[kept] = panel.open
    if panel.open:
        with panel:
            render_person(f"{case.prefix}_decide")
            _render_send(case)


def _render_controls(case: Case, taxonomy: Taxonomy) -> None:
    render_person(f"{case.prefix}_decide")
    with st.container(horizontal=True, key=f"{case.prefix}_decide_buttons"):
        accept = _("As the model says: {category}").format(category=category_of(taxonomy, case.first.code))
        _button(case, "accept", _("Accept"), ":material/check:", take, type="primary", help=accept)
        _button(case, "unknown", _("I don’t know"), ":material/help:", decide, "unknown")
        if case.standing is None:  # skipping would take the decision away
            skip = _("Leaves it for later: it waits among the skipped ones.")
            _button(case, "skip", _("Skip"), ":material/skip_next:", decide, "skipped", help=skip)
        _render_send(case)
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{case.prefix}_decide_correction"):
        box = f"{case.prefix}_decide_category_{case.key[:16]}"
        chosen = choose_category(_("Another category"), case.new.suggestions, taxonomy, box)
        _button(case, "correct", _("Correct"), ":material/edit:", take, box_key(box), disabled=chosen is None)
    st.text_area(
        _("Note (optional)"),
        key=note_box(case),
        height=100,
        placeholder=_("Stands with the decision, in exports too"),
        on_change="ignore",
        persist_state="session",
    )


def _render_send(case: Case) -> None:
    if case.item is None:
        words = _("The moderators find it among what is to be decided.")
        _button(case, "send", _("Send to the queue"), ":material/outgoing_mail:", send, help=words)


def _button(
    case: Case, name: str, label: str, icon: str, act: Callable[..., None], *args: object, **more: object
) -> None:
    pressed = (case, act, *args)
    st.button(label, key=f"{case.prefix}_decide_{name}", icon=icon, on_click=reporting, args=pressed, **more)
