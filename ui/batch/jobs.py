"""The visitor's jobs: which there are, how far each is, until when it is kept."""

from datetime import UTC, datetime

import streamlit as st

from batch.jobs import Job, JobState
from settings import settings
from ui.batch.names import file_title
from ui.batch.owner import owner
from ui.batch.state import delete, show, store
from ui.language import N_, _, day, moment, ngettext, number, percent
from ui.rows import row
from ui.style import literal

SHOWN = 10
STATES = {
    "draft": (N_("to be started"), "gray"),
    "waiting": (N_("waiting"), "blue"),
    "running": (N_("at work"), "blue"),
    "done": (N_("done"), "green"),
    "cancelled": (N_("stopped"), "orange"),
    "failed": (N_("failed"), "red"),
}
_REFRESH_SECONDS = 3


def render_jobs() -> None:
    """The list, newest first; it follows those that are at work."""
    jobs = store().owned_by(owner())
    if not jobs:
        st.caption(_("The files you send are listed here, and found again when you come back with this browser."))
        return
    busy = any(job.state().state in ("waiting", "running") for job in jobs)
    st.fragment(_render_list, run_every=_REFRESH_SECONDS if busy else None)()


def _render_list() -> None:
    jobs = store().owned_by(owner())
    st.subheader(_("Your files"), anchor=False)
    days = settings().job_days
    kept = ngettext("Each is deleted {n} day after it was sent.", "Each is deleted {n} days after it was sent.", days)
    st.caption(kept.format(n=number(days)))
    every = len(jobs) <= SHOWN or st.session_state.get("batch_every", False)
    for job in jobs if every else jobs[:SHOWN]:
        _render_job(job)
    if not every and st.button(_("Show all {n}").format(n=number(len(jobs))), key="batch_show_every"):
        st.session_state["batch_every"] = True
        st.rerun()


def _render_job(job: Job) -> None:
    state = job.state()
    with row(f"batch_job_{job.id}"):
        with st.container(width="stretch", gap="xxsmall"):
            st.markdown(f"**{file_title(job.about['name'])}** &nbsp; {state_badge(state)}")
            st.caption(_described(job, state))
        with st.container(horizontal=True, width="content"):
            # Not by callbacks: within a fragment they would bring up nothing but the fragment again.
            if st.button(_("Open"), key=f"batch_open_{job.id}"):
                show(job.id)
                st.rerun()
            render_delete(job, "list")


def render_delete(job: Job, place: str) -> None:
    """Deletes the job once it is confirmed. ``place``: tells two such buttons for one job apart."""
    with st.popover(_("Delete"), key=f"batch_delete_{place}_{job.id}"):
        st.markdown(
            _("Delete **{name}**, its pictures and its result for good?").format(name=file_title(job.about["name"]))
        )
        if st.button(_("Delete for good"), key=f"batch_delete_now_{place}_{job.id}", type="primary"):
            delete(job)
            st.rerun()


def state_badge(state: JobState) -> str:
    """The state of a job, as Markdown."""
    name, colour = STATES[state.state]
    text = _(name)
    if state.state in ("running", "cancelled", "failed") and state.rows:
        text = f"{text}, {percent(state.done / state.rows)}"
    return f":{colour}-badge[{literal(text)}]"


def _described(job: Job, state: JobState) -> str:
    parts = [_("sent {moment}").format(moment=moment(job.created))]
    if state.rows:
        parts.insert(0, ngettext("{n} row", "{n} rows", state.rows).format(n=number(state.rows)))
    parts.append(kept_until(job))
    return " · ".join(parts)


def kept_until(job: Job) -> str:
    """When the job is deleted, in words."""
    expires = job.expires(settings().job_days)
    if expires <= datetime.now(UTC):
        return _("about to be deleted")
    return _("kept until {day}").format(day=day(expires))
