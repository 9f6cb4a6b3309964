"""What the importers of tables have in common: prompts by path, and a metric's direction."""

from collections.abc import Mapping
from pathlib import Path

from flasheval.base.errors import ConflictError, SettingError
from flasheval.base.suggest import nearest
from flasheval.prompts import PromptSet, load_prompts
from flasheval.scores.table import ScoreTable

__all__ = ["Direction", "Prompts", "as_prompts", "direction_of", "finish"]

Prompts = PromptSet | str | Path | None
Direction = bool | Mapping[str, bool] | None


def as_prompts(prompts: PromptSet | str | Path) -> PromptSet:
    """Return a prompt set, read from its file when a path is given."""
    return prompts if isinstance(prompts, PromptSet) else load_prompts(prompts)


def direction_of(metric: str, given: Direction, said: bool | None) -> bool:
    """Return whether higher is better: as the setting says, else as the source said, else True.

    Raises ConflictError where setting and source contradict each other.
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
    """Return the table with texts looked up, once the setting's metric names are known ones."""
    if isinstance(higher_is_better, Mapping):
        for name in higher_is_better:
            if name not in table.metrics:
                raise SettingError(
                    f"higher_is_better names the metric {name!r}; there are: "
                    f"{', '.join(table.metrics)}{nearest(name, table.metrics)}"
                )
    return table if prompts is None else table.with_prompts(as_prompts(prompts))
