"""Error classes for mistakes that a user can correct; every message is one line.

Every message names the file, row, key or setting at fault, what was expected there, and what to
do about it. Anything else that escapes the package is a bug of the package.
"""

from __future__ import annotations

from typing import Any

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

    def __reduce__(self) -> tuple[Any, ...]:
        """Let it be sent between processes, whatever a kind of it takes when it is made."""
        return _made_again, (type(self), self.args, self.__dict__)


def _made_again(
    kind: type[FlashevalError], told: tuple[str, ...], attributes: dict[str, Any]
) -> FlashevalError:
    error = kind.__new__(kind, *told)
    error.__dict__.update(attributes)
    return error


class DataError(FlashevalError):
    """A file, row or value that cannot be used as it is."""


class MissingScoresError(DataError):
    """Prompts without a score where each must have one."""


class SettingError(FlashevalError):
    """A setting with a value that cannot be used."""


class ConflictError(DataError):
    """Two sources disagree about the same thing."""
