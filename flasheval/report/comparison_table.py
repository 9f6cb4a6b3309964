"""Which of two models the full set would rank higher: the answer, then a row a metric or a look."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from flasheval.report.table import plain_table, shortened, warning_lines
from flasheval.subset.predictions import Difference

if TYPE_CHECKING:
    from flasheval.checkpoints.comparison import Comparison
    from flasheval.checkpoints.sequential import SequentialComparison

__all__ = ["comparison_table", "sequential_table"]

_NAME, _METRIC = 40, 13


def comparison_table(comparison: Comparison) -> RenderableType:
    """Return who is better, one row a metric, and the warnings; made for 80 columns.

    A sign is decided where the interval of the full set's difference leaves out 0.
    """
    found = comparison
    rows = []
    for metric, paired in found.paired.items():
        error = "" if math.isnan(paired.error) else f" +- {paired.error:.2g}"
        full = found.full.get(metric)
        interval, chance = ("-", "-") if full is None else _cells(full)
        rows.append([shortened(metric, _METRIC), f"{paired.value:.3g}{error}", interval, chance])
    level = next((f" ({one.level:.0%})" for one in found.full.values()), "")
    titles = [
        "\nmetric",
        "subset\ndifference",
        f"full set's\ndifference{level}",
        "first is\nbetter",
    ]
    about = (
        f"{shortened(found.first, _NAME)} less {shortened(found.second, _NAME)} on "
        f"{found.size} prompt{'' if found.size == 1 else 's'}, +- the paired standard error"
    )
    parts: list[RenderableType] = [
        Text(_answer(found.first, found.second, found.full), style="bold"),
        Text(about),
        "",
        plain_table(titles, rows),
    ]
    if found.warnings:
        parts += warning_lines(found.warnings)
    return Group(*parts)


def sequential_table(
    comparison: SequentialComparison, first: str = "the first", second: str = "the second"
) -> RenderableType:
    """Return after how many prompts it is decided, one row a look, and the warnings.

    Args:
        comparison: Looks at two models.
        first: Name of the first.
        second: Name of the second.

    """
    found, last = comparison, comparison.looks[-1]
    one, chance = _better(first, second, last.difference)
    after = f"after {last.size} prompt{'' if last.size == 1 else 's'}"
    if last.decided:
        said = f"Decided {after}: {one} is better in {found.metric} on the full set ({chance})."
    else:
        said = f"Not decided {after}: {one} may be better in {found.metric} ({chance})."
    rows = [
        [str(look.size), *_cells(look.difference), _percent(1 - look.error / 2), _yes(look.decided)]
        for look in found.looks
    ]
    titles = [
        "\nprompts",
        f"full set's\ndifference ({last.difference.level:.0%})",
        "first is\nbetter",
        "to be\ndecided",
        "\ndecided",
    ]
    about = (
        f"{shortened(first, _NAME)} less {shortened(second, _NAME)}; over all looks two equal "
        f"models are told apart with {_percent(found.error)} at most"
    )
    parts: list[RenderableType] = [Text(said, style="bold"), Text(about), ""]
    parts.append(plain_table(titles, rows, left=0))
    warnings = dict.fromkeys(one.difference.warning for one in found.looks)
    return Group(*parts, *warning_lines([warning for warning in warnings if warning]))


def _answer(first: str, second: str, full: Mapping[str, Difference]) -> str:
    """Return the one sentence a reader came for."""
    if not full:
        return "Not decided: no metric is calibrated, so nothing is said of the full set."
    winners: dict[str, list[str]] = {}
    undecided = []
    for metric, one in full.items():
        name, chance = _better(first, second, one)
        if one.low <= 0 <= one.high:
            undecided.append(f"{metric} ({name} with {chance})")
        else:
            winners.setdefault(name, []).append(f"{metric} ({chance})")
    said = [f"{name} is better in {_and(metrics)}" for name, metrics in winners.items()]
    if not said:
        return f"Not decided which is better on the full set: {', '.join(undecided)}."
    rest = f"; not decided: {', '.join(undecided)}" if undecided else ""
    return f"On the full set {'; '.join(said)}{rest}."


def _better(first: str, second: str, difference: Difference) -> tuple[str, str]:
    """Return the name of the one that is more probably better, and how probably."""
    name = first if difference.probability >= 0.5 else second
    return shortened(name, _NAME), _percent(difference.certainty)


def _cells(difference: Difference) -> tuple[str, str]:
    low, high = difference.low, difference.high
    return f"{difference.value:.3g} ({low:.3g} to {high:.3g})", _percent(difference.probability)


def _percent(share: float) -> str:
    """Return a probability as percent; what is not certain is not called so."""
    if 0.9995 < share < 1:
        return ">99.9%"
    if 0 < share < 0.0005:
        return "<0.1%"
    return f"{100 * share:.3g}%"


def _and(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def _yes(value: bool) -> str:
    return "yes" if value else "no"
