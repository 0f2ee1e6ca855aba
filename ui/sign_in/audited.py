"""What people do here, as the audit log has it."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from access.accounts import key_of
from access.attempts import network_of
from access.door import door
from access.errors import AccessError
from access.visitor import Visitor
from decisions.audit import note, note_session
from ui.sign_in.visitor import visitor

NOBODY = "(no sign-in)"
"""Who did something on a server that asks nobody to sign in; no account is called so."""
UNKNOWN = "(no such account)"
_MOST, _QUIET_SECONDS = 10_000, 600
_noted: dict[tuple[str, str], float] = {}
_lock = threading.Lock()


def person_here() -> str:
    """Whom the page is run for."""
    with suppress(AccessError):
        known = visitor()
        return NOBODY if known is None else known.name
    return NOBODY


def noted(action: str, subject: str = "", **details: object) -> None:
    """Adds a row: whom the page is run for has just done this. See `decisions.audit.note`."""
    note(person_here(), action, subject, **details)


def note_signed_in(name: str) -> None:
    """An account of the server's own has signed in."""
    with suppress(AccessError):
        account = door().accounts.get(name)
        if account is not None:
            note(account.name, "sign_in", way="account")


def note_waiting(name: str, address: str, seconds: int) -> None:
    """So many passwords were wrong that the next has to wait; told once in ten minutes of a name and of an address.

    A name that no account has stays out: people type their password in the wrong field.
    """
    account, network = None, network_of(address)
    with suppress(AccessError):
        account = door().accounts.get(name)
    first = _first(("name", key_of(name)[:200])) if account is not None else False
    if _first(("address", network)) or first:
        subject = UNKNOWN if account is None else account.name
        note(NOBODY, "sign_in_waits", subject, address=network, seconds=seconds)


def note_arrival(known: Visitor) -> None:
    """Somebody comes with a session that a provider began: told once for each session, whatever server looks at it and
    however often it is started, without keeping them waiting."""
    if known.way == "provider" and _first(("session", known.session), known.until - time.time()):
        role = "none" if known.role is None else known.role.name.lower()
        _aside(note_session, known.session, known.name, "sign_in", way="provider", role=role)


def note_left(known: Visitor) -> None:
    """Somebody has signed out; told without keeping them waiting."""
    _aside(note, known.name, "sign_out")


def _aside(target: Callable[..., None], *args: str, **details: str) -> None:
    threading.Thread(target=target, args=args, kwargs=details, daemon=True).start()


def _first(key: tuple[str, str], quiet: float = _QUIET_SECONDS) -> bool:
    """Whether this has not been noted lately; it has been from now on."""
    now = time.monotonic()
    with _lock:
        if _noted.get(key, now) > now:
            return False
        if len(_noted) >= _MOST:
            for old in sorted(_noted, key=_noted.__getitem__)[: _MOST // 10]:
                del _noted[old]
        _noted[key] = now + quiet
    return True
