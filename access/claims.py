"""Who a provider (OpenID Connect) says somebody is, and the role that goes with it."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from access.accounts import LONGEST_NAME
from access.errors import AccessError
from access.roles import ROLES, Role, role_named
from access.visitor import Visitor
from settings import Settings


def visitor_of(claims: Mapping[str, Any], settings: Settings, clock: Callable[[], float] = time.time) -> Visitor | None:
    """Who the claims of a checked token speak of; None when it has run out or is no token of a person.

    The token itself may be short-lived: it was good when it was given out, at ``iat``, and a session counts from then.
    """
    begun, subject = claims.get("iat"), claims.get("sub")
    if not isinstance(begun, int | float) or isinstance(begun, bool) or not isinstance(subject, str) or not subject:
        return None
    until = begun + settings.session_hours * 3600
    if clock() >= until:
        return None
    return Visitor(_name(claims, subject), role_of(claims, settings), "provider", _session(claims), until)


def role_of(claims: Mapping[str, Any], settings: Settings) -> Role | None:
    """By e-mail, else the highest that the claim names, else the default; None for nobody's role."""
    email = verified_email(claims)
    for listed, role in settings.roles_by_email:
        if email is not None and listed.casefold() == email.casefold():
            return role_named(role)
    named = [ROLES[name] for name in _named(claims, settings.role_claim) if name in ROLES]
    if named:
        return max(named)
    return role_named(settings.default_role) if settings.default_role else None


def check_roles(settings: Settings) -> None:
    """AccessError for settings that name a role that there is not."""
    for variable, role in [*(("RAYON_ROLES", role) for _, role in settings.roles_by_email)]:
        _check(variable, role)
    if settings.default_role:
        _check("RAYON_DEFAULT_ROLE", settings.default_role)


def verified_email(claims: Mapping[str, Any]) -> str | None:
    """The address, if the provider vouches for it: in others anybody may write what they like."""
    email = claims.get("email")
    vouched = claims.get("email_verified") in (True, "true")
    return email if vouched and isinstance(email, str) and email.isprintable() and email.strip() else None


def _check(variable: str, role: str) -> None:
    try:
        role_named(role)
    except AccessError as error:
        raise AccessError(f"{variable}: {error}") from error


def _named(claims: Mapping[str, Any], claim: str) -> Iterable[str]:
    """What a claim names; a dot goes deeper, as in ``realm_access.roles``."""
    value: Any = claims.get(claim)
    if value is None:
        value = claims
        for part in claim.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    values = value.replace(",", " ").split() if isinstance(value, str) else value if isinstance(value, list) else []
    return [one.strip().lower() for one in values if isinstance(one, str)]


def _name(claims: Mapping[str, Any], subject: str) -> str:
    """A name that nobody else can have: names that people choose for themselves are not enough."""
    email = verified_email(claims)
    if email is not None and len(email.strip()) <= LONGEST_NAME:
        return email.strip()
    # The subject is unique at its provider and stays; as long as it may be, only part of it fits.
    mark = (
        subject if len(subject) <= 36 and subject.isprintable() else hashlib.sha256(subject.encode()).hexdigest()[:16]
    )
    shown = next((one for one in (claims.get("name"), claims.get("preferred_username")) if isinstance(one, str)), "")
    shown = " ".join("".join(c for c in shown if c.isprintable() or c.isspace()).split())[: LONGEST_NAME - 40].strip()
    return f"{shown} ({mark})" if shown else mark


def _session(claims: Mapping[str, Any]) -> str:
    """The same for each request of one sign-in: providers put a nonce of its own into the token of each."""
    fields = {name: claims.get(name) for name in ("iss", "sub", "aud", "iat", "nonce", "sid", "jti", "at_hash")}
    return hashlib.sha256(json.dumps(fields, sort_keys=True, default=str).encode()).hexdigest()[:32]
