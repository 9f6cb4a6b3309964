"""Votes as scores: a variant's expected share of wins on each prompt, against all others.

On prompt p let s_ij be the share of the votes between i and j that i won, a tie counting half; E_ij
the share that the overall strengths expect; n_i the votes of i on p; and r_i the mean, over these
votes, of what i won less E. An opponent that i was not judged against there is expected to lose to
it as often as

    (n0 E_ij + n_i (E_ij + r_i)) / (n0 + n_i) = E_ij + n_i / (n0 + n_i) r_i,

the overall strengths as n0 votes beside those of this prompt. The score is the mean over all
others, of s_ij where there are votes and of this where there are none, cut off at 0 and 1. So where
every pair was judged it is the plain share of wins. A variant without a vote on p is NaN there.
With votes made of EvalMi-50K's opinions of 24 models an n0 of 8 had the least error of 0 to 64, or
nearly, from 1.5 to 50 votes a prompt (.14 against .31 without at 1.5, .11 against .18 at 50).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import SettingError
from flasheval.generators.variants import Variant
from flasheval.scores.matrix import ScoreMatrix
from flasheval.scores.table import ScoreTable
from flasheval.scores.votes.arrays import VoteArrays
from flasheval.scores.votes.counts import pair_counts
from flasheval.scores.votes.strengths import Ties, fit_strengths

__all__ = ["METRIC", "expected_wins", "wins_table"]

METRIC = "wins"


def wins_table(
    votes: VoteArrays, *, n0: float = 8.0, ties: Ties = "davidson", prior: float = 1.0
) -> ScoreTable:
    """Return the table of votes; see `flasheval.Votes.to_scores`."""
    counts = pair_counts(votes)
    expected = np.full_like(counts.wins, 0.5)  # where every vote is a tie
    if counts.wins.any():
        expected = fit_strengths(counts, ties=ties, prior=prior, names=votes.variants).expected
    values = expected_wins(votes, expected, n0)
    prompts = votes.prompts
    matrix = ScoreMatrix(
        METRIC,
        values.astype(np.float32),
        votes.variants,
        prompts.ids,
        scorer="votes",
        prompt_set_hash=prompts.hash if prompts.text_hashes is not None else None,
    )
    return ScoreTable(prompts, tuple(map(Variant, votes.variants)), {METRIC: matrix})


def expected_wins(
    votes: VoteArrays, expected: NDArray[np.float64], n0: float = 8.0
) -> NDArray[np.float64]:
    """Return the scores by the module's formula, float64 [variants, prompts].

    expected: float64 [variants, variants], E_ij; its diagonal is not used.
    Raises SettingError for an n0 that is no number from 0 on.

    >>> from flasheval.prompts import PromptSet
    >>> pets = PromptSet("pets", ("1", "2"))
    >>> votes = VoteArrays(("a", "b", "c"), pets, [0], [1], [0], [1])
    >>> expected_wins(votes, np.full((3, 3), 0.5), n0=1).tolist()  # a won, and may beat c too
    [[0.875, nan], [0.125, nan], [nan, nan]]
    """
    if isinstance(n0, bool) or not 0 <= n0 < np.inf:
        raise SettingError(f"n0={n0}: expected a number of votes from 0 on, such as 8")
    m, width = len(votes.variants), len(votes.prompts)
    prompt = np.concatenate([votes.prompt, votes.prompt]).astype(np.int64)
    mine = np.concatenate([votes.first, votes.second]).astype(np.int64)
    other = np.concatenate([votes.second, votes.first]).astype(np.int64)
    won = (1 + np.concatenate([votes.outcome, -votes.outcome]).astype(np.float64)) / 2
    cells, place = np.unique((prompt * m + mine) * m + other, return_inverse=True)
    n = np.bincount(place)
    total = np.bincount(place, won)
    of, against = cells // m, cells % m  # prompt and variant; opponent
    usual = expected[of % m, against]

    def summed(values: NDArray[np.float64]) -> NDArray[np.float64]:
        found = np.bincount(of, values, minlength=width * m).astype(np.float64)
        return found.reshape(-1, m).T

    judged = summed(np.ones(len(cells)))
    given = summed(n.astype(np.float64))
    more = summed(total - n * usual) / np.maximum(n0 + given, 1e-300)  # n / (n0 + n) r
    whole = np.where(np.eye(m, dtype=bool), 0.0, expected).sum(axis=1)[:, None]
    share = summed(total / n) + whole - summed(usual) + (m - 1 - judged) * more
    return np.where(given > 0, np.clip(share / (m - 1), 0, 1), np.nan)
