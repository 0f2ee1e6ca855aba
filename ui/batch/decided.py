"""What moderators decided on the rows of a result, whichever way these came to them."""

from collections.abc import Sequence

import streamlit as st

from batch.results import Results
from decisions.errors import DecisionError
from decisions.items import Item, product_key
from decisions.lookup import look_up
from model.taxonomy import Taxonomy
from ui.batch.sending import product_of
from ui.decide.asking import ask
from ui.decide.names import decision_sentence, state_name
from ui.language import _


def decided(
    found: Results, rows: Sequence[int], cells: Sequence[Sequence[str]], labels: Taxonomy
) -> list[str | None] | None:
    """For each row, the decision that counts, or that it waits; None when there is none to show.

    None too when the store is out of reach, which is said where one decides.
    """
    keys = [_key((found.job.id, row), found, members) for row, members in zip(rows, cells, strict=True)]
    try:
        known = ask(lambda store: look_up(store, keys))
    except DecisionError:
        return None
    return [_words(known.get(key), labels) for key in keys] if known else None


@st.cache_data(scope="session", max_entries=2_000, show_spinner=False)
def _key(place: tuple[str, int], _found: Results, _cells: Sequence[str]) -> str:
    """The key of a row's product: its picture is read once for it."""
    return product_key(product_of(_found, place[1], _cells))


def _words(item: Item | None, labels: Taxonomy) -> str | None:
    if item is None:
        return None
    if item.standing is None:
        return state_name(item.state)
    return _("{decision} ({person})").format(
        decision=decision_sentence(item.standing, labels), person=item.standing.person
    )
