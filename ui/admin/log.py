"""The audit log: filtered, page by page, and as a file to take away."""

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import datetime, time, timedelta

import pandas as pd
import streamlit as st

from access.door import door
from access.roles import may_do
from decisions.audit import ACTIONS, AuditFilter, AuditLog, note
from decisions.store import open_store
from preprocessing.table import escape
from ui.admin.asking import administers, not_allowed
from ui.admin.names import action_name, details_words
from ui.admin.refusals import refusal
from ui.batch.cached import signature
from ui.batch.choice import choose
from ui.language import _, date_pattern, moment, ngettext, number
from ui.sign_in.audited import NOBODY, person_here
from ui.sign_in.provider import claims_of_run
from ui.sign_in.visitor import cookie, signing_in
from ui.style import download_words
from ui.zone import zone

_SHOWN = 50
_PROBLEMS, _ASKED, _LOOKS_SECONDS = "admin_log_problems", "admin_log_asked", 2
_FORMULA = re.compile(r"""(^|[;,\t|\r\n])(?=[\s"]*[=+\-@])""")
"""What a program that takes another sign for the end of a cell would read as one."""
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
        # Filled by another thread, once the file could not be made.
        problems = st.session_state.setdefault(_PROBLEMS, [])
        _render_download(log, where, problems)
    st.fragment(_render_problem, run_every=_LOOKS_SECONDS if st.session_state.get(_ASKED) else None)(problems)
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


def _render_download(log: AuditLog, where: AuditFilter, problems: list[Exception]) -> None:
    download_words()
    st.download_button(
        _("Download as CSV"), data=_maker(log, where, problems), file_name="rayon-audit.csv", mime="text/csv",
        key="admin_log_download", icon=":material/download:", on_click=_note_asked,
    )  # fmt: skip


def _note_asked() -> None:
    st.session_state[_ASKED] = True


def _render_problem(problems: list[Exception]) -> None:
    """Why there was no file the last time."""
    if not problems:
        return
    if isinstance(problems[-1], PermissionError):
        st.error(not_allowed())
        return
    words, sentence = refusal(problems[-1])
    st.error(words)
    st.code(sentence or "", language=None, wrap_lines=True)


def _maker(log: AuditLog, where: AuditFilter, problems: list[Exception]) -> Callable[[], bytes]:
    """What makes the file, in a thread that knows no session: who asked is looked at again there.

    ``problems``: what kept it from that is added.
    """
    person, signed, claims = person_here(), cookie(), claims_of_run() if signing_in() else None
    open_here = not signing_in() and administers()

    def make() -> bytes:
        problems.clear()
        try:
            known = None if open_here else door().visitor(signed, claims)
            if not open_here and (known is None or not may_do(known.role, "administer")):
                raise PermissionError("not an administrator any more")
            made = as_csv(log, where)
        except Exception as error:
            problems.append(error)
            raise
        note(person, "audit_exported", rows=made.count(b"\r\n") - 1)
        return made

    return make


def as_csv(log: AuditLog, where: AuditFilter) -> bytes:
    """UTF-8 with its mark, all quoted; times are UTC, details JSON, and no cell is a formula, wherever it is split."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(_COLUMNS)
    for entry in log.rows(where):
        details = json.dumps(entry.details, ensure_ascii=False)
        cells = entry.person, entry.action, entry.subject, details
        writer.writerow([entry.id, entry.at.isoformat(timespec="seconds"), *map(_harmless, cells)])
    return out.getvalue().encode("utf-8-sig")


def _harmless(cell: str) -> str:
    return _FORMULA.sub(r"\1'", escape(cell))
