"""Which products a moderator works through: kept in the session, and in the address for a reload."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import streamlit as st

from decisions.items import Filter
from decisions.store import QUEUE, DecisionStore
from model.taxonomy import Taxonomy
from ui.batch.cached import signature
from ui.batch.choice import choose
from ui.decide.names import REASONS, category_of, reason_name
from ui.language import N_, _, ngettext, number

STATES = {"pending": N_("To decide"), "skipped": N_("Skipped"), "second_look": N_("Second look")}
ORDERS = {"doubt": N_("Most doubtful first"), "oldest": N_("Oldest first"), "newest": N_("Newest first")}
DAYS = (1, 3, 7, 30)
_NAMES = ("state", "category", "job", "reason", "days", "order")
_CHOSEN, _ROUND, _READ = "review_filter", "review_filter_round", "review_filter_read"
_LONGEST = 60


def render_filters(store: DecisionStore, taxonomy: Taxonomy, person: str) -> Filter:
    """The boxes, and what they come to."""
    _read_address()
    with st.container(horizontal=True, vertical_alignment="bottom", key="review_filters"):
        state = _box("state", _("Show"), list(STATES), lambda name: _(STATES[name]))
        order = _box("order", _("Order"), list(ORDERS), lambda name: _(ORDERS[name]))
        where = Filter(state=state)
        counts = store.categories(where, person)
        category = _box(
            "category", _("Category suggested"), _category_options(counts), _category_name(taxonomy, counts)
        )
        jobs = store.jobs()
        job = _box("job", _("File"), [None, *jobs], lambda job: _shortened(jobs[job]) if job else _("All"))
        reason = _box("reason", _("Why here"), [None, *REASONS], lambda name: reason_name(name) if name else _("All"))
        days = _box("days", _("Waiting"), [None, *DAYS], _age)
    where = Filter(state, category, job, reason, None if days is None else timedelta(days=days), order)
    _write_address()
    return where


def show(state: str, job: str | None = None) -> None:
    """A callback: the products of a state, all of them or those of a file."""
    st.session_state[_CHOSEN] = {"state": state, "job": job}
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def is_narrow(where: Filter) -> bool:
    """Whether products of the state are left out."""
    return replace(where, state=QUEUE.state, order=QUEUE.order) != QUEUE


def _box(name: str, label: str, options: Sequence[Any], naming: Callable[[Any], str]) -> Any:
    """One box. A new one when its options are others: the browser knows an option by its place and label."""
    state = st.session_state
    kept = state.setdefault(_CHOSEN, {})
    key = f"review_{name}_{signature([naming(option) for option in options], state.get(_ROUND, 0))}"
    state[key] = kept.get(name)
    kept[name] = choose(label, options, naming, key=key, default=options[0])
    return kept[name]


def _category_options(counts: dict[int, int]) -> list[int | None]:
    chosen = st.session_state[_CHOSEN].get("category")
    # The one chosen stays, though its last product has been decided on.
    return [None, *sorted({*counts, *([] if chosen is None else [chosen])})]


def _category_name(taxonomy: Taxonomy, counts: dict[int, int]) -> Callable[[int | None], str]:
    def name(code: int | None) -> str:
        return _("All") if code is None else f"{category_of(taxonomy, code)} ({number(counts.get(code, 0))})"

    return name


def _age(days: int | None) -> str:
    if days is None:
        return _("Any time")
    return ngettext("More than {n} day", "More than {n} days", days).format(n=number(days))


def _shortened(name: str) -> str:
    shown = " ".join(name.split())
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"


def _read_address() -> None:
    """Once in a session: what the address says, which a reload keeps."""
    state = st.session_state
    if state.get(_READ):
        return
    state[_READ] = True
    chosen = {}
    for name in _NAMES:
        value = st.query_params.get(name)
        if value is not None:
            chosen[name] = int(value) if name in ("category", "days") and value.isdecimal() else value
    if isinstance(chosen.get("category"), str):
        del chosen["category"]
    state.setdefault(_CHOSEN, chosen)


def _write_address() -> None:
    chosen, usual = st.session_state[_CHOSEN], {"state": QUEUE.state, "order": QUEUE.order}
    wanted = {name: str(chosen[name]) for name in _NAMES if chosen[name] not in (None, usual.get(name))}
    if {name: st.query_params.get(name) for name in _NAMES} != {name: wanted.get(name) for name in _NAMES}:
        st.query_params.from_dict(wanted)
