"""The errors a user can meet: each is one readable line.

Every message names the file, row, key or setting at fault, what was expected there, and what to
do about it. Anything else that escapes the package is a bug of the package.
"""

__all__ = ["ConflictError", "DataError", "FlashevalError", "MissingScoresError", "SettingError"]


class FlashevalError(Exception):
    """A mistake the user can mend; its text is one readable line."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class DataError(FlashevalError):
    """A file, row or value that cannot be used as it is."""


class MissingScoresError(DataError):
    """Prompts without a score where each must have one."""


class SettingError(FlashevalError):
    """A setting with a value that cannot be used."""


class ConflictError(DataError):
    """Two sources disagree about the same thing."""
