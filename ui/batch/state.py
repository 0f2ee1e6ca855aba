"""Which job the page shows: it stands in the address, and for a page come back to in the session."""

import streamlit as st

from batch.jobs import Job
from batch.store import JobStore
from settings import settings
from ui.batch.owner import owner
from ui.sign_in.audited import noted

PARAMETER = "job"
_LAST = "batch_last"


def store() -> JobStore:
    """The jobs of this server."""
    return JobStore(settings().home)


def wanted(come_back: bool) -> str | None:
    """The job that the address names; ``come_back``: from another page, whose address names none."""
    named = st.query_params.get(PARAMETER)
    if named is None and come_back and (last := st.session_state.get(_LAST)):
        show(last)
        return last
    st.session_state[_LAST] = named
    return named


def own(identity: str) -> Job | None:
    """A job of this visitor; None when they have no such job."""
    try:
        return store().get(identity, owner())
    except KeyError:
        return None


def show(identity: str | None) -> None:
    """Turns the page to a job, or to the list of them; also as a callback."""
    st.session_state[_LAST] = identity
    if identity is None:
        st.query_params.pop(PARAMETER, None)
    else:
        st.query_params[PARAMETER] = identity


def start_over(job: Job) -> None:
    """A new draft with the same table and pictures."""
    with job.table.open("rb") as table:
        draft = store().draft(job.about["name"], table, owner())
    if job.pictures.exists():
        with job.pictures.open("rb") as archive:
            store().add_pictures(draft, archive)
    show(draft.id)


def delete(job: Job) -> None:
    """Deletes a job for good."""
    job.delete()
    noted("job_deleted", job.id)
    show(None)
