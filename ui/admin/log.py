"""The audit log: filtered, page by page, and as a file to take away."""

import csv
import io
import json
from collections.abc import Callable
from datetime import datetime, time, timedelta

import pandas as pd
import streamlit as st

from access.door import door
from access.roles import may_do
from decisions.audit import ACTIONS, AuditFilter, AuditLog, note
from decisions.store import open_store
from preprocessing.table import escape
from ui.admin.asking import administers
from ui.admin.names import action_name, details_words
from ui.batch.cached import signature
from ui.batch.choice import choose
from ui.language import _, date_pattern, moment, ngettext, number
from ui.sign_in.audited import NOBODY, person_here
from ui.sign_in.provider import claims_of_run
from ui.sign_in.visitor import cookie, signing_in
from ui.style import download_words
from ui.zone import zone

_SHOWN = 50
_COLUMNS = ("id", "at", "person", "action", "subject", "details")


def render_log() -> None:
    """Filters, the table, the file."""
    log = AuditLog(open_store().engine)
    st.caption(
        _(
            "Who did what, newest first. Rows are only added; the database refuses to change one. Nothing of a product "
            "is in it, and no password."
        )
    )
    where = _render_filters(log)
    count = log.count(where)
    if not count:
        st.info(_("Nothing that passes these filters has been noted."))
        return
    pages = -(-count // _SHOWN)
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        page = 1
        if pages > 1:
            key = f"admin_log_page_{signature([str(where)])}"  # other filters begin on their first page
            page = st.number_input(_("Page, of {n}").format(n=number(pages)), 1, pages, key=key, width=160)
        st.caption(ngettext("{n} entry", "{n} entries", count).format(n=number(count)), width="content")
        _render_download(log, where)
    _render_table(log, where, min(page, pages))


def _render_filters(log: AuditLog) -> AuditFilter:
    with st.container(horizontal=True, vertical_alignment="bottom", key="admin_log_filters"):
        people = log.people()
        # A box of its own for each list: the browser knows an option by its place.
        key = f"admin_log_person_{signature(people)}"
        person = choose(
            _("Person"), [None, *people], lambda one: _person(one) if one else _("All"), key,
            default=st.session_state.get("admin_log_person"),
        )  # fmt: skip
        st.session_state["admin_log_person"] = person
        action = choose(
            _("Action"), [None, *ACTIONS], lambda one: action_name(one) if one else _("All"), "admin_log_action"
        )
        first = st.date_input(_("From"), None, key="admin_log_first", format=date_pattern(), width=150)
        last = st.date_input(_("Until the end of"), None, key="admin_log_last", format=date_pattern(), width=150)
    until = None if last is None else last + timedelta(days=1)
    begin, end = (None if day is None else datetime.combine(day, time(), zone()) for day in (first, until))
    return AuditFilter(person, action, begin, end)


def _render_table(log: AuditLog, where: AuditFilter, page: int) -> None:
    entries = log.page(where, (page - 1) * _SHOWN, _SHOWN)
    table = pd.DataFrame(
        {
            "at": [moment(entry.at) for entry in entries],
            "person": [_person(entry.person) for entry in entries],
            "action": [action_name(entry.action) for entry in entries],
            "subject": [entry.subject for entry in entries],
            "details": [details_words(entry.details) for entry in entries],
        }
    )
    text = st.column_config.TextColumn
    columns = {
        "at": text(_("When"), width=170),
        "person": text(_("Person"), width=180),
        "action": text(_("Action"), width=180),
        "subject": text(_("What"), width=220),
        "details": text(_("Details"), width=380),
    }
    with st.container(key="admin_grid_log"):
        st.dataframe(
            table, hide_index=True, width="stretch", height="content", column_config=columns, alt=_("Audit log")
        )


def _person(name: str) -> str:
    return _("(nobody signed in)") if name == NOBODY else name


def _render_download(log: AuditLog, where: AuditFilter) -> None:
    download_words()
    st.download_button(
        _("Download as CSV"), data=_maker(log, where), file_name="rayon-audit.csv", mime="text/csv",
        key="admin_log_download", icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def _maker(log: AuditLog, where: AuditFilter) -> Callable[[], bytes]:
    """What makes the file, in a thread that knows no session: who asked is looked at again there."""
    person, signed, claims = person_here(), cookie(), claims_of_run() if signing_in() else None
    open_here = not signing_in() and administers()

    def make() -> bytes:
        known = None if open_here else door().visitor(signed, claims)
        if not open_here and (known is None or not may_do(known.role, "administer")):
            raise PermissionError("not an administrator any more")
        made = as_csv(log, where)
        note(person, "audit_exported", rows=made.count(b"\r\n") - 1)
        return made

    return make


def as_csv(log: AuditLog, where: AuditFilter) -> bytes:
    """UTF-8; times are UTC, details JSON, and no cell is a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for entry in log.rows(where):
        details = json.dumps(entry.details, ensure_ascii=False)
        cells = entry.person, entry.action, entry.subject, details
        writer.writerow([entry.id, entry.at.isoformat(timespec="seconds"), *map(escape, cells)])
    return out.getvalue().encode()
