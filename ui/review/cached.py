"""What is counted over the whole store, kept until the store changes."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from decisions.statistics import standing_log
from decisions.store import DecisionStore

_DAY = 86_400


def all_items(store: DecisionStore) -> pd.DataFrame:
    """`DecisionStore.frame`; not to be changed."""
    return _kept("items", str(store.engine.url), store.version(), lambda: store.frame())


def all_sent(store: DecisionStore) -> pd.DataFrame:
    """`DecisionStore.sent`; not to be changed."""
    return _kept("sent", str(store.engine.url), store.version(), lambda: store.sent())


def all_decisions(store: DecisionStore) -> pd.DataFrame:
    """`decisions.statistics.standing_log`; not to be changed."""
    return _kept("log", str(store.engine.url), store.version(), lambda: standing_log(store.log()))


@st.cache_resource(max_entries=6, ttl=_DAY, show_spinner=False)
def _kept(what: str, place: str, version: tuple[str, ...], _make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    return _make()
