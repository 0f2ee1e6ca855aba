"""Which products are open in this tab of the browser: known again after a reload, and by no other tab."""

import re

import streamlit as st

from decisions.store import DecisionStore
from ui.decide.access import HOLDER, holder

_TOLD = "review_seated"
_SECRET = re.compile(r"[A-Za-z0-9_-]{32}")

# A tab that is duplicated takes its storage along: the mark of one that is open tells the copy.
_SEAT = """
export default function({ data, setStateValue }) {
  let secret = data.secret;
  try {
    const open = sessionStorage.getItem(`${data.name}_open`) ?? "";
    const stored = sessionStorage.getItem(data.name) ?? "";
    const copied = open !== "" && open !== String(performance.timeOrigin);
    if (new RegExp(`^${data.form}$`).test(stored) && !copied) secret = stored;
    sessionStorage.setItem(data.name, secret);
    sessionStorage.setItem(`${data.name}_open`, String(performance.timeOrigin));
    addEventListener("pagehide", () => sessionStorage.removeItem(`${data.name}_open`));
  } catch { /* a browser that keeps nothing: after a reload, another product comes up */ }
  setStateValue("secret", secret);
}
"""
_seat = st.components.v2.component("rayon_seat", js=_SEAT)


def take_seat(store: DecisionStore) -> None:
    """Learns from the browser what this tab was called before a reload; until then nothing may be opened."""
    state = st.session_state
    if state.get(_TOLD):
        return
    data = {"name": "rayon_seat", "secret": holder(), "form": _SECRET.pattern}
    secret = _seat(key="browser_seat", data=data, default={"secret": None}, on_secret_change=_ignore, height=1).secret  # nosec B105
    if secret is None:
        if st.context.headers:  # a browser, which answers in a moment
            st.stop()
        return
    state[_TOLD] = True
    if isinstance(secret, str) and _SECRET.fullmatch(secret) and secret != holder():
        store.release(holder())
        state[HOLDER] = secret


def _ignore() -> None:
    """A component's value is only kept where its change has a callback."""
