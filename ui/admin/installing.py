"""Another model for this server: a ZIP of its folder, checked whole before it is installed."""

from functools import partial

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from settings import settings
from ui.admin.asking import NotDone, do
from ui.admin.progress import begin_installation, busy
from ui.language import _, number
from ui.style import upload_words

UPLOAD_MB = 2_000
_ROUND = "admin_upload_round"


def render_upload(fixed: bool) -> None:
    """The field, what may differ, and the button that begins."""
    most = min(UPLOAD_MB, settings().upload_mb)
    st.subheader(_("Install another model"), anchor=False)
    st.caption(
        _(
            "As a ZIP of the folder that `python -m model train` or `adapt` wrote. Its files and its answers are "
            "checked here before it is installed; it answers nobody until it is activated."
        )
    )
    key = f"admin_upload_{st.session_state.setdefault(_ROUND, 0)}"
    upload_words("admin_upload_zone", _("Drop the ZIP of a model here, up to {n} MB").format(n=number(most)))
    with st.container(key="admin_upload_zone"):
        st.file_uploader(_("Model (ZIP)"), key=key, max_upload_size=most, disabled=fixed)
    other = st.checkbox(
        _("Its categories may be others than those of the active model"), key="admin_other_taxonomy", disabled=fixed
    )
    given = st.session_state.get(key) is not None
    st.button(
        _("Check and install"), key="admin_install", type="primary", disabled=fixed or busy() or not given,
        on_click=do, args=(partial(_install, key, most, other),),
    )  # fmt: skip


def _install(key: str, most: int, other_taxonomy: bool) -> str:
    uploaded = st.session_state.get(key)
    if uploaded is None:
        return ""
    try:
        if uploaded.size > most * 2**20:  # the browser has checked it, and may not be one
            raise NotDone(_("The file is over the limit of {n} MB.").format(n=number(most)))
        told = begin_installation(uploaded.name, uploaded, other_taxonomy)
        st.session_state[_ROUND] += 1  # a fresh field, as the widget would hold on to the bytes
        return told
    finally:
        context = get_script_run_ctx()
        if context is not None:
            context.uploaded_file_mgr.remove_file(context.session_id, uploaded.file_id)
