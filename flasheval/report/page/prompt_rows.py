"""The chosen prompts one by one: what each is like and what it adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flasheval.report.page.contribution import contribution_of, times_chosen
from flasheval.report.page.portrait import Portrait
from flasheval.report.page.score_sources import Scored
from flasheval.selection.methods.selector import Selection
from flasheval.subset import Subset

__all__ = ["Cell", "PromptRow", "PromptTable", "prompt_table"]


@dataclass(frozen=True)
class Cell:
    """A number as it is read and as it is sorted by.

    Example:
        >>> cells = [Cell("12", 12.0), Cell("-", float("-inf"))]
        >>> [cell.text for cell in sorted(cells, key=lambda cell: cell.value)]
        ['-', '12']

    """

    text: str
    value: float


@dataclass(frozen=True)
class PromptRow:
    """One chosen prompt.

    Attributes:
        position: Its place in the subset, from 1.
        id: Its id.
        text: Its text; empty where it is not known.
        weight: Its weight in the subset's mean.
        times: In how many of the splits' searches it was chosen; None where that is not known.
        cells: By metric, the numbers under `COLUMNS`.

    """

    position: int
    id: str
    text: str
    weight: Cell
    times: Cell | None
    cells: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class PromptTable:
    """All chosen prompts.

    Attributes:
        rows: One a prompt, in order.
        metrics: The metrics that have numbers.
        columns: Titles of a metric's numbers.
        weighted: Whether weights differ.
        searches: How many of the splits' searches `times` is of.
        texts: Whether any text is known.

    """

    rows: Sequence[PromptRow]
    metrics: Sequence[str] = ()
    columns: Sequence[str] = (
        "mean score",
        "discrimination",
        "noise sd (score)",
        "tau-b it adds",
        "unexplained without it (points)",
    )
    weighted: bool = False
    searches: int = 0
    texts: bool = False


def prompt_table(
    subset: Subset,
    scored: Scored | None = None,
    portraits: Mapping[str, Portrait] | None = None,
    selections: Sequence[Selection | None] = (),
) -> PromptTable:
    """Collect what is known of each chosen prompt.

    Args:
        subset: The subset.
        scored: Its scores; without them only what the manifest tells.
        portraits: By metric, what each prompt of the whole set is like.
        selections: What the splits' searches chose.

    Example:
        >>> from flasheval.subset.library import load_subset
        >>> table = prompt_table(load_subset("coco-clip-50"))  # without scores: ids and weights
        >>> len(table.rows), table.rows[0].position, table.metrics
        (50, 1, [])

    """
    texts = _texts(subset, scored)
    weights = subset.weights
    times, searches = (None, 0) if scored is None else times_chosen(scored.selection, selections)
    by_metric = [] if scored is None else _numbers(scored, portraits or {})
    rows = [
        PromptRow(
            place + 1,
            prompt.id,
            texts[place],
            Cell(f"{weights[place]:#.3g}", float(weights[place])),
            Cell(f"{times[place]} of {searches}", float(times[place]))
            if times is not None and searches
            else None,
            [[_cell(form, values[place]) for form, values in metric] for _, metric in by_metric],
        )
        for place, prompt in enumerate(subset.prompts)
    ]
    return PromptTable(
        rows,
        [metric for metric, _ in by_metric],
        weighted=bool(np.ptp(weights) > 0),
        searches=searches,
        texts=any(texts),
    )


def _texts(subset: Subset, scored: Scored | None) -> list[str]:
    known = [prompt.text or "" for prompt in subset.prompts]
    if scored is None or scored.table.prompts.texts is None:
        return known
    return [scored.table.prompts.texts[index] for index in scored.selection.indices]


def _numbers(
    scored: Scored, portraits: Mapping[str, Portrait]
) -> list[tuple[str, list[tuple[str, Sequence[float]]]]]:
    """Return by metric the columns of numbers, each with how it is written."""
    table, chosen = scored.judged, scored.selection
    found = []
    for metric, one in portraits.items():
        adds = contribution_of(metric, table[metric].values, chosen)
        columns: list[tuple[str, Sequence[float]]] = [
            ("#.4g", one.mean[chosen.indices].tolist()),
            (".2f", one.discrimination[chosen.indices].tolist()),
            ("#.3g", one.noise[chosen.indices].tolist()),
            ("+.4f", adds.tau.tolist()),
            ("+.3f", (100 * adds.unexplained).tolist()),
        ]
        found.append((metric, columns))
    return found


def _cell(form: str, value: float) -> Cell:
    if np.isnan(value):
        return Cell("-", float("-inf"))
    text = format(value, form).rstrip(".")
    if form.startswith("+") and float(text) == 0:
        text = text.lstrip("+-")
    return Cell(text.replace("-", "\N{MINUS SIGN}"), value)
