"""What a person did last, as far as it still counts, and what is said when it is taken back; Markdown."""

from dataclasses import dataclass

from decisions.errors import DecisionError
from decisions.items import Decision, Item, Undone
from decisions.lookup import look_up
from decisions.store import DecisionStore
from ui.decide.errors import decision_message
from ui.language import N_, _, ngettext, number
from ui.style import literal

_FEW, _MORE = 8, 4
UNDO_REFUSED = ("undo_other", "undo_changed", "undo_done", "undo_purged", "nothing_to_undo", "held")
"""Why `DecisionStore.undo` takes nothing back."""
_HELD = N_("{person} has this product open at the moment: nothing was taken back. Try again in a while.")


@dataclass(frozen=True, slots=True)
class Latest:
    """The last action of a person: its decisions that were not undone, newest first, and a product it is about.

    No decisions: there is nothing to take back.
    """

    decisions: tuple[Decision, ...] = ()
    item: Item | None = None

    @property
    def ids(self) -> frozenset[int]:
        """What undoing has to take back, and nothing else."""
        return frozenset(decision.id for decision in self.decisions)


def latest(store: DecisionStore, person: str) -> Latest:
    """What undoing would take back: what others overruled since is passed over; DecisionError."""
    limit = _FEW
    while True:
        recent = store.last(person, limit)
        known = look_up(store, {decision.key for decision in recent})
        counting = next((one for one in recent if _counts(one, known)), None)
        if len(recent) < limit or (counting is not None and recent[-1].action != counting.action):
            break
        limit *= _MORE
    if counting is None:
        return Latest()
    return Latest(tuple(one for one in recent if one.action == counting.action), known[counting.key])


def _counts(decision: Decision, known: dict[str, Item]) -> bool:
    item = known.get(decision.key)
    return item is not None and item.standing is not None and item.standing.id == decision.id


def undone_message(undone: Undone) -> str:
    """What was taken back, and what was not and why."""
    count = len(undone.keys)
    message = ngettext("Undone: the product is as it was.", "Undone: {n} products are as they were.", count)
    return " ".join([message.format(n=number(count)), *left_out(undone)])


def left_out(undone: Undone) -> list[str]:
    """Sentences about what undoing passed over."""
    sentences = []
    if undone.overruled:
        sentence = ngettext(
            "{n} decision of yours was passed over: somebody else has decided on that product since.",
            "{n} decisions of yours were passed over: others have decided on those products since.",
            undone.overruled,
        )
        sentences.append(sentence.format(n=number(undone.overruled)))
    if undone.held:
        sentence = ngettext(
            "{n} left as it is: somebody else has it open.",
            "{n} left as they are: others have them open.",
            undone.held,
        )
        sentences.append(sentence.format(n=number(undone.held)))
    return sentences


def undo_message(error: DecisionError) -> str:
    """Why nothing was taken back."""
    if error.reason == "held":
        return _(_HELD).format(person=literal(str(error.details["person"])))
    return decision_message(error)
