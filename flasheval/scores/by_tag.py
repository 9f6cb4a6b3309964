"""How a score table's variants rank on the prompts of each value of a tag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flasheval.base.drawing.view import Table
from flasheval.scores.ranking.kendall import kendall_tau_b
from flasheval.scores.ranking.significant import near_tie_share
from flasheval.scores.table import ScoreTable

__all__ = ["TagRanking", "rankings_by_tag", "tag_ranking_table"]


@dataclass(frozen=True)
class TagRanking:
    """One metric's ranking of the complete variants on the prompts of one value.

    Attributes:
        metric: The metric.
        value: The tag's value.
        prompts: How many prompts have it.
        best: The best variant on them; empty where no variant is complete.
        tau: Kendall's tau-b with the ranking on all prompts; NaN where undefined.
        near_ties: Share of pairs of variants that these prompts cannot order; NaN below two.

    """

    metric: str
    value: str
    prompts: int
    best: str
    tau: float
    near_ties: float


def rankings_by_tag(table: ScoreTable, tag: str) -> list[TagRanking]:
    """Rank the variants that have every score on the prompts of each value of a tag.

    Raises SettingError for a tag that the prompts do not have.

    >>> from flasheval.prompts import PromptSet
    >>> from flasheval.scores.synthetic import synthetic_scores
    >>> table = synthetic_scores(6, 40).with_metrics(["quality"])
    >>> kinds = {"kind": ("cat",) * 30 + ("dog",) * 10}
    >>> table = table.with_prompts(PromptSet("pets", table.prompts.ids, extras=kinds))
    >>> [(one.value, one.prompts, one.best) for one in rankings_by_tag(table, "kind")]
    [('cat', 30, 'charlie/DDIM10'), ('dog', 10, 'charlie/DDIM10')]
    """
    parts = table.prompts.by_tag(tag)
    found = []
    for metric in table.metrics:
        part = table.with_metrics([metric]).on_measured_prompts()
        matrix = part[metric]
        complete = np.flatnonzero(matrix.coverage >= 1)
        values = matrix.sign * matrix.values[complete]
        here = {prompt: place for place, prompt in enumerate(part.prompts.ids)}
        for value, rows in parts.items():
            names = (table.prompts.ids[row] for row in rows)
            places = [here[name] for name in names if name in here]
            if not places or not len(complete):
                found.append(TagRanking(metric, value, len(places), "", np.nan, np.nan))
                continue
            own = values[:, places]
            means = own.mean(axis=1, dtype=np.float64)
            several = len(complete) > 1
            tau = kendall_tau_b(means, values.mean(axis=1, dtype=np.float64)) if several else np.nan
            ties = near_tie_share(own) if several and len(places) > 1 else np.nan
            best = matrix.variants[complete[int(np.argmax(means))]]
            found.append(TagRanking(metric, value, len(places), best, float(tau), ties))
    return found


def tag_ranking_table(tag: str, rankings: Sequence[TagRanking]) -> Table:
    """Return the rankings as a table, a row a metric and value.

    >>> tag_ranking_table("kind", [TagRanking("clip", "cat", 30, "a", 0.5, np.nan)]).rows
    [('clip', 'cat', '30', '-', '0.500', 'a')]
    """
    rows = [
        (
            one.metric,
            one.value,
            f"{one.prompts:,}",
            "-" if np.isnan(one.near_ties) else f"{one.near_ties:.0%}",
            "-" if np.isnan(one.tau) else f"{one.tau:.3f}",
            one.best or "-",
        )
        for one in rankings
    ]
    titles = ("metric", tag, "prompts", "near\nties", "tau with\nall prompts", "best variant")
    return Table(titles, rows, left=2)
