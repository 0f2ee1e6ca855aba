"""Roles, and what each page and each action needs: here and nowhere else."""

from enum import IntEnum

from access.errors import AccessError


class Role(IntEnum):
    """Each may do what those below it may."""

    ANALYST = 1
    MODERATOR = 2
    ADMINISTRATOR = 3


ROLES = {role.name.lower(): role for role in Role}
"""By the name under which accounts, claims and settings give them."""

PAGES = {
    "pages/classify.py": Role.ANALYST,
    "pages/batch.py": Role.ANALYST,
    "pages/categories.py": Role.ANALYST,
    "pages/model_card.py": Role.ANALYST,
    "pages/review.py": Role.MODERATOR,
    "pages/monitoring.py": Role.MODERATOR,
    "pages/admin.py": Role.ADMINISTRATOR,
}
"""A page that is not here is nobody's."""

ACTIONS = {
    "send": Role.ANALYST,
    "decide": Role.MODERATOR,
    "export": Role.MODERATOR,
    "export_names": Role.ADMINISTRATOR,
    "purge": Role.ADMINISTRATOR,
    "administer": Role.ADMINISTRATOR,
}
"""``send``: put products into the queue; ``export``: take decisions away without the names of who took them;
``administer``: everything on the page of that name."""


def role_named(name: str) -> Role:
    """The role of that name, in any case; AccessError."""
    try:
        return ROLES[name.strip().lower()]
    except KeyError:
        raise AccessError(f"there is no role {name!r}: give one of {', '.join(ROLES)}") from None


def may_open(role: Role | None, page: str) -> bool:
    """Whether a role opens a page, given by its path from the root."""
    return role is not None and page in PAGES and role >= PAGES[page]


def may_do(role: Role | None, action: str) -> bool:
    """Whether a role allows an action; KeyError for one that is not in the table."""
    return role is not None and role >= ACTIONS[action]
