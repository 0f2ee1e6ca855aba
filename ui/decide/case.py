"""A product on screen that may be decided on, and what the buttons under it do. Nothing here draws.

What the buttons do, they do before the run that shows what came of it. What goes wrong is told in that run, with the
note still there.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

import streamlit as st

from decisions.errors import DecisionError
from decisions.items import Decision, Item, NewItem, Verdict, product_key, verdict_on
from decisions.store import open_store
from model.product import Prediction, Product, RankedCategory
from ui.decide.access import holder
from ui.decide.asking import ask
from ui.decide.errors import decision_message
from ui.decide.latest import UNDO_REFUSED, latest, left_out, undo_message
from ui.decide.person import person
from ui.language import _

_DRAFTS = 20


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a product comes from, as `NewItem` says it."""

    source: str = "classify"
    job: str | None = None
    job_name: str | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """The product as it is on screen, and what the store knew of it then. ``prefix``: of the page's keys.

    ``action``: one for each time the product comes up, so that a double click decides once.
    """

    prefix: str
    new: NewItem
    key: str
    item: Item | None
    action: str

    @property
    def standing(self) -> Decision | None:
        """The decision that counts."""
        return None if self.item is None else self.item.standing

    @property
    def first(self) -> RankedCategory:
        """What the model suggests."""
        return self.new.suggestions[0]

    @property
    def changing(self) -> bool:
        """Whether another decision is to replace the one that counts."""
        return st.session_state.get(_name(self.prefix, "changing")) == self.key

    @property
    def problem(self) -> str | None:
        """What went wrong with the last button, as Markdown."""
        about, message = st.session_state.get(_name(self.prefix, "problem"), (None, None))
        return message if about == self.key else None

    @property
    def notice(self) -> str | None:
        """What there is to say about what the last button did, as Markdown."""
        about, message = st.session_state.get(_name(self.prefix, "notice"), (None, None))
        return message if about == self.key else None

    @property
    def undoable(self) -> bool:
        """Whether undoing would take back this decision, and nothing else with it; DecisionError."""
        standing = self.standing
        if standing is None or standing.person != person():
            return False
        return ask(lambda store: latest(store, standing.person)).ids == {standing.id}


def find_case(prefix: str, product: Product, prediction: Prediction, origin: Origin) -> Case | None:
    """The case of a product that has just been classified, by one question to the store; DecisionError.

    None when nothing of it could be read: there is nothing to decide on.
    """
    if not prediction.used_text and not prediction.used_image:
        return None
    if prediction.image_problem is not None:
        product = replace(product, image=None)  # the answer does without it, and so does the decision
    key = product_key(product)
    new = NewItem(
        product,
        prediction.categories,
        prediction.model_version,
        source=origin.source,
        job=origin.job,
        job_name=origin.job_name,
        row=origin.row,
    )
    return Case(prefix, new, key, ask(lambda store: store.find(key)), _action(prefix, key))


def reporting(case: Case, act: Callable[..., None], *args: object) -> None:
    """Does what a button is for; keeps what went wrong for the run that follows."""
    state = st.session_state
    for what in ("problem", "notice"):
        state.pop(_name(case.prefix, what), None)
    try:
        act(case, *args)
    except DecisionError as error:
        state[_name(case.prefix, "problem")] = (case.key, decision_message(error))
        state[_name(case.prefix, "changing")] = case.key


def take(case: Case, box: str | None = None) -> None:
    """Decides for the model's category, or for the one chosen in the box of that key."""
    code = case.first.code if box is None else st.session_state.get(box)
    if code is None:
        raise DecisionError("code_missing")
    if case.item is None:
        decision = "accepted" if code == case.first.code else "corrected"
        _record(case, Verdict(decision, code, **_circumstances(case)))
    else:
        shown = replace(case.item, suggestions=case.new.suggestions)
        _record(case, verdict_on(shown, code, person() or "", **_circumstances(case)))


def decide(case: Case, decision: str) -> None:
    """Decides without a category: "unknown" or "skipped"."""
    _record(case, Verdict(decision, **_circumstances(case)))


def undo(case: Case) -> None:
    """Takes back the decision that is on screen, and nothing else."""
    state = st.session_state
    try:
        undone = open_store().undo(person() or "", holder(), only={case.standing.id})
    except DecisionError as error:
        if error.reason not in UNDO_REFUSED:
            raise
        since = _("You have decided on something else since: change this decision instead of undoing it.")
        message = since if error.reason == "undo_other" else undo_message(error)
        state[_name(case.prefix, "problem")] = (case.key, message)
        return
    if more := left_out(undone):
        state[_name(case.prefix, "notice")] = (case.key, " ".join(more))
    _settle(case)


def send(case: Case) -> None:
    """Puts the product into the queue."""
    open_store().add([case.new])
    _settle(case)


def change(case: Case) -> None:
    """Brings the buttons back for a product that is decided on."""
    _settle(case)
    st.session_state[_name(case.prefix, "changing")] = case.key


def note_box(case: Case) -> str:
    """The key of the field for the note, which holds what was last written about this product."""
    state, box, whose = st.session_state, *_note_keys(case.prefix)
    if state.get(whose) != case.key:
        drafts: dict[str, str] = state.setdefault(_name(case.prefix, "drafts"), {})
        if state.get(box) and whose in state:
            drafts[state[whose]] = state[box]
        while len(drafts) > _DRAFTS:
            del drafts[next(iter(drafts))]
        state[box], state[whose] = drafts.pop(case.key, ""), case.key
    return box


def _record(case: Case, verdict: Verdict) -> None:
    seen = None if case.standing is None else case.standing.id
    open_store().record(case.new, verdict, person() or "", holder(), seen)
    box, whose = _note_keys(case.prefix)
    st.session_state.pop(whose, None)
    st.session_state[box] = ""
    _settle(case)


def _settle(case: Case) -> None:
    """What comes up next is another thing to decide on."""
    for what in ("changing", "shown"):
        st.session_state.pop(_name(case.prefix, what), None)


def _circumstances(case: Case) -> dict:
    """What goes with any verdict: the note, the seconds since the product came up, the action."""
    box, whose = _note_keys(case.prefix)
    note = st.session_state.get(box) if st.session_state.get(whose) == case.key else None
    _key, since, _action = st.session_state.get(_name(case.prefix, "shown"), (None, None, None))
    seconds = None if since is None else time.monotonic() - since
    return {"note": note or None, "seconds": seconds, "action": case.action}


def _action(prefix: str, key: str) -> str:
    """The action of this showing of the product, whose time counts from its first run."""
    state, name = st.session_state, _name(prefix, "shown")
    if name not in state or state[name][0] != key:
        state[name] = (key, time.monotonic(), uuid.uuid4().hex)
    return state[name][2]


def _note_keys(prefix: str) -> tuple[str, str]:
    """Where the session holds the note, and the key of the product it is about."""
    return _name(prefix, "note"), _name(prefix, "note_of")


def _name(prefix: str, what: str) -> str:
    return f"{prefix}_decide_{what}"
