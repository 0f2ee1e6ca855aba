"""From a result to the moderators: what is doubtful, and a random sample of the rest to check the model by."""

from collections.abc import Mapping
from contextlib import suppress

import streamlit as st
from streamlit.errors import StreamlitAPIException

from batch.results import Results
from decisions.errors import DecisionError
from decisions.items import STATES, Filter
from decisions.sampling import Draw, draw, seed_of
from decisions.store import open_store
from ui.batch.sending import Sending, forget, send, sending
from ui.decide.asking import ask, try_again
from ui.decide.errors import decision_message
from ui.decide.names import state_name
from ui.language import _, language, listed, ngettext, number, percent
from ui.review.filters import show
from ui.style import literal

REVIEW = "pages/review.py"
_THRESHOLD, _SHARE, _LARGEST_SHARE = 60, 2, 50
"""Percent: where the sliders stand without anything to go by, and the end of the second."""


def render_queue(found: Results, threshold: float | None) -> None:
    """What to send, how far it is, what is in the queue already. ``threshold``: the model's own."""
    try:
        counts = ask(lambda store: {state: store.count(Filter(state, job=found.job.id)) for state in STATES})
        _render_known(found, counts)
        under_way = sending(found.job.id)
        if under_way is not None and not under_way.ended:
            st.fragment(_follow, run_every=1)(found)
            return
        if under_way is not None:
            _render_ended(found, under_way)
        _render_choice(found, threshold)
    except DecisionError as error:
        st.warning(_("**Nothing can be sent to the queue at the moment.** Tell whoever runs this server:"))
        st.caption(decision_message(error))
        st.button(_("Try again"), key=f"batch_queue_retry_{found.job.id}", on_click=try_again)


def _render_known(found: Results, counts: Mapping[str, int]) -> None:
    """What the store has of this file, by state."""
    if not any(counts.values()):
        return
    words = listed([f"{state_name(state)}: {number(count)}" for state, count in counts.items() if count])
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(_("In the moderators’ queue from this file – {counts}").format(counts=words), width="content")
        if st.button(_("Go to its queue"), key=f"batch_queue_go_{found.job.id}", icon=":material/arrow_forward:"):
            show("pending", found.job.id)
            with suppress(StreamlitAPIException):  # no front door: the page is run alone, as a test may do
                st.switch_page(REVIEW)


def _render_choice(found: Results, threshold: float | None) -> None:
    st.markdown(
        _(
            "Moderators decide on what the model is unsure of. A random sample of the rest, decided on as well, tells "
            "how good the model is where nobody looks."
        )
    )
    drawn = _render_sliders(found, threshold)
    unread = int((found.inputs == "none").sum())
    if unread:
        left = ngettext(
            "{n} row is left out: nothing in it could be read.",
            "{n} rows are left out: nothing in them could be read.",
            unread,
        )
        st.caption(left.format(n=number(unread)))
    label = ngettext("Send {n} product to the queue", "Send {n} products to the queue", len(drawn))
    st.button(
        label.format(n=number(len(drawn))),
        key=f"batch_queue_send_{found.job.id}",
        type="primary",
        icon=":material/outgoing_mail:",
        disabled=not len(drawn),
        on_click=send,
        args=(found, drawn, open_store()),
    )
    st.caption(
        _(
            "Texts and pictures are copied, so that they can be decided on after this file is deleted. What was sent "
            "before is not sent twice, and the sample stays the same each time; send it with one share only, or the "
            "numbers drawn from it are off."
        )
    )


def _render_sliders(found: Results, threshold: float | None) -> Draw:
    with st.container(border=True, horizontal=True, gap="large", key="batch_queue_choice"):
        below = _percent_slider(
            found,
            "below",
            _("Everything under this confidence"),
            _THRESHOLD if threshold is None else round(100 * threshold),
            100,
            _("Starts at the model’s own threshold."),
        )
        share = _percent_slider(
            found, "share", _("And at random, of the rest"), _SHARE, _LARGEST_SHARE, _("0: no sample.")
        )
        drawn = draw(found.confidence, below, share, seed_of(found.job.id), found.inputs != "none")
        st.metric(_("Under {share}").format(share=percent(below)), number(drawn.doubtful), width="content")
        st.metric(_("Drawn from the rest"), number(drawn.audited), width="content")
    return drawn


def _percent_slider(found: Results, name: str, label: str, start: int, most: int, words: str) -> float:
    key = f"batch_queue_{name}_{found.job.id}"
    st.session_state.setdefault(key, start)
    form = "%d\u202f%%" if language() == "fr" else "%d%%"
    return st.slider(label, 0, most, format=form, key=key, persist_state="session", width=300, help=words) / 100


def _follow(found: Results) -> None:
    """How far the sending is, every second; the whole page comes up again at its end."""
    state = sending(found.job.id)
    if state is None or state.ended:
        st.rerun()
    words = _("Sending… {done} of {total}").format(done=number(state.done), total=number(state.total))
    st.progress(state.done / state.total, text=words)
    st.info(_("You may close this page: the sending goes on."))
    st.button(_("Stop"), key=f"batch_queue_stop_{found.job.id}", on_click=state.stopping.set)


def _render_ended(found: Results, state: Sending) -> None:
    """What came of the last sending."""
    if state.problem is not None:
        _render_problem(state)
    elif state.done < state.total:
        st.warning(_stopped(state))
    with st.container(border=True, horizontal=True, gap="large", vertical_alignment="center", key="batch_queue_sent"):
        st.metric(_("New in the queue"), number(state.added.added), width="content")
        already = _("The same products were there already, from this file or another.")
        st.metric(_("Waiting already"), number(state.added.waiting), width="content", help=already)
        st.metric(_("Decided already"), number(state.added.decided), width="content", help=_("Left as they are."))
        st.button(_("Close"), key=f"batch_queue_close_{found.job.id}", on_click=forget, args=(found.job.id,))
    if state.unreadable:
        without = ngettext(
            "{n} product was sent without its picture, which cannot be read any more.",
            "{n} products were sent without their picture, which cannot be read any more.",
            state.unreadable,
        )
        st.warning(without.format(n=number(state.unreadable)))


def _render_problem(state: Sending) -> None:
    problem = state.problem
    if isinstance(problem, DecisionError):
        reason = decision_message(problem)
    else:
        reason = literal(f"{type(problem).__name__}: {problem}")
    st.error(f"**{_stopped(state)}** {reason}")


def _stopped(state: Sending) -> str:
    return _("{done} of {total} products were sent; they are there. Send again to complete it.").format(
        done=number(state.done), total=number(state.total)
    )
