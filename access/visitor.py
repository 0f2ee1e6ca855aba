"""Somebody who has signed in."""

from dataclasses import dataclass

from access.roles import Role


@dataclass(frozen=True, slots=True)
class Visitor:
    """``name``: stands with their decisions. ``role``: None for somebody who has none here.

    ``way``: "account" or "provider". ``session``: what signing out ends; ``until``: when it ends by itself, in seconds
    of the epoch.
    """

    name: str
    role: Role | None
    way: str
    session: str
    until: float

    @property
    def key(self) -> str:
        """The same for every session of one person."""
        return f"{self.way}:{self.name}"
