"""Settings that the importers share: the prompts, and the direction of a metric."""

from collections.abc import Mapping
from pathlib import Path

from flasheval.base.errors import ConflictError, SettingError
from flasheval.base.suggest import nearest
from flasheval.prompts import PromptSet
from flasheval.prompts.loading import as_prompts
from flasheval.scores.table import ScoreTable

__all__ = ["Direction", "Prompts", "direction_of", "finish"]

Prompts = PromptSet | str | Path | None
Direction = bool | Mapping[str, bool] | None


def direction_of(metric: str, given: Direction, said: bool | None) -> bool:
    """Return whether higher is better: from the setting, else from the source, else True.

    Raises ConflictError where setting and source contradict each other.

    >>> direction_of("lpips", {"lpips": False}, None), direction_of("clip", None, None)
    (False, True)
    >>> direction_of("clip", False, True)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.ConflictError: higher_is_better is False by the setting but True in ...
    """
    wanted = given.get(metric) if isinstance(given, Mapping) else given
    if not isinstance(wanted, bool | None):
        raise SettingError(f"higher_is_better of {metric!r} must be true or false, not {wanted!r}")
    if wanted is not None and said is not None and wanted != said:
        raise ConflictError(
            f"higher_is_better is {wanted} by the setting but {said} in the source for metric "
            f"{metric!r}; leave out the setting or mend the source"
        )
    if wanted is not None:
        return wanted
    return True if said is None else said


def finish(
    table: ScoreTable, prompts: Prompts = None, higher_is_better: Direction = None
) -> ScoreTable:
    """Look up the prompts' texts, and check the metrics that ``higher_is_better`` names.

    Raises SettingError for a metric that the table lacks, and as `ScoreTable.with_prompts` does.

    >>> from flasheval.scores.synthetic import synthetic_scores
    >>> finish(synthetic_scores(4, 6), higher_is_better={"qualty": True})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: higher_is_better names the metric 'qualty'; there are: ...
    """
    if isinstance(higher_is_better, Mapping):
        for name in higher_is_better:
            if name not in table.metrics:
                raise SettingError(
                    f"higher_is_better names the metric {name!r}; there are: "
                    f"{', '.join(table.metrics)}{nearest(name, table.metrics)}"
                )
    return table if prompts is None else table.with_prompts(as_prompts(prompts))
