"""Why the store did not do what it was asked."""

from preprocessing.errors import InputError

_SENTENCES = {
    "held": "{person} has this product open at the moment; nothing was recorded. Take the next one.",
    "changed": "{person} has decided on this product meanwhile; your answer was not recorded. Look at it again.",
    "gone": "This product is not in the store any more: its texts and picture were purged before anybody decided.",
    "own": "A second look is taken by somebody else than the person who decided.",
    "skip_decided": "This product is decided on already, which skipping would take away: nothing was recorded. Undo "
    "that decision if it is wrong.",
    "nothing_to_undo": "There is no decision of yours left to undo.",
    "undo_changed": "Somebody has decided on this product after you; your decision cannot be undone any more.",
    "undo_other": "The last thing you decided is another by now, on another page perhaps; nothing was taken back.",
    "undo_done": "That decision has been taken back already.",
    "undo_purged": "The texts and the picture of this product were deleted: your decision on it cannot be taken back, "
    "for nobody could decide anew.",
    "no_person": "Say who decides: a name of 1 to {limit} characters.",
    "note_too_long": "The note has {length} characters; at most {limit} are kept.",
    "code_missing": "A correction names the category.",
    "database": "The store of decisions cannot be reached: {error}",
    "database_moved": "The store of decisions, {file}, was removed or replaced while this program runs; nothing was "
    "recorded. Put that very file back, or start the program again.",
    "pictures": "The pictures of products cannot be kept or read at {place}: {error}",
    "database_newer": "The store of decisions was written by a newer version of this program (step {revision}): "
    "update the program, or name another store in RAYON_DATABASE_URL.",
    "database_url": "RAYON_DATABASE_URL is no address of a database: write postgresql://user:password@host/name, "
    "or sqlite:////folder/file.db ({error})",
}


class DecisionError(InputError):
    """Nothing was recorded: `reason` names the cause, `details` fills in a translated message."""

    SENTENCES = _SENTENCES
