"""What decisions, states and the ways into the queue are called on the screen."""

from decisions.items import Decision
from model.taxonomy import Taxonomy
from ui.language import N_, _
from ui.result import full_name

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
