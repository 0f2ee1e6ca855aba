"""What stands before the pages: a word to strangers, and what each role finds."""

from html import escape
from typing import Literal

import streamlit as st

from access.door import door
from access.errors import AccessError
from access.roles import ROLES, Role
from access.visitor import Visitor
from decisions.audit import note
from settings import settings
from ui.language import N_, _
from ui.sign_in.audited import note_arrival
from ui.sign_in.form import PAGE
from ui.sign_in.provider import providers
from ui.sign_in.visitor import opens, signing_in, visitor
from ui.style import literal

ASK = "sign_in"
"""Parameter of the address that names the provider to go to."""
_WHO, _FAILED = "sign_in_who", "sign_in_failed"
_ROLES = {
    Role.ANALYST: N_("analyst"),
    Role.MODERATOR: N_("moderator"),
    Role.ADMINISTRATOR: N_("administrator"),
}

assert len(_ROLES) == len(ROLES)


def let_in() -> None:
    """Called by the front door before anything of a page is shown: the run ends here for whoever may see none."""
    if not signing_in():
        return
    try:
        known = visitor()
    except AccessError as error:
        st.error(_("**Nobody can sign in at the moment.** Tell whoever runs this server:"))
        st.code(str(error), language=None, wrap_lines=True)
        st.stop()
    if known is None:
        _render_stranger()
    elif _anothers(known):
        _render_anothers()
    elif known.role is None:
        note_arrival(known)
        st.warning(
            _("**You are signed in as {name}, and have no role here.** Ask whoever runs this server for one.").format(
                name=literal(known.name)
            )
        )
        _render_sign_out()
    else:
        note_arrival(known)
        return
    st.stop()


def admit(page: str) -> None:
    """Called by each page with its own path: the run ends here for a role that may not open it."""
    if not opens(page) and not signing_in():
        st.warning(
            _(
                "**This server lets everybody in without sign-in, so nothing can be administered by this page.** "
                "Whoever runs it uses the commands: `python -m model bundle`, `python -m api token`, "
                "`python -m decisions`."
            )
        )
    elif not opens(page):
        st.error(_("**This page is not for your role.** Ask an administrator of this server if you need it."))
    elif signing_in() and _anothers(visitor()):
        _render_anothers()
    else:
        return
    st.stop()


def shown(page: str) -> Literal["visible", "hidden"]:
    """Whether the navigation offers a page. Who goes there by its address is told why not."""
    return "visible" if opens(page) else "hidden"


def render_visitor() -> None:
    """Who is signed in, and the way out; or that nobody has to sign in."""
    if not signing_in():
        if settings().open_to_all:
            st.caption(_("Open to everyone who reaches this server: no sign-in"), width="content")
        else:
            st.caption(_("Open to everyone on this machine: no sign-in"), width="content")
        return
    known = visitor()
    if known is None:  # signed out in another window since the run began
        st.rerun()
    with st.popover(literal(known.name), icon=":material/person:", key="sign_in_visitor", width="content"):
        st.markdown(_("Signed in as **{name}**").format(name=literal(known.name)))
        st.caption(_("Role: {role}").format(role=role_name(known.role)))
        _render_sign_out()


def role_name(role: Role) -> str:
    """What a role is called."""
    return _(_ROLES[role])


def _render_sign_out() -> None:
    st.button(_("Sign out"), key="sign_in_out", icon=":material/logout:", on_click=_sign_out)
    if st.session_state.pop(_FAILED, False):
        st.error(_("Signing out did not work: the server cannot write. Close the browser, and tell whoever runs it."))


def _sign_out() -> None:
    known = visitor()
    if known is None:
        return
    try:
        ended = door().sessions.end(known)
    except OSError:
        st.session_state[_FAILED] = True
        return
    if ended:
        note(known.name, "sign_out")
    if known.way == "provider":
        st.logout()


def _anothers(known: Visitor | None) -> bool:
    """Whether somebody else had this window: what it holds is theirs."""
    return known is None or st.session_state.setdefault(_WHO, known.key) != known.key


def _render_anothers() -> None:
    st.info(_("**Somebody else has signed in in this browser.** What was open here is closed."))
    _render_link("/", _("Go on"))


def _render_stranger() -> None:
    asked = st.query_params.get(ASK)
    if asked in providers():
        st.login(asked)
        st.info(_("On to your organisation’s sign-in…"))
        return
    st.info(_("**You are not signed in**, or not any more."))
    _render_link(PAGE, _("Sign in"))


def _render_link(address: str, label: str) -> None:
    """A link that loads the whole page, where Streamlit's would open another window."""
    st.html(f'<a class="rayon-sign-in" href="{address}" target="_self">{escape(label)}</a>')
