"""From a result to the moderators: what is doubtful, and a random sample of the rest to check the model by."""

from collections.abc import Mapping
from contextlib import suppress

import streamlit as st
from streamlit.errors import StreamlitAPIException

from batch.results import Results
from decisions.errors import DecisionError
from decisions.items import STATES, Filter
from decisions.store import open_store
from ui.batch.sending import Note, Sending, cut_off, drawn_from, forget, go_on, send, sending
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
        under_way = sending(found.job)
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


def take_up(found: Results) -> None:
    """Goes on with a sending that a stop of the server cut off, wherever its file is opened, and says so."""
    if not cut_off(found.job):
        return
    with suppress(DecisionError):  # said where one sends
        ask(lambda store: go_on(found, store))
        st.toast(_("The server was stopped while rows went to the moderators: the sending goes on now."))


def _render_known(found: Results, counts: Mapping[str, int]) -> None:
    """What the store has of this file, by state."""
    if not any(counts.values()):
        return
    words = listed([f"{state_name(state)}: {number(count)}" for state, count in counts.items() if count])
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(
            _("Products of this file in the moderators’ queue – {counts}").format(counts=words), width="content"
        )
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
    below, share, rows = _render_sliders(found, threshold)
    unread = int((found.inputs == "none").sum())
    if unread:
        left = ngettext(
            "{n} row is left out: nothing in it could be read.",
            "{n} rows are left out: nothing in them could be read.",
            unread,
        )
        st.caption(left.format(n=number(unread)))
    label = ngettext("Send {n} row to the queue", "Send {n} rows to the queue", rows)
    st.button(
        label.format(n=number(rows)),
        key=f"batch_queue_send_{found.job.id}",
        type="primary",
        icon=":material/outgoing_mail:",
        disabled=not rows,
        on_click=send,
        args=(found, below, share, open_store()),
    )
    st.caption(
        _(
            "Texts and pictures are copied, so that they can be decided on after this file is deleted. A product that "
            "is in several rows is decided on once, for all of them. What was sent before is not sent twice, and the "
            "sample stays the same each time; send it with one share only, or the numbers drawn from it are off."
        )
    )


def _render_sliders(found: Results, threshold: float | None) -> tuple[float, float, int]:
    """The threshold, the share, and how many rows these come to."""
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
        drawn = drawn_from(found, below, share)
        st.metric(_("Rows under {share}").format(share=percent(below)), number(drawn.doubtful), width="content")
        st.metric(_("Rows drawn from the rest"), number(drawn.audited), width="content")
    return below, share, len(drawn)


def _percent_slider(found: Results, name: str, label: str, start: int, most: int, words: str) -> float:
    key = f"batch_queue_{name}_{found.job.id}"
    st.session_state.setdefault(key, start)
    form = "%d\u202f%%" if language() == "fr" else "%d%%"
    return st.slider(label, 0, most, format=form, key=key, persist_state="session", width=300, help=words) / 100


def _follow(found: Results) -> None:
    """How far the sending is, every second; the whole page comes up again at its end."""
    state = sending(found.job)
    if state is None or state.ended:
        st.rerun()
    note = state.note
    words = _("Sending rows… {done} of {total}").format(done=number(note.done), total=number(note.total))
    st.progress(note.done / max(note.total, 1), text=words)
    st.info(_("You may close this page: the sending goes on, and after a stop of the server once this file is opened."))
    if not state.elsewhere:
        st.button(_("Stop"), key=f"batch_queue_stop_{found.job.id}", on_click=state.stopping.set)


def _render_ended(found: Results, state: Sending) -> None:
    """What came of the last sending."""
    note = state.note
    if state.problem is not None:
        st.error(f"**{_so_far(note)}** {_reason(state.problem)}")
    elif not state.complete:
        st.warning(_so_far(note))
    with st.container(border=True, horizontal=True, gap="large", vertical_alignment="center", key="batch_queue_sent"):
        _render_sent(note)
        if not state.complete:
            st.button(
                _("Go on"),
                key=f"batch_queue_on_{found.job.id}",
                type="primary",
                on_click=go_on,
                args=(found, open_store()),
            )
        close = _("Close") if state.complete else _("Leave it at that")
        st.button(close, key=f"batch_queue_close_{found.job.id}", on_click=forget, args=(found.job,))
    if note.done != note.added:
        st.caption(_rows_and_products(note))
    if note.unreadable:
        without = ngettext(
            "{n} row was sent without its picture, which cannot be read any more.",
            "{n} rows were sent without their picture, which cannot be read any more.",
            note.unreadable,
        )
        st.warning(without.format(n=number(note.unreadable)))


def _render_sent(note: Note) -> None:
    """Each row that was sent counts once: its product is new, waits already, or is decided on already."""
    st.metric(_("Rows sent"), number(note.done), width="content")
    st.metric(_("New products in the queue"), number(note.added), width="content")
    already = _("Rows whose product was there: from another row of this file, from another file, or sent before.")
    st.metric(_("Rows waiting already"), number(note.waiting), width="content", help=already)
    st.metric(_("Rows decided already"), number(note.decided), width="content", help=_("Left as they are."))


def _rows_and_products(note: Note) -> str:
    rows = ngettext("{n} row", "{n} rows", note.done).format(n=number(note.done))
    new = ngettext("{n} new product", "{n} new products", note.added).format(n=number(note.added))
    words = _("{rows} made {products}: where several rows are one product, or it was there, it is decided on once.")
    return words.format(rows=rows, products=new)


def _reason(problem: Exception) -> str:
    if isinstance(problem, DecisionError):
        return decision_message(problem)
    return literal(f"{type(problem).__name__}: {problem}")


def _so_far(note: Note) -> str:
    words = _("{done} of {total} rows are in the queue; the others are not yet.")
    return words.format(done=number(note.done), total=number(note.total))
