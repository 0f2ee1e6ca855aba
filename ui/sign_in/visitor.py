"""Whom a page is talking to, asked anew at every run."""

from contextlib import suppress

import streamlit as st

from access.door import door
from access.errors import AccessError
from access.roles import Role, may_do, may_open
from access.sessions import COOKIE
from access.visitor import Visitor
from settings import settings
from ui.sign_in.provider import claims_of_run, providers


def signing_in() -> bool:
    """Whether this server wants to know who comes."""
    return door().closed() or bool(providers())


def visitor() -> Visitor | None:
    """Who has signed in; None for a stranger, and where nobody has to. AccessError."""
    if not signing_in():
        return None
    return door().visitor(cookie(), claims_of_run())


def cookie() -> str | None:
    """What the browser said when it opened the window."""
    kept = st.context.cookies.get(COOKIE)
    return kept if isinstance(kept, str) else None


def role() -> Role | None:
    """What whoever is there may do; None: nothing. Without sign-in that is everything for whoever has the machine, and
    nothing that cannot be undone for whoever reaches it."""
    if not signing_in():
        return Role.MODERATOR if settings().open_to_all else Role.ADMINISTRATOR
    with suppress(AccessError):  # said by the front door
        known = visitor()
        return None if known is None else known.role
    return None


def may_as(action: str) -> str | None:
    """The name of who has signed in and may do it; None for anybody else."""
    known = visitor()
    return known.name if known is not None and may_do(known.role, action) else None


def may(action: str) -> bool:
    """Whether the visitor may do something of `access.roles.ACTIONS`."""
    return may_do(role(), action)


def opens(page: str) -> bool:
    """Whether the visitor may open a page, given by its path."""
    return may_open(role(), page)
