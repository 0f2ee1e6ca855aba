"""A job that waits, is at work, or has ended without a result."""

import streamlit as st

from batch.jobs import Job, JobState
from ui.batch.messages import problem_message
from ui.batch.names import fate_name
from ui.batch.state import start_over
from ui.language import N_, _, duration, listed, ngettext, number, percent

STEPS = {
    "": N_("Waiting for its turn: one file is worked on at a time"),
    "exporting": N_("Preparing the model for files of products (half a minute, once for each model)"),
    "classifying": N_("Classifying"),
}
_TOLD_WITH_TEXT = ("model", "crashed", "unexpected")
"""Kinds of problems whose own words help those who run the server."""


def render_progress(job: Job) -> None:
    """How far the work is, every second; the whole page comes up again at its end."""
    st.fragment(_follow, run_every=1)(job)


def _follow(job: Job) -> None:
    state = job.state()
    if state.state not in ("waiting", "running"):
        st.rerun()
    with st.container(border=True):
        share = state.done / state.rows if state.rows else 0.0
        step = STEPS[state.step if state.state == "running" else ""]
        st.progress(share, text=f"{_(step)}… {percent(share)}")
        with st.container(horizontal=True, gap="large"):
            for label, value in _numbers(state):
                st.metric(label, value, width="content")
        render_fates(state)
        st.info(_("You may close this page: the work goes on, and you find it here when you come back."))
        if st.button(_("Cancel"), key=f"batch_cancel_{job.id}"):
            job.cancel()
            st.rerun()


def _numbers(state: JobState) -> list[tuple[str, str]]:
    done = _("{done} of {rows}").format(done=number(state.done), rows=number(state.rows))
    speed = "–" if state.rows_per_second is None else number(state.rows_per_second)
    left = "–" if state.seconds_left is None else duration(state.seconds_left)
    return [(_("Rows done"), done), (_("Rows per second"), speed), (_("Time left, about"), left)]


def render_fates(state: JobState) -> None:
    """How many rows did without the picture they name, and why."""
    unused = {reason: count for reason, count in state.pictures.items() if reason not in ("", "used") and count}
    if not unused:
        return
    message = ngettext(
        "{n} row was read without its picture: {reasons}.",
        "{n} rows were read without their picture: {reasons}.",
        sum(unused.values()),
    )
    # Reasons of the same name, such as two limits of size, count as one.
    counts: dict[str, int] = {}
    for reason, count in unused.items():
        counts[fate_name(reason)] = counts.get(fate_name(reason), 0) + count
    ranked = sorted(counts.items(), key=lambda pair: -pair[1])
    reasons = listed([f"{name} ({number(count)})" for name, count in ranked])
    st.caption(message.format(n=number(sum(unused.values())), reasons=reasons))


def render_ended(job: Job, state: JobState) -> None:
    """Why there is no result, and how to go on."""
    done = _("{done} of {rows} rows were done; they are kept.").format(done=number(state.done), rows=number(state.rows))
    with st.container(border=True):
        if state.problem is None:
            stopped = _("**The work was stopped.**")
            st.warning(f"{stopped} {done}")
        else:
            ended = _("**The work came to an end before its time.**")
            st.error(f"{ended} {problem_message(state.problem)}")
            if state.problem.kind in _TOLD_WITH_TEXT:
                st.code(state.problem.text, language=None, wrap_lines=True)
            st.caption(done)
        with st.container(horizontal=True):
            again = _("Continue") if state.problem is None else _("Try again")
            st.button(again, key=f"batch_again_{job.id}", type="primary", on_click=job.start)
            st.button(_("Start over with the same file"), key=f"batch_over_{job.id}", on_click=start_over, args=(job,))
