"""Files on their way in: each goes to the job's folder at once, and out of the server's memory."""

from collections.abc import Callable
from typing import BinaryIO

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from batch.jobs import Job
from ui.batch.owner import owner
from ui.batch.state import show, store
from ui.language import _, number
from ui.style import literal, upload_words

TABLE_MB, ZIP_MB = 1_000, 4_000
_PROBLEM = "batch_upload_problem"


def render_table_upload() -> None:
    """The field for a table; what is sent becomes a draft, which the page then shows."""
    hint = _("Drop a CSV, TSV, XLSX or Parquet file here, up to {n} MB").format(n=number(TABLE_MB))
    _render_field("table", _("File of products"), hint, TABLE_MB, _keep_table)


def render_pictures_upload(job: Job) -> None:
    """The field for a ZIP of pictures, to be laid beside a draft's table."""
    hint = _("Drop a ZIP of pictures here, up to {n} MB").format(n=number(ZIP_MB))

    def keep(_name: str, archive: BinaryIO) -> None:
        store().add_pictures(job, archive)

    _render_field("zip", _("Pictures (ZIP)"), hint, ZIP_MB, keep)


def _render_field(name: str, label: str, hint: str, megabytes: int, keep: Callable[[str, BinaryIO], None]) -> None:
    # A fresh field after each file, as the widget would hold on to the bytes.
    round_ = st.session_state.setdefault(f"batch_{name}_round", 0)
    key, zone = f"batch_{name}_upload_{round_}", f"batch_{name}_zone"
    upload_words(zone, hint)
    with st.container(key=zone):
        st.file_uploader(label, key=key, max_upload_size=megabytes, on_change=_take, args=(name, key, megabytes, keep))
    if problem := st.session_state.pop(f"{_PROBLEM}_{name}", None):
        st.error(problem)


def _take(name: str, key: str, megabytes: int, keep: Callable[[str, BinaryIO], None]) -> None:
    uploaded = st.session_state.get(key)
    if uploaded is None:
        return
    st.session_state[f"batch_{name}_round"] += 1
    problem = f"{_PROBLEM}_{name}"
    try:
        if uploaded.size > megabytes * 2**20:  # the browser has checked it, and may not be one
            st.session_state[problem] = _("The file is over the limit of {n} MB.").format(n=number(megabytes))
        else:
            keep(uploaded.name, uploaded)
    except OSError as error:  # no space left, as a rule
        message = _("The server could not keep the file ({reason}). Tell whoever runs it, or try again later.")
        st.session_state[problem] = message.format(reason=literal(error.strerror or str(error)))
    finally:
        context = get_script_run_ctx()
        if context is not None:  # Streamlit itself keeps the bytes until the visit ends
            context.uploaded_file_mgr.remove_file(context.session_id, uploaded.file_id)


def _keep_table(name: str, table: BinaryIO) -> None:
    show(store().draft(name, table, owner()).id)
