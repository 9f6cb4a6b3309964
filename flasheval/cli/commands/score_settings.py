"""Scores and metrics as the settings of a verb name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from flasheval.base.errors import SettingError
from flasheval.base.resources import MINIATURE
from flasheval.scores.importers.by_shape import read_scores as read
from flasheval.scores.synthetic import synthetic_scores

if TYPE_CHECKING:
    from flasheval.scores import ScoreTable

__all__ = ["note_on", "read_scores"]

SYNTHETIC = "synthetic"
_NOTES = {
    MINIATURE: "miniature: small models of a drawn world, which travel with flasheval",
    SYNTHETIC: "synthetic population: no model was run",
}


def read_scores(
    source: object,
    prompts: str | None,
    higher_is_better: object,
    columns: object = None,
    drop: object = None,
) -> tuple[ScoreTable, str]:
    """Read the table that the keys `scores`, `prompts`, `columns`, ... describe.

    Returns the table, and a line that says how it was read, empty where there was no choice.

    Raises FlashevalError for an invalid value, and for scores that cannot be read.

    Example:
        >>> table, how = read_scores("synthetic", prompts=None, higher_is_better=None)
        >>> table.metrics
        ('quality', 'alignment')
        >>> read_scores(7, prompts=None, higher_is_better=None)
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: scores=7: expected a path, {metric: path}, or miniature

    """
    given = (prompts, higher_is_better, columns, drop or None)
    if source in (MINIATURE, SYNTHETIC) and given != (None,) * 4:
        raise SettingError(
            "prompts, higher_is_better, columns and drop belong to scores of your own: add "
            "scores=PATH"
        )
    if source == SYNTHETIC:
        return synthetic_scores(), ""
    if not isinstance(source, str | Mapping) or not source:
        raise SettingError(f"scores={source}: expected a path, {{metric: path}}, or miniature")
    direction = higher_is_better
    if isinstance(direction, Mapping):
        direction = {str(key): value for key, value in direction.items()}
    elif not isinstance(direction, bool | None):
        raise SettingError(f"higher_is_better={direction}: expected true, false or {{metric: ...}}")
    result = read(
        source, prompts=prompts, higher_is_better=direction, columns=columns, drop=drop or ()
    )
    return result.table, result.how


def note_on(source: object) -> str | None:
    """Return the remark on scores that are shipped or made up; None for other scores.

    >>> note_on("synthetic")
    'synthetic population: no model was run'
    """
    return _NOTES.get(source) if isinstance(source, str) else None
