"""A select box whose choice outlives a change of the language or of the page."""

from collections import Counter
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
) -> T:
    """The chosen option; ``default``, else the first, before anything is chosen."""
    state = st.session_state
    # The browser holds the label, not the option: a box of its own for each language.
    box = f"{key}_{language()}"
    if box not in state:
        kept = state.get(key, default)
        state[box] = options.index(kept) if kept in options else 0
    labels = _labels([name(option) for option in options])
    # By position: to Streamlit an option None is no choice at all.
    place = st.selectbox(label, range(len(options)), format_func=labels.__getitem__, key=box, help=help)
    state[key] = options[place]
    return options[place]


def _labels(names: Sequence[str]) -> list[str]:
    """A label for each name, no two alike: of two alike, the browser would know only one."""
    labels: list[str] = []
    used, counts = set(), Counter[str]()
    for name in names:
        counts[name] += 1
        label = name if counts[name] == 1 else f"{name} ({counts[name]})"
        while label in used:
            counts[name] += 1
            label = f"{name} ({counts[name]})"
        used.add(label)
        labels.append(label)
    return labels
