"""What actions are called in the audit log, and how their details are written."""

from collections.abc import Mapping
from typing import Any

from decisions.audit import ACTIONS
from ui.drawing import said
from ui.language import N_, _, number

NAMES = {
    "sign_in": N_("signed in"),
    "sign_in_waits": N_("too many wrong passwords"),
    "sign_out": N_("signed out"),
    "account_added": N_("account added"),
    "account_role": N_("role changed"),
    "account_password": N_("password changed"),
    "account_removed": N_("account removed"),
    "token_added": N_("token added"),
    "token_revoked": N_("token revoked"),
    "model_installed": N_("model installed"),
    "model_refused": N_("model refused"),
    "model_activated": N_("model activated"),
    "model_rolled_back": N_("model rolled back"),
    "model_removed": N_("model removed"),
    "exported": N_("decisions exported"),
    "purged": N_("products purged"),
    "job_stopped": N_("file stopped"),
    "job_deleted": N_("file deleted"),
    "job_downloaded": N_("result downloaded"),
    "leftovers_swept": N_("leftovers removed"),
    "audit_exported": N_("audit log downloaded"),
    "backed_up": N_("backed up"),
    "restored": N_("restored"),
}
DETAILS = {
    "role": N_("role"),
    "before": N_("before"),
    "scopes": N_("for"),
    "days": N_("days"),
    "file": N_("file"),
    "reason": N_("reason"),
    "people": N_("names of people"),
    "decisions": N_("decisions"),
    "products": N_("products"),
    "pictures": N_("pictures"),
    "format": N_("format"),
    "decided": N_("with decisions"),
    "address": N_("address"),
    "seconds": N_("seconds"),
    "way": N_("by"),
    "folders": N_("folders"),
    "bytes": N_("bytes"),
    "rows": N_("rows"),
    "step": N_("what was to be done"),
    "session": N_("session"),
}

VALUES = {
    "account": N_("account"),
    "provider": N_("provider"),
    "analyst": N_("analyst"),
    "moderator": N_("moderator"),
    "administrator": N_("administrator"),
    "names": N_("as they are"),
    "ids": N_("replaced by ids"),
    "none": N_("no role"),
    "unlimited": N_("without end"),
    "install": N_("installing"),
    "activate": N_("activating"),
    "rollback": N_("rolling back"),
    "cut_off": N_("cut off by a restart"),
}

assert tuple(NAMES) == ACTIONS


def action_name(action: str) -> str:
    """What an action is called."""
    return named(NAMES, action)


def details_words(details: Mapping[str, Any]) -> str:
    """The details on one line."""
    return ", ".join(said(named(DETAILS, name), _value(value)) for name, value in details.items())


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return number(value) if isinstance(value, int | float) else named(VALUES, str(value))


def named(names: Mapping[str, str], name: str) -> str:
    """What something is called; the name itself when it has none here."""
    return _(names[name]) if name in names else name
