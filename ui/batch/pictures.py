"""The pictures beside a table: none, a ZIP that is sent, or a folder of the server that its owner has opened."""

from pathlib import Path

import streamlit as st

from batch.jobs import Job
from settings import settings
from ui.batch.choice import choose
from ui.batch.upload import render_pictures_upload
from ui.language import _, number

ZIP, FOLDER = "zip", "folder"


def render_pictures(job: Job) -> tuple[bool, str | None]:
    """Whether the choice is complete, and the place of the pictures; None for none."""
    if not settings().image_folders:
        return _zip(job)
    names = {ZIP: _("A ZIP"), FOLDER: _("A folder on the server")}
    key = f"batch_source_{job.id}"
    st.session_state.setdefault(key, ZIP)
    source = st.segmented_control(
        _("Pictures of the products"),
        [ZIP, FOLDER],
        format_func=names.__getitem__,
        key=key,
        required=True,
        label_visibility="collapsed",
        persist_state="session",
    )
    return _zip(job) if source == ZIP else _folder(job)


def folder_within(root: Path, below: str) -> Path | None:
    """The folder at or below ``root`` that ``below`` names; None when there is none, or when it leads outside."""
    try:
        folder = (root / below.strip()).resolve()
        return folder if folder.is_relative_to(root.resolve()) and folder.is_dir() else None
    except (ValueError, OSError, RuntimeError):  # a NUL, a name too long, links in a circle
        return None


def _zip(job: Job) -> tuple[bool, str | None]:
    if not job.pictures.exists():
        render_pictures_upload(job)
        return True, None
    with st.container(horizontal=True, vertical_alignment="center"):
        size = number(job.pictures.stat().st_size / 2**20, 1)
        st.markdown(_("The ZIP is here ({size} MB).").format(size=size), width="content")
        st.button(_("Remove the ZIP"), key=f"batch_zip_remove_{job.id}", on_click=_remove_zip, args=(job,))
    return True, str(job.pictures)


def _remove_zip(job: Job) -> None:
    if job.spec is None:  # not begun in another tab
        job.pictures.unlink(missing_ok=True)


def _folder(job: Job) -> tuple[bool, str | None]:
    with st.container(horizontal=True):
        root = choose(_("Folder on the server"), settings().image_folders, str, key=f"batch_folder_{job.id}")
        below = st.text_input(
            _("Folder below it (optional)"), key=f"batch_folder_below_{job.id}", persist_state="session"
        )
    folder = folder_within(root, below)
    if folder is None:
        st.error(_("There is no such folder below the one chosen: check the spelling."))
        return False, None
    return True, str(folder)
