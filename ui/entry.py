"""Every visit comes in by the front door."""

from contextlib import suppress

import streamlit as st
from streamlit.errors import StreamlitAPIException

from ui.sign_in.door import admit

FRONT_DOOR = "streamlit_app.py"
ENTERED, WANTED, LAST = "app_entered", "app_wanted", "app_last"


def enter() -> None:
    """Called by the front door once it knows the pages: goes on to the page that sent the visit here."""
    st.session_state[ENTERED] = True
    if wanted := st.session_state.pop(WANTED, None):
        st.switch_page(wanted)


def by_front_door(page: str) -> bool:
    """Called by each page with its own path: a visit that came straight to it goes to the front door first, and one
    that is not for it no further.

    Gives whether the visit has come from another page.

    Until the first `st.navigation` of a process, Streamlit serves the files of ``pages/`` by itself: a
    bookmark opened right after a start would show a page without title, language switch and style.
    """
    if ENTERED not in st.session_state:
        st.session_state[WANTED] = page
        with suppress(StreamlitAPIException):  # no front door: the page is run alone, as a test may do
            st.switch_page(FRONT_DOOR)
    admit(page)
    before = st.session_state.get(LAST)
    st.session_state[LAST] = page
    return before not in (None, page)
