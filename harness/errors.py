"""The one base class of every error that a user may cause and can mend."""


class LevelfieldError(Exception):
    """A mistake or a refusal, told as *where: what is wrong; what to do*.

    Only the command line catches it: it prints the message and exits with ``exit_code``.
    """

    exit_code = 1


class UsageError(LevelfieldError):
    """The command's own words are wrong: an unknown name, a value out of bounds."""

    exit_code = 2
