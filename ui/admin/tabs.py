"""The parts of the page, behind tabs; only the open one is worked out."""

import streamlit as st

from ui.admin.asking import render_told
from ui.admin.files import render_files
from ui.admin.log import render_log
from ui.admin.models import render_models
from ui.admin.storage import render_storage
from ui.admin.tokens import render_tokens
from ui.admin.users import render_users
from ui.decide.access import reaching
from ui.language import _, language
from ui.sign_in.visitor import signing_in

_KEPT = "admin_tab"


def render_administration() -> None:
    """The tabs."""
    st.caption(_("Models, people, files, room on the disk, and who did what. Only administrators come here."))
    if not signing_in():
        st.info(
            _(
                "**Nobody has to sign in here, so whoever uses this machine is its administrator.** Accounts and roles "
                "do not apply; what is done is noted without a name."
            )
        )
    render_told()
    parts = {
        "models": (_("Models"), render_models),
        "users": (_("Users and roles"), _render_people),
        "files": (_("Files"), render_files),
        "storage": (_("Storage"), render_storage),
        "log": (_("Audit log"), render_log),
    }
    key = f"admin_tabs_{language()}"
    if key not in st.session_state:
        st.session_state[key] = parts.get(st.session_state.get(_KEPT, ""), parts["models"])[0]
    tabs = st.tabs([title for title, _render in parts.values()], key=key, on_change="rerun")
    for (name, (_title, render)), tab in zip(parts.items(), tabs, strict=True):
        if tab.open:
            st.session_state[_KEPT] = name
            with tab, reaching():
                render()


def _render_people() -> None:
    render_users()
    st.divider()
    render_tokens()
