"""Everybody's files on this server: whose they are, how far, how large."""

from datetime import UTC, datetime

import streamlit as st

from access.door import door
from access.errors import AccessError
from api.tokens import Tokens
from batch.jobs import Job
from batch.store import JobStore, owner_mark
from decisions.errors import DecisionError
from decisions.store import open_store
from settings import settings
from ui.admin.asking import NotDone, Question, ask, render_asked
from ui.admin.sizes import folder_bytes
from ui.batch.jobs import kept_until, state_badge
from ui.batch.names import file_title
from ui.language import _, duration, ngettext, number
from ui.review.kept import size
from ui.rows import row
from ui.sign_in.audited import noted
from ui.style import literal

_SHOWN = 20
_PAGE = "admin_files_page"


def render_files() -> None:
    """All of them, newest first."""
    jobs = sorted(JobStore(settings().home).all(), key=lambda job: job.created, reverse=True)
    if not jobs:
        st.info(_("No file is kept: nobody has sent one, or all were deleted."))
        return
    words = ngettext("{n} file is kept, of everybody.", "{n} files are kept, of everybody.", len(jobs))
    kept = ngettext("Each is deleted {n} day after it was sent.", "Each is deleted {n} days after it was sent.", settings().job_days)  # fmt: skip  # noqa: E501
    st.caption(f"{words.format(n=number(len(jobs)))} {kept.format(n=number(settings().job_days))}")
    pages = -(-len(jobs) // _SHOWN)
    page = min(st.session_state.get(_PAGE, 1), pages)
    if pages > 1:
        page = st.number_input(
            _("Page, of {n}").format(n=number(pages)), 1, pages, page, key=f"{_PAGE}_{pages}", width=160
        )
        st.session_state[_PAGE] = page
    owners = _owners()
    for job in jobs[(page - 1) * _SHOWN : page * _SHOWN]:
        _render_job(job, owners)
    render_asked({"stop": _stopping, "delete": _deletion})


def _render_job(job: Job, owners: dict[str, str]) -> None:
    state = job.state()
    with row(f"admin_file_{job.id}"):
        with st.container(width="stretch", gap="xxsmall"):
            st.markdown(f"**{file_title(job.about['name'])}** &nbsp; {state_badge(state)}")
            owner = job.about["owner"]
            parts = [literal(owners.get(owner) or _("somebody else ({mark})").format(mark=owner[:8]))]
            if state.rows:
                parts.append(ngettext("{n} row", "{n} rows", state.rows).format(n=number(state.rows)))
            age = (datetime.now(UTC) - job.created).total_seconds()
            parts += [size(folder_bytes(job.folder)), _("sent {duration} ago").format(duration=duration(age))]
            st.caption(" · ".join([*parts, kept_until(job)]))
        with st.container(horizontal=True, width="content"):
            if state.state in ("waiting", "running"):
                st.button(_("Stop…"), key=f"admin_stop_{job.id}", on_click=ask, args=("stop", job.id))
            st.button(_("Delete…"), key=f"admin_delete_{job.id}", on_click=ask, args=("delete", job.id))


def _stopping(identity: str) -> Question | None:
    job = _job(identity)

    def act() -> str:
        _still(identity).cancel()
        noted("job_stopped", identity)
        return _("**{name} is being stopped.**").format(name=file_title(job.about["name"]))

    if job is None:
        return None
    words = _("What is done of it stays; whoever sent it can go on with it.")
    return Question(_("Stop {name}?").format(name=_short(job)), words, _("Stop"), act)


def _deletion(identity: str) -> Question | None:
    job = _job(identity)

    def act() -> str:
        _still(identity).delete()
        noted("job_deleted", identity)
        return _("**{name} is deleted.**").format(name=file_title(job.about["name"]))

    if job is None:
        return None
    words = _("The table, its pictures and its result go for good; whoever sent it does not find it any more.")
    return Question(_("Delete {name}?").format(name=_short(job)), words, _("Delete for good"), act)


def _job(identity: str) -> Job | None:
    return next((job for job in JobStore(settings().home).all() if job.id == identity), None)


def _still(identity: str) -> Job:
    job = _job(identity)
    if job is None:
        raise NotDone(_("**Nothing was done:** that file is not here any more."))
    return job


def _short(job: Job) -> str:
    return " ".join(job.about["name"].split())[:40]


def _owners() -> dict[str, str]:
    """Who is who, as far as this server knows: a job keeps a mark of its owner, not the name."""
    found = {owner_mark("api:open"): _("a program of this machine")}
    try:
        for account in door().accounts.all().values():
            found[owner_mark(door().sessions.token("jobs", door().account_key(account)))] = account.name
    except AccessError:  # said where accounts are
        pass
    try:
        for client in Tokens(open_store().engine).all():
            found[owner_mark(f"api:{client.id}")] = _("the program {name}").format(name=client.name)
    except DecisionError:  # the list is of use without
        pass
    return found
