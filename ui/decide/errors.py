"""Why nothing was decided, in the language of the page; Markdown."""

from decisions.errors import DecisionError
from ui.language import N_, _, number
from ui.style import literal

MESSAGES = {
    "held": N_("{person} has this product open at the moment; nothing was recorded. Take the next one."),
    "changed": N_("{person} has decided on this product meanwhile; your answer was not recorded. Look at it again."),
    "gone": N_("This product is not in the store any more: its texts and picture were purged before anybody decided."),
    "own": N_("A second look is taken by somebody else than the person who decided."),
    "skip_decided": N_(
        "There is a decision on this product already, which skipping would take away: nothing was recorded. "
        "Undo that decision if it is wrong."
    ),
    "nothing_to_undo": N_("There is no decision of yours left to undo."),
    "undo_changed": N_("Somebody has decided on this product after you; your decision cannot be undone any more."),
    "undo_done": N_("That decision has been taken back already."),
    "undo_purged": N_(
        "The texts and the picture of this product were deleted: your decision on it cannot be taken back, "
        "for nobody could decide anew."
    ),
    "undo_other": N_("The last thing you decided is another by now, on another page perhaps; nothing was taken back."),
    "no_person": N_("Say who decides: a name of 1 to {limit} characters."),
    "note_too_long": N_("The note has {length} characters; at most {limit} are kept."),
    "code_missing": N_("A correction names the category."),
    "database": N_("The store of decisions cannot be reached: {error}"),
    "database_moved": N_(
        "The store of decisions, {file}, was removed or replaced while this program runs; nothing was recorded. "
        "Put that very file back, or start the program again."
    ),
    "pictures": N_("The pictures of products cannot be kept or read at {place}: {error}"),
    "database_newer": N_(
        "The store of decisions was written by a newer version of this program (step {revision}): "
        "update the program, or name another store in RAYON_DATABASE_URL."
    ),
    "database_url": N_(
        "RAYON_DATABASE_URL is no address of a database: write postgresql://user:password@host/name, "
        "or sqlite:////folder/file.db ({error})"
    ),
}
TAKEN_BACK = N_("The decision on this product was taken back meanwhile; yours was not recorded. Look at it again.")


def decision_message(error: DecisionError) -> str:
    """What went wrong and what to do about it."""
    message = MESSAGES[error.reason]
    if error.reason == "changed" and error.details.get("standing") is None:
        message = TAKEN_BACK
    return _(message).format(**{name: _written(value) for name, value in error.details.items()})


def _written(value: object) -> str:
    return number(value) if isinstance(value, int) else literal(str(value))
