"""A select box whose choice outlives a change of the language or of the page."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

from ui.language import language

T = TypeVar("T")


def choose(
    label: str,
    options: Sequence[T],
    name: Callable[[T], str],
    key: str,
    default: T | None = None,
    help: str | None = None,
    on_change: Callable[[], None] | None = None,
) -> T:
    """The chosen option; ``default``, else the first, before anything is chosen."""
    state = st.session_state
    # The browser holds the label, not the option: a box of its own for each language.
    box = f"{key}_{language()}"
    if box not in state:
        kept = state.get(key, default)
        state[box] = kept if kept in options else options[0]
    labels = _labels(options, name)
    chosen = st.selectbox(label, options, format_func=labels.__getitem__, key=box, help=help, on_change=on_change)
    state[key] = chosen
    return chosen


def _labels(options: Sequence[T], name: Callable[[T], str]) -> dict[T, str]:
    """A label for each option, no two alike: of two alike, the browser would know only one."""
    labels: dict[T, str] = {}
    taken: set[str] = set()
    for option in options:
        label, count = name(option), 1
        while label in taken:
            count += 1
            label = f"{name(option)} ({count})"
        taken.add(label)
        labels[option] = label
    return labels
