"""Which products a moderator works through: kept in the session, and in the address for a reload."""

import re
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
_CHOSEN, _ROUND, _READ = "review_filter", "review_filter_round", "review_filter_read"
_LONGEST = 60
_LABELS = {
    "state": N_("Show"),
    "category": N_("Category suggested"),
    "job": N_("File"),
    "reason": N_("Why here"),
    "days": N_("Waiting"),
    "order": N_("Order"),
}
# On a telephone in one line that scrolls: the product is not to begin far down.
_STYLE = """<style>@media (max-width: 640px) {
.st-key-review_filters {flex-wrap: nowrap; overflow-x: auto;}
.st-key-review_filters > * {flex: 0 0 11rem; min-width: 11rem;}
}</style>"""
_NUMBER = re.compile(r"[0-9]{1,18}")


def render_filters(store: DecisionStore, taxonomy: Taxonomy, person: str) -> Filter:
    """The boxes, and what they come to."""
    _read_address(store)
    st.html(_STYLE)
    with st.container(horizontal=True, vertical_alignment="bottom", key="review_filters"):
        state = _box("state", list(STATES), lambda name: _(STATES[name]))
        order = _box("order", list(ORDERS), lambda name: _(ORDERS[name]))
        where = Filter(state=state)
        counts = store.categories(where, person)
        category = _box("category", _category_options(counts), _category_name(taxonomy, counts))
        jobs = store.jobs()
        job = _box("job", [None, *jobs], lambda job: _shortened(jobs[job]) if job else _("All"))
        reason = _box("reason", [None, *REASONS], lambda name: reason_name(name) if name else _("All"))
        days = _box("days", [None, *DAYS], _age)
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


def _box(name: str, options: Sequence[Any], naming: Callable[[Any], str]) -> Any:
    """One box. A new one when its options are others: the browser knows an option by its place and label."""
    state = st.session_state
    kept = state.setdefault(_CHOSEN, {})
    key = f"review_{name}_{signature([naming(option) for option in options], state.get(_ROUND, 0))}"
    state[key] = kept.get(name)
    kept[name] = choose(_(_LABELS[name]), options, naming, key=key, default=options[0])
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


def _read_address(store: DecisionStore) -> None:
    """Once in a session: what the address says, which a reload keeps; what makes no sense is left out, and told."""
    state = st.session_state
    if state.get(_READ):
        return
    state[_READ] = True
    given = {name: st.query_params[name] for name in _LABELS if name in st.query_params}
    chosen = {name: _meant(name, value, store) for name, value in given.items()}
    state.setdefault(_CHOSEN, {name: value for name, value in chosen.items() if value is not None})
    if wrong := [_(_LABELS[name]) for name, value in chosen.items() if value is None]:
        message = _("What the address asks for is not there (any more), so it is left out: {filters}.")
        st.warning(message.format(filters=", ".join(wrong)))


def _meant(name: str, value: str, store: DecisionStore) -> str | int | None:
    """What a part of the address stands for; None for nothing that could be chosen."""
    if name in ("category", "days"):
        number = int(value) if _NUMBER.fullmatch(value) else None
        return number if name == "category" or number in DAYS else None
    options = {"state": STATES, "order": ORDERS, "reason": REASONS, "job": store.jobs() if name == "job" else ()}
    return value if value in options[name] else None


def _write_address() -> None:
    chosen, usual = st.session_state[_CHOSEN], {"state": QUEUE.state, "order": QUEUE.order}
    wanted = {name: str(chosen[name]) for name in _LABELS if chosen[name] not in (None, usual.get(name))}
    if {name: st.query_params.get(name) for name in _LABELS} != {name: wanted.get(name) for name in _LABELS}:
        st.query_params.from_dict(wanted)
