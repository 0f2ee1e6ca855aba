"""Questions to the store from pages that do without the answer where it is out of reach."""

import time
from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from decisions.errors import DecisionError
from decisions.store import DecisionStore, open_store

T = TypeVar("T")
_DOWN, _SECONDS = "decide_down", 60
"""For so long after it could not be reached, a session leaves the store alone: a server that is gone, and not only
closed, takes ten seconds to say nothing."""


def ask(question: Callable[[DecisionStore], T]) -> T:
    """What the store answers; DecisionError, and for a while after one the same again."""
    since, refused = st.session_state.get(_DOWN, (0.0, None))
    if refused is not None and time.monotonic() - since < _SECONDS:
        raise refused
    try:
        answer = question(open_store())
    except DecisionError as error:
        st.session_state[_DOWN] = (time.monotonic(), error)
        raise
    st.session_state.pop(_DOWN, None)
    return answer


def try_again() -> None:
    """The next question is asked, however the last was answered; also as a callback."""
    st.session_state.pop(_DOWN, None)
