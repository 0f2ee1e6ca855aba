"""What can be wrong with accounts and settings of sign-in."""


class AccessError(ValueError):
    """The message says what is wrong and what to do about it."""
