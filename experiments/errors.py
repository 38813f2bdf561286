"""The one kind of error that a user is meant to read."""


class UserError(Exception):
    """Report bad input in one line: what, where, what was expected, how to fix it. The command exits with 2."""
