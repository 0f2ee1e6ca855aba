"""What input that cannot be used raises."""

from collections.abc import Mapping
from typing import ClassVar


class InputError(ValueError):
    """Input that cannot be used: `reason` names the cause, `details` fills in the message, here or translated."""

    SENTENCES: ClassVar[Mapping[str, str]]
    """The English message of each reason, with places for the details."""

    def __init__(self, reason: str, details: Mapping[str, object] | None = None):
        super().__init__(reason, details)  # pickle rebuilds the error from these
        self.reason = reason
        self.details = dict(details or {})

    def __str__(self) -> str:
        return self.SENTENCES[self.reason].format(**self.details)
