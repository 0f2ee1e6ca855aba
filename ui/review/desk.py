"""What lies on a moderator's desk: the product on screen, what was said last, and every way on from there."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps

import streamlit as st

from decisions.errors import DecisionError
from decisions.items import Decision, Filter, Item, Verdict, verdict_on
from decisions.store import DecisionStore
from ui.decide.access import holder
from ui.decide.errors import decision_message
from ui.decide.latest import UNDO_REFUSED, latest, left_out, undo_message, undone_message
from ui.decide.names import about, title_of
from ui.language import _
from ui.review.keys import NOTE_KEY
from ui.style import literal

_OPEN, _TURN, _PASSED, _TOLD, _LAST = "review_open", "review_turn", "review_passed", "review_told", "review_last"
_DONE, _PLACE = "review_done", "review_place"
_RENEWED = 1 / 4  # of a lease: how old it may be when the page comes up again
_DRAFTS, _MOST_DRAFTS, _WHO = "review_drafts", 20, "review_who"


@dataclass(frozen=True, slots=True)
class Open:
    """A product as it is on screen. ``action``: of whatever is decided on it there, so that it counts once.

    ``since``, ``renewed``: when it came up, and when the lease was last taken (`time.monotonic`).
    """

    item: Item
    action: str
    since: float
    renewed: float
    where: Filter

    @property
    def token(self) -> str:
        """Tells this product on screen from any other, and from the same one later."""
        return self.action[:12]

    @property
    def note_key(self) -> str:
        """Where the session keeps the note that is written beside it."""
        return f"{NOTE_KEY}_{self.token}"


@dataclass(frozen=True, slots=True)
class Last:
    """What a person decided last, all of a bulk, and what to call its product; none when nothing can be undone.

    ``before``: what had counted, on a second look.
    """

    decisions: tuple[Decision, ...] = ()
    title: str = ""
    before: Decision | None = None


def turn() -> int:
    """Grows with everything that a key or button does."""
    return st.session_state.setdefault(_TURN, 0)


def told() -> tuple[str, str] | None:
    """What went wrong or well with the last key, as kind and Markdown; None when there is nothing to say."""
    return st.session_state.get(_TOLD)


def passed() -> list[str]:
    """Keys of the products that were passed over, in order."""
    return st.session_state.setdefault(_PASSED, [])


def done() -> int:
    """Decisions taken in this session, less those undone."""
    return st.session_state.get(_DONE, 0)


def start_again() -> None:
    """A callback: those passed over come up again."""
    st.session_state[_PASSED] = []


def come_back() -> None:
    """Somebody was on another page: the time there was not spent on the product, and they may have decided there."""
    st.session_state[_LAST] = None
    if (opened := st.session_state.get(_OPEN)) is not None:
        st.session_state[_OPEN] = replace(opened, since=time.monotonic(), renewed=float("-inf"))


def current(store: DecisionStore, where: Filter, person: str) -> Open | None:
    """The product on screen, else the next of the queue; None when there is none. DecisionError."""
    opened: Open | None = st.session_state.get(_OPEN)
    if st.session_state.setdefault(_WHO, person) != person:  # somebody else sits here now
        st.session_state[_WHO] = person
        start_again()
    elif opened is not None and opened.where == where:
        if time.monotonic() - opened.renewed < _RENEWED * store.lease_seconds:
            return opened
        try:
            item = store.hold(holder(), person, opened.item.key)
        except DecisionError as error:
            if error.reason not in ("held", "gone"):
                raise
            _tell("warning", about(opened.item, decision_message(error)))
        else:
            if _standing(item) == _standing(opened.item):
                st.session_state[_OPEN] = replace(opened, renewed=time.monotonic())
                return st.session_state[_OPEN]
            if item.standing is None or item.standing.person != person:
                return _put(item, where, _note(opened))
            store.release(holder())  # decided on by the same person, in another way: the next one
    if opened is not None and opened.where.order != where.order:
        store.release(holder())  # else it would come again, wherever it stands in the new order
    item = store.claim(holder(), person, where, passed())
    if item is None:
        st.session_state[_OPEN] = None
        return None
    return _put(item, where, _note(opened) if opened is not None and opened.item.key == item.key else "")


def last(store: DecisionStore, person: str) -> Last:
    """What the person decided last and undoing takes back."""
    known = st.session_state.get(_LAST)
    if known is None or known[0] != person:
        found = latest(store, person)
        known = person, Last(found.decisions, title_of(found.item)) if found.item else Last()
        st.session_state[_LAST] = known
    return known[1]


# --- what keys and buttons do -------------------------------------------------------------------------------


def _key(act: Callable) -> Callable:
    """A callback about the product on screen: nothing happens once another one is, as for a key pressed twice."""

    @wraps(act)
    def once(store: DecisionStore, opened: Open, person: str, *more: object) -> None:
        on_screen: Open | None = st.session_state.get(_OPEN)
        if on_screen is None or on_screen.action != opened.action:
            return
        st.session_state[_TURN] = turn() + 1
        st.session_state[_TOLD] = None
        act(store, opened, person, *more)

    return once


@_key
def say(store: DecisionStore, opened: Open, person: str, code: int) -> None:
    """The product is of a category."""
    _decide(store, opened, person, verdict_on(opened.item, code, person))


@_key
def say_unknown(store: DecisionStore, opened: Open, person: str) -> None:
    """Nobody can tell from what there is."""
    item, standing = opened.item, opened.item.standing
    agrees = standing is not None and standing.decision == "unknown" and standing.person != person
    _decide(store, opened, person, Verdict("approved" if agrees and item.state == "decided" else "unknown"))


@_key
def skip(store: DecisionStore, opened: Open, person: str) -> None:
    """Laid aside for later, or for others. A decision that stands is not taken away by that: it is passed over."""
    standing = opened.item.standing
    if standing is None or standing.decision == "skipped":
        _decide(store, opened, person, Verdict("skipped"))
        return
    _next(opened)
    message = _("passed over, nothing recorded. What was decided on it stands; it does not come up again for you now.")
    _tell("info", about(opened.item, message))


@_key
def pass_over(_store: DecisionStore, opened: Open, _person: str) -> None:
    """The next one, without a decision on this."""
    _next(opened)


def _next(opened: Open) -> None:
    _keep_draft()
    passed().append(opened.item.key)
    st.session_state[_OPEN] = None


def _keep_draft() -> None:
    """The note on the product that leaves the screen undecided comes up again with it."""
    opened: Open | None = st.session_state.get(_OPEN)
    if opened is None or not (note := _note(opened)):
        return
    drafts: dict[str, str] = st.session_state.setdefault(_DRAFTS, {})
    drafts[opened.item.key] = note
    while len(drafts) > _MOST_DRAFTS:
        del drafts[next(iter(drafts))]


def undo(store: DecisionStore, person: str, where: Filter) -> None:
    """Takes back what is shown as the last, and nothing else; a product is on screen again, with the note written."""
    state = st.session_state
    state[_TURN], state[_TOLD] = turn() + 1, None
    try:
        shown = last(store, person).decisions
        undone = store.undo(person, holder(), only={decision.id for decision in shown})
    except DecisionError as error:
        if error.reason in UNDO_REFUSED:
            state[_LAST] = None  # as it is by now
        elsewhere = _("You have decided elsewhere since: it shows here now, and is what Undo takes back next.")
        _tell("warning", elsewhere if error.reason == "undo_other" else undo_message(error))
        return
    _keep_draft()
    state[_LAST], state[_DONE] = None, done() - len(undone.keys)
    _tell("warning" if left_out(undone) else "info", undone_message(undone))
    notes = {decision.key: decision.note or "" for decision in shown}
    if len(undone.keys) > 1:
        come_back()  # the product on screen may be among them
        return
    try:
        _put(store.hold(holder(), person, undone.keys[0]), where, notes.get(undone.keys[0], ""))
    except DecisionError as error:
        _tell("warning", f"{undone_message(undone)} {decision_message(error)}")


def said_of_several(kind: str, message: str, count: int) -> None:
    """Several products were decided on in another way than by `say` and the like."""
    state = st.session_state
    state[_LAST], state[_DONE], state[_TURN] = None, done() + count, turn() + 1
    come_back()  # the product on screen may be among them
    _tell(kind, message)


def hush(place: object) -> None:
    """What was told is for the place where it was: other products, or another tab, begin without it."""
    state = st.session_state
    if state.get(_PLACE, place) != place:
        state[_TOLD] = None
    state[_PLACE] = place


def _decide(store: DecisionStore, opened: Open, person: str, verdict: Verdict) -> None:
    item, state = opened.item, st.session_state
    verdict = replace(
        verdict, note=_note(opened) or None, seconds=time.monotonic() - opened.since, action=opened.action
    )
    try:
        decision = store.decide(item, verdict, person, holder())
    except DecisionError as error:
        _refused(store, opened, person, error)
        return
    state[_OPEN], state[_DONE] = None, done() + 1
    state[_LAST] = person, Last((decision,), title_of(item), item.standing)


def _refused(store: DecisionStore, opened: Open, person: str, error: DecisionError) -> None:
    """Says why nothing was recorded. What was written stays, with the product or in the message."""
    message = decision_message(error)
    _tell("error", message)
    if error.reason not in ("changed", "skip_decided", "held", "gone", "own"):
        return  # the product stays on screen, and the key can be pressed again
    note = _note(opened)
    st.session_state[_OPEN] = None
    if error.reason in ("changed", "skip_decided"):
        try:
            _put(store.hold(holder(), person, opened.item.key), opened.where, note)
            return
        except DecisionError:
            pass  # somebody has it open: the message says already that nothing was recorded
    kept = " " + _("Your note was: {note}").format(note=literal(note)) if note else ""
    _tell("error", f"{about(opened.item, message)}{kept}")


def _put(item: Item, where: Filter, note: str = "") -> Open:
    """Puts a product on screen."""
    now = time.monotonic()
    opened = Open(item, uuid.uuid4().hex, now, now, where)
    st.session_state[_OPEN] = opened
    draft = st.session_state.get(_DRAFTS, {}).pop(item.key, "")
    if note := note or draft:
        st.session_state[opened.note_key] = note
    return opened


def _note(opened: Open) -> str:
    return (st.session_state.get(opened.note_key) or "").strip()


def _tell(kind: str, message: str) -> None:
    st.session_state[_TOLD] = kind, message


def _standing(item: Item) -> int | None:
    return None if item.standing is None else item.standing.id
