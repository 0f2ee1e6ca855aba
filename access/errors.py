"""What can be wrong with accounts and settings of sign-in."""


class AccessError(ValueError):
    """The message says what is wrong and what to do about it."""


class LastAdministrator(AccessError):
    """Without this account nobody could administer the accounts any more."""
