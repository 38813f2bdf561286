"""The error that a user can repair."""


class UserError(Exception):
    """Report bad input: what, where, what was expected, how to fix it; the command line prints it and exits with 2."""
