"""Near ties with the variants' names, for reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flasheval.report.page.ties import Ties

__all__ = ["TieRow", "TieTable", "tie_table", "ties_in_words"]

_MOST = 200


@dataclass(frozen=True)
class TieRow:
    """One variant.

    Attributes:
        rank: By the full set, the best is 1.
        variant: Its name.
        full: Its full mean.
        ranks: The ranks of those it cannot be told from, such as ``3-6``.
        count: How many those are.
        subset_rank: Its rank by the subset.
        within: Whether that is among those ranks.
        start: Where the ranks begin, in percent of the whole ranking.
        width: How much of it they are, in percent.

    """

    rank: int
    variant: str
    full: str
    ranks: str
    count: int
    subset_rank: str
    within: bool
    start: float
    width: float


@dataclass(frozen=True)
class TieTable:
    """The ranking of one metric by the full set.

    Attributes:
        metric: Its name.
        rows: The variants, the best first; of a very long ranking the first ones.
        left_out: How many are not shown.

    """

    metric: str
    rows: Sequence[TieRow]
    left_out: int = 0


def ties_in_words(ties: Ties, n_prompts: int) -> str:
    """Say how much of a ranking no subset can be asked to order.

    Example:
        >>> import numpy as np
        >>> full, ranks = np.array([0.3, 0.2, 0.1]), np.array([1.0, 3.0, 2.0])
        >>> best, worst, count = np.array([1, 2, 2]), np.array([1, 3, 3]), np.array([0, 1, 1])
        >>> ties = Ties("clip", ("a", "b", "c"), full, best, worst, count, ranks, np.ones(3, bool))
        >>> ties_in_words(ties, n_prompts=5000)[:50]
        '1 of 3 pairs (33.3%) differ by no more than two pa'

    """
    share = ties.tied_pairs / max(1, ties.pairs)
    alone = int((ties.count == 0).sum())
    said = (
        f"{ties.tied_pairs:,} of {ties.pairs:,} pairs ({share:.1%}) differ by no more than two "
        f"paired standard errors over all {n_prompts:,} prompts; no subset can be asked to order "
        f"those. {alone} of {len(ties.full)} variants are told apart from every other."
    )
    if ties.tied_pairs:
        most = int(ties.count.argmax())
        said += f" {ties.variants[most]} is tied with the most, {ties.count[most]}."
    return said


def tie_table(ties: Ties) -> TieTable:
    """Return a row a variant, the best first.

    Example:
        >>> import numpy as np
        >>> full, ranks = np.array([0.3, 0.2, 0.1]), np.array([1.0, 3.0, 2.0])
        >>> best, worst, count = np.array([1, 2, 2]), np.array([1, 3, 3]), np.array([0, 1, 1])
        >>> ties = Ties("clip", ("a", "b", "c"), full, best, worst, count, ranks, np.ones(3, bool))
        >>> [(row.variant, row.count, row.within) for row in tie_table(ties).rows]
        [('a', 0, True), ('b', 1, True), ('c', 1, True)]

    """
    n = len(ties.full)
    rows = [
        TieRow(
            row + 1,
            ties.variants[row],
            f"{ties.full[row]:.4g}",
            f"{ties.best[row]}\N{EN DASH}{ties.worst[row]}" if ties.count[row] else "its own",
            int(ties.count[row]),
            f"{ties.subset_rank[row]:g}",
            bool(ties.within[row]),
            round(100 * (int(ties.best[row]) - 1) / n, 2),
            round(100 * (int(ties.worst[row]) - int(ties.best[row]) + 1) / n, 2),
        )
        for row in range(min(n, _MOST))
    ]
    return TieTable(ties.metric, rows, n - len(rows))
