"""Votes made from scores: as if somebody had chosen the better scored of two images."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from flasheval.base.arguments import checked_arguments
from flasheval.base.checks import checked_names, checked_seed
from flasheval.base.errors import DataError, SettingError
from flasheval.scores.matrix import ScoreMatrix, sign_of
from flasheval.scores.table import ScoreTable
from flasheval.scores.votes.votes import Votes

__all__ = ["votes_from_scores"]

_MOST = 50_000_000


@checked_arguments
def votes_from_scores(
    table: ScoreTable,
    metric: str | Sequence[str] | None = None,
    *,
    tie_within: float = 0.0,
    sample: int | None = None,
    seed: int = 0,
) -> Votes:
    """Return one vote for each pair of variants and prompt, for the better scored of the two.

    Args:
        table: The scores.
        metric: Whose votes: a metric is a rater. One or several; all of the table's when not given.
        tie_within: Scores that differ by no more are a tie.
        sample: Only so many votes of each metric, drawn at random without repetition.
        seed: Same scores, settings and seed give the same votes.

    What is not measured for one of the two gives no vote. The first of a pair is the earlier in the
    table.

    Raises:
        SettingError: An unknown metric, or a setting that cannot be.
        DataError: No pair that is measured on a prompt, or more votes than memory is for.

    >>> from flasheval.scores import ScoreTable
    >>> table = ScoreTable.from_arrays([[1, 2], [1.1, 5]], variants=["a", "b"], prompts=["1", "2"])
    >>> votes_from_scores(table, tie_within=0.2).outcome.tolist()
    [0, -1]

    """
    if isinstance(tie_within, bool) or not 0 <= tie_within < math.inf:
        raise SettingError(f"tie_within={tie_within}: expected a difference from 0 on")
    if sample is not None and (isinstance(sample, bool) or sample < 1):
        raise SettingError(f"sample={sample}: expected a number of votes from 1 on")
    if len(table) < 2:
        raise DataError("votes need two variants; the scores have one")
    rng = np.random.default_rng(checked_seed(seed))
    names = checked_names("metric", metric) or table.metrics
    pairs = len(table) * (len(table) - 1) // 2
    each = min(pairs * table.n_prompts, sample or _MOST + 1)
    if each * len(names) > _MOST:
        raise DataError(
            f"{each * len(names):,} votes are more than fit in memory; sample=1000000 draws some"
        )
    parts = [_of_one(table[name], tie_within, sample, rng) for name in names]
    arrays = [np.concatenate(one) for one in zip(*parts, strict=True)]
    if not arrays[0].size:
        raise DataError("no two variants are measured on one prompt, so there is no vote")
    first, second, prompt, outcome = arrays
    rater = np.repeat(np.arange(len(names)), [len(one[0]) for one in parts])
    voted, prompt = np.unique(prompt, return_inverse=True)
    prompts = table.prompts if len(voted) == table.n_prompts else table.prompts.take(voted)
    return Votes(table.variant_names, prompts, first, second, prompt, outcome, names, rater)


def _of_one(
    matrix: ScoreMatrix, tie_within: float, sample: int | None, rng: np.random.Generator
) -> tuple[NDArray[np.int64], ...]:
    """Return first, second, prompt and outcome of one metric's votes."""
    m, width = matrix.values.shape
    one, other = np.triu_indices(m, 1)
    total = len(one) * width
    if sample is not None and sample < total:
        chosen = np.sort(rng.choice(total, size=sample, replace=False))
    else:
        chosen = np.arange(total)
    pair, prompt = np.divmod(chosen, width)
    first, second = one[pair], other[pair]
    values = matrix.values.astype(np.float64)
    gaps = sign_of(matrix.higher_is_better) * (values[first, prompt] - values[second, prompt])
    there = ~np.isnan(gaps)
    outcome = np.where(np.abs(gaps) <= tie_within, 0, np.sign(gaps))
    found = (first, second, prompt, outcome)
    return tuple(array[there].astype(np.int64) for array in found)
