"""A box of all categories, the likeliest first; typing searches them."""

from collections.abc import Callable, Sequence

import streamlit as st

from model.product import RankedCategory
from model.taxonomy import Taxonomy
from ui.decide.names import category_of
from ui.language import _, language, probability


def choose_category(
    label: str,
    ranked: Sequence[RankedCategory],
    taxonomy: Taxonomy,
    key: str,
    on_change: Callable[..., None] | None = None,
    args: tuple = (),
    **more: object,
) -> int | None:
    """The code chosen, None until one is; those that were given no probability stand last.

    A box of its own for each ``key``: give one that changes with the product, or the choice stays. Its value is in
    the session at `box_key`, for a callback. ``more`` goes to `st.selectbox`.
    """
    scores = {score.code: score.probability for score in ranked}
    codes = [*scores, *(code for code in taxonomy.codes if code not in scores)]

    def name(code: int) -> str:
        shown = category_of(taxonomy, code)
        return f"{shown} ({probability(scores[code])})" if code in scores else shown

    return st.selectbox(
        label,
        codes,
        index=None,
        format_func=name,
        placeholder=_("Code or name, likeliest first"),
        key=box_key(key),
        on_change=on_change,
        args=args,
        **more,
    )


def box_key(key: str) -> str:
    """Where the session holds the choice: the browser knows an option by its label, which has a language."""
    return f"{key}_{language()}"
