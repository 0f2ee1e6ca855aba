"""How much room everything takes, how long it is kept, and what can go."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st
from sqlalchemy import text

from batch.store import JobStore
from decisions.database import reading
from decisions.store import DecisionStore, open_store
from model.leftovers import INCOMING, leftovers, sweep
from settings import settings
from ui.admin.asking import Question, ask, render_asked
from ui.admin.sizes import folder_bytes
from ui.admin.uploads import tell_cut_off
from ui.language import _, ngettext, number
from ui.review.kept import render_kept, size
from ui.sign_in.audited import noted
from ui.style import literal


@dataclass(frozen=True, slots=True)
class _Part:
    """Something that takes room; None bytes when that cannot be told from here."""

    name: str
    place: str
    bytes: int | None
    kept: str


def render_storage() -> None:
    """Sizes, leftovers, and the texts and pictures of products."""
    store = open_store()
    with st.spinner(_("Counting…")):
        parts = _parts(store)
    _render_parts(parts)
    _render_leftovers()
    st.divider()
    st.markdown(_("Purging removes texts, notes and pictures of products from the moderators’ queue."))
    render_kept(store)
    render_asked({"sweep": _sweeping})


def _render_parts(parts: list[_Part]) -> None:
    home = settings().home
    disk = shutil.disk_usage(home if home.exists() else Path.cwd())
    with st.container(horizontal=True, gap="large"):
        st.metric(_("Used by Rayon"), _large(sum(part.bytes or 0 for part in parts)), width="content")
        st.metric(_("Free on the disk"), _large(disk.free), width="content")
        st.metric(_("Size of the disk"), _large(disk.total), width="content")
    table = {
        _("What"): [literal(part.name) for part in parts],
        _("Size"): [_("not known here") if part.bytes is None else _large(part.bytes) for part in parts],
        _("Kept for"): [literal(part.kept) for part in parts],
        _("Where"): [literal(part.place) for part in parts],
    }
    st.table(pd.DataFrame(table), hide_index=True, border="horizontal", alt=_("What takes room"))


def _parts(store: DecisionStore) -> list[_Part]:
    home, days = settings().home, settings().job_days
    some_days = ngettext("{n} day", "{n} days", days).format(n=number(days))
    until_purged, until_removed = _("until they are purged"), _("until they are removed")
    after_use = _("{days} after their last use").format(days=some_days)
    pictures = settings().picture_store
    folder = Path(pictures)
    parts = [
        _Part(
            _("Files that were sent, with their results"), str(home / "jobs"), folder_bytes(home / "jobs"), some_days
        ),
        _Part(
            _("Pictures of the queue"), pictures, folder_bytes(folder) if "://" not in pictures else None, until_purged
        ),
        _Part(_("Products, decisions, tokens, audit log"), *_database(store), _("decisions and audit log: for good")),
        _Part(_("Installed models"), str(home / "models"), folder_bytes(home / "models"), until_removed),
    ]
    for name, folder_name in (
        (_("Models made ready for files"), "exports"),
        (_("Stages of trainings"), "train"),
        (_("Models on their way in"), INCOMING),
    ):
        parts.append(_Part(name, str(home / folder_name), folder_bytes(home / folder_name), after_use))
    return parts


def _database(store: DecisionStore) -> tuple[str, int | None]:
    """Where the database is, without a password, and its bytes; DecisionError."""
    url = store.engine.url
    if url.get_backend_name() == "sqlite":
        files = (Path(f"{url.database}{ending}") for ending in ("", "-wal", "-shm"))
        return str(url.database), sum(file.stat().st_size for file in files if file.exists())
    with reading(store.engine) as connection:
        size_ = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    return url.render_as_string(hide_password=True), int(size_)


def _render_leftovers() -> None:
    home, days = settings().home, settings().job_days
    found = leftovers(home, days, JobStore(home).models())
    with st.container(horizontal=True, vertical_alignment="center"):
        words = ngettext(
            "**{n} folder that nobody uses any more** ({size}): models made ready for files, stages of trainings.",
            "**{n} folders that nobody uses any more** ({size}): models made ready for files, stages of trainings.",
            len(found.folders),
        )
        if found.folders:
            st.markdown(words.format(n=number(len(found.folders)), size=size(found.bytes)))
            st.button(_("Remove them…"), key="admin_sweep", on_click=ask, args=("sweep",))
        else:
            st.caption(_("Nothing is left over; the server looks every hour, and removes what is."))


def _sweeping(_subject: str) -> Question:
    def act() -> str:
        home = settings().home
        tell_cut_off()
        done = sweep(home, settings().job_days, JobStore(home).models())
        noted("leftovers_swept", folders=len(done.folders), bytes=done.bytes)
        return _("**Removed:** {size}.").format(size=size(done.bytes))

    words = _("A training that was interrupted cannot go on then, and begins anew. Nothing else is lost.")
    return Question(_("Remove what is left over?"), words, _("Remove for good"), act)


def _large(count: int) -> str:
    """A number of bytes, in words."""
    return _("{n} GB").format(n=number(count / 1e9, 1)) if count >= 1e9 else size(count)
