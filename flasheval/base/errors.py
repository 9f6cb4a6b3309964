"""Error classes for mistakes that a user can correct; every message is one line.

Every message names the file, row, key or setting at fault, what was expected there, and what to
do about it. Anything else that escapes the package is a bug of the package.
"""

from flasheval.base.text import visible

__all__ = ["ConflictError", "DataError", "FlashevalError", "MissingScoresError", "SettingError"]


class FlashevalError(Exception):
    r"""A mistake that the user can correct; line breaks in the message become spaces.

    A control character of a name in it stands as its number, see `flasheval.base.text.visible`.

    >>> str(FlashevalError("scores.csv row 3:\n    the id is empty"))
    'scores.csv row 3: the id is empty'
    """

    def __init__(self, message: str) -> None:
        super().__init__(visible(" ".join(message.split())))


class DataError(FlashevalError):
    """A file, row or value that cannot be used as it is."""


class MissingScoresError(DataError):
    """Prompts without a score where each must have one."""


class SettingError(FlashevalError):
    """A setting with a value that cannot be used."""


class ConflictError(DataError):
    """Two sources disagree about the same thing."""
