"""Why nothing was exported."""

from preprocessing.errors import InputError

_SENTENCES = {
    "no_folder": "There is no folder {folder} to write to: make it, or name another.",
    "is_folder": "{out} is a folder: name a file.",
    "no_file": "{out} is there already and is no file that could be replaced: name another.",
    "is_store": "{out} belongs to the store of decisions itself and is not replaced: name another.",
    "is_own": "{out} is a file of Rayon's own, by which people sign in, and is not replaced: name another.",
    "not_empty": "{out} is there already and is not empty: name a new folder.",
    "unwritable": "{out} cannot be written: {error}",
}


class ExportError(InputError):
    """Nothing was written: `reason` names the cause, `details` fills in a translated message."""

    SENTENCES = _SENTENCES
