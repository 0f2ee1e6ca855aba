"""Whose jobs are whose: those of whoever has signed in; without a sign-in, of a browser, by a secret in a cookie that
lives as long as it is used."""

import re
import secrets

import streamlit as st

from access.door import door
from ui.language import _
from ui.sign_in.visitor import signing_in, visitor

COOKIE = "rayon_visitor"
STATE = "batch_owner"
_DAYS = 180
_SECRET = re.compile(r"[A-Za-z0-9_-]{32,64}")

# A browser that has a secret keeps it, whatever the page offers: two tabs opened at once must not part ways.
_COOKIE = """
export default function({ data, setStateValue }) {
  const start = `${data.name}=`;
  const stored = () => document.cookie.split("; ").find((part) => part.startsWith(start))?.slice(start.length) ?? "";
  const secret = new RegExp(`^${data.form}$`).test(stored()) ? stored() : data.secret;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${start}${secret}; Max-Age=${data.seconds}; Path=/; SameSite=Strict${secure}`;
  if (stored() !== data.secret) setStateValue("kept", stored());
}
"""
_cookie = st.components.v2.component("rayon_visitor", js=_COOKIE)


def owner() -> str:
    """The secret of whoever has signed in, or of this browser; made now for one that has none."""
    if signing_in() and (known := visitor()) is not None:
        return door().holder(known)
    state = st.session_state
    if STATE not in state:
        state[STATE] = valid(st.context.cookies.get(COOKIE)) or secrets.token_urlsafe(32)
    return state[STATE]


def keep_owner() -> None:
    """Keeps the secret in the browser for later visits; says so when the browser refuses."""
    if signing_in():
        return
    data = {"name": COOKIE, "secret": owner(), "form": _SECRET.pattern, "seconds": _DAYS * 86_400}
    kept = _cookie(key="browser_visitor", data=data, default={"kept": None}, on_kept_change=_ignore, height=1).kept
    if kept is None or kept == owner():
        return
    if valid(kept):
        st.session_state[STATE] = kept
        st.rerun()
    st.warning(
        _(
            "Your browser keeps no cookies of this page: once you close it, your files cannot be found again. "
            "Allow cookies, or download the result before you leave."
        )
    )


def valid(secret: object) -> str | None:
    """The secret as it came from a browser; None for anything that is not one."""
    return secret if isinstance(secret, str) and _SECRET.fullmatch(secret) else None


def _ignore() -> None:
    """A component's value is only kept where its change has a callback."""
