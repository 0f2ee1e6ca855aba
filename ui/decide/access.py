"""The store of decisions as pages reach it, and who a session is to it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from decisions.errors import DecisionError
from decisions.items import Item
from decisions.store import DecisionStore, open_store
from model.product import Product
from ui.decide.errors import decision_message
from ui.language import _

HOLDER = "decide_holder"
_OUT_OF_REACH = ("database", "database_moved", "database_newer", "database_url", "pictures")


def store_or_stop() -> DecisionStore:
    """The shared store; when it cannot be reached, a page that says why, and the run ends there."""
    with reaching():
        return open_store()


@contextmanager
def reaching() -> Iterator[None]:
    """Around what is asked of the store: when it is out of reach, the page says so and the run ends there.

    Any other DecisionError is the caller's.
    """
    try:
        yield
    except DecisionError as error:
        if error.reason not in _OUT_OF_REACH:
            raise
        refused = error
    else:
        return
    st.error(_("**Decisions cannot be kept at the moment, so none can be taken.** Tell whoever runs this server:"))
    st.code(decision_message(refused).replace("\\", ""), language=None, wrap_lines=True)
    st.button(_("Try again"), key="decide_retry", on_click=_nothing)
    st.stop()


def holder() -> str:
    """What products opened in this session are leased to: a secret, so that nobody can decide in its place."""
    return st.session_state.setdefault(HOLDER, secrets.token_urlsafe(24))


def product_of(store: DecisionStore, item: Item) -> Product:
    """The product as it was classified; without its picture where that was purged. DecisionError."""
    image = None if item.picture is None else store.pictures.read(item.picture)
    return Product(item.designation, item.description, image)


def _nothing() -> None:
    """The run that follows is all that is wanted."""
