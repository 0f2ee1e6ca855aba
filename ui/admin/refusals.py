"""Why something was not done, in the language of the page."""

from model.pointer import VersionError
from preprocessing.errors import InputError
from ui.language import N_, _
from ui.style import literal

MODELS = {
    "other_contents": N_("**{version} is installed already**, with other contents: remove that one first."),
    "taxonomy": N_(
        "**{version} has other categories than the active model** ({difference}): earlier decisions and results "
        "would not fit it. Tick the box for other categories if that is meant."
    ),
    "changed": N_("**Nothing was done:** another model was activated meanwhile. Look at the list again."),
    "cut_off": N_("The server ended while it was being checked: send it again."),
    "unknown": N_("There is no model {version} here any more."),
    "no_earlier": N_("No model was active before {version}: there is nothing to go back to."),
    "shipped": N_("{version} came with the program and stays with it."),
    "active": N_("{version} is the active model: activate another one first."),
    "next": N_("{version} is the model that rolling back takes: activate it or others first, until it is not."),
    "no_smoke": N_(
        "**{version} brings no sample answers**, by which a model is checked wherever it is used: add them where it "
        "was made, with `python -m model bundle smoke --bundle DIR`."
    ),
}
"""What can be wrong with a version; the rest is told as the program says it."""


def reason_name(error: BaseException) -> str:
    """What the audit log calls a reason: a name, never a text, which could hold anything."""
    return error.reason if isinstance(error, InputError) else type(error).__name__


def refusal(error: Exception) -> tuple[str, str | None]:
    """Markdown, and the program's own sentence where there are no words for it."""
    if isinstance(error, VersionError) and error.reason in MODELS:
        details = {name: literal(str(value)) for name, value in error.details.items()}
        return _(MODELS[error.reason]).format(**details), None
    return _("**It was refused; nothing was changed.** The reason, as the program gives it:"), str(error)
