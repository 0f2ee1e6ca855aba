"""What decisions, states and the ways into the queue are called on the screen."""

from decisions.items import Decision, Item
from model.taxonomy import Taxonomy
from ui.language import N_, _
from ui.result import full_name
from ui.style import literal

TITLE = 80
"""Characters of a product's name in a sentence."""

STATES = {
    "pending": N_("to decide"),
    "decided": N_("decided"),
    "skipped": N_("skipped"),
    "approved": N_("approved"),
    "second_look": N_("second look"),
}
DECISIONS = {
    "accepted": N_("accepted"),
    "corrected": N_("corrected"),
    "unknown": N_("I don’t know"),
    "skipped": N_("skipped"),
    "undone": N_("undone"),
    "approved": N_("approved"),
}
REASONS = {
    "sent": N_("sent by a person"),
    "doubt": N_("below the threshold"),
    "audit": N_("drawn for the audit"),
}


def state_name(state: str) -> str:
    """A state of `decisions.items.STATES`, or the second look."""
    return _(STATES[state])


def decision_name(decision: str) -> str:
    """A decision of `model.decision_format.DECISIONS`."""
    return _(DECISIONS[decision])


def reason_name(reason: str) -> str:
    """Why a product is in the queue."""
    return _(REASONS[reason])


def category_of(taxonomy: Taxonomy, code: int) -> str:
    """Code and label; the code alone for a category that the model does not know."""
    return full_name(taxonomy[code]) if code in taxonomy.codes else str(code)


def decision_sentence(decision: Decision, taxonomy: Taxonomy) -> str:
    """``corrected: 2583 · Pools``; the name of the decision alone where it has no category."""
    name = decision_name(decision.decision)
    if decision.code is None:
        return name
    return _("{decision}: {category}").format(decision=name, category=category_of(taxonomy, decision.code))


def standing_sentence(decision: Decision, taxonomy: Taxonomy) -> str:
    """Who decided what, with the note; text, not Markdown."""
    sentence = _("{name}: {value}").format(name=decision.person, value=decision_sentence(decision, taxonomy))
    return f"{sentence} {quoted(decision.note)}" if decision.note else sentence


def quoted(text: str) -> str:
    """In the quotation marks of the language."""
    return _("“{text}”").format(text=text)


def title_of(item: Item) -> str:
    """What to call a product in a sentence; text, not Markdown."""
    shown = " ".join((item.designation or item.description or "").split()) or _("Product without a text")
    return shown if len(shown) <= TITLE else f"{shown[:TITLE]}…"


def about(item: Item, message: str) -> str:
    """A message, in Markdown, about a product that is on screen no more."""
    return _("{name}: {value}").format(name=literal(quoted(title_of(item))), value=message)
