"""Votes ranked: rates, strengths, ties and what the votes say of themselves."""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit

from flasheval.base.checks import check_draws, checked_seed
from flasheval.base.errors import DataError
from flasheval.scores.leaderboard.standings import Standings, standings_of
from flasheval.scores.ranking.moments import Moments
from flasheval.scores.ranking.simultaneous import FEW, check_level
from flasheval.scores.votes.arrays import VoteArrays
from flasheval.scores.votes.board import Expected, VoteBoard
from flasheval.scores.votes.checks import circles_of, rater_agreement, repeated_votes
from flasheval.scores.votes.clusters import Cluster, VoteClusters, vote_clusters
from flasheval.scores.votes.counts import pair_counts
from flasheval.scores.votes.rates import left_rate, pair_rates, variant_rates
from flasheval.scores.votes.strengths import (
    Strengths,
    Ties,
    fit_strengths,
    strength_covariance,
)

__all__ = ["rank_votes"]

_SHARED = 0.01  # of the votes that may be of unknown raters before a line says so


def rank_votes(
    votes: VoteArrays,
    *,
    ties: Ties = "davidson",
    prior: float = 0.0,
    cluster: Cluster = "both",
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> VoteBoard:
    """Rank the variants of votes; see `flasheval.Votes.rank`."""
    check_level(level)
    check_draws(draws)
    seed = checked_seed(seed)
    clusters = vote_clusters(votes, cluster)
    counts = pair_counts(votes)
    rates = variant_rates(votes, clusters, level)
    pairs, of_pairs = pair_rates(votes, clusters, level)
    notes = _notes(votes, clusters, rates.votes)
    fit: Strengths | None = None
    standings: Standings | None = None
    expected: Expected | None = None
    try:
        fit = fit_strengths(counts, ties=ties, prior=prior, names=votes.variants)
    except DataError as error:
        notes.insert(0, f"strengths are left out: {error}")
    if fit is not None:
        covariance, of_shares = strength_covariance(fit, votes, clusters)
        moments = Moments(fit.values, _known(covariance, clusters), clusters.units)
        standings = standings_of(
            "strength",
            True,
            votes.variants,
            moments,
            prompts=len(votes.prompts),
            level=level,
            draws=draws,
            seed=seed,
        )
        expected = _expected(fit, of_shares, clusters, level)
        names = standings.variants
    else:
        better = np.nan_to_num(rates.of("share")[0], nan=-1.0)
        names = votes.labels(np.argsort(-better, kind="stable").tolist())
    return VoteBoard(
        prompt_set=votes.prompts.name,
        votes=len(votes),
        prompts=len(votes.prompts),
        raters=len(votes.raters),
        level=level,
        clusters=clusters.words,
        units=clusters.units,
        variants=names,
        labels=votes.variants,
        rates=rates,
        pairs=pairs,
        pair_rates=of_pairs,
        ties=ties,
        fit=fit,
        standings=standings,
        expected=expected,
        agreement=rater_agreement(votes),
        circles=circles_of(counts),
        left=left_rate(votes, clusters, level),
        seconds=float("nan") if votes.seconds is None else float(np.nanmedian(votes.seconds)),
        notes=tuple(notes),
    )


def _known(covariance: np.ndarray, clusters: VoteClusters) -> np.ndarray:
    """Return a covariance, infinite where one cluster says nothing of it."""
    return covariance if clusters.units > 1 else np.full_like(covariance, np.inf)


def _expected(
    fit: Strengths, covariance: np.ndarray, clusters: VoteClusters, level: float
) -> Expected:
    """Return the shares expected against all others with intervals, by their log-odds."""
    shares = fit.against_others
    if clusters.units < 2:
        nothing = np.full_like(shares, np.nan)
        return Expected(shares, nothing, nothing)
    errors = np.sqrt(np.maximum(np.diag(covariance), 0)) / (shares * (1 - shares))
    room = float(stdtrit(clusters.units - 1, (1 + level) / 2)) * errors
    odds = np.log(shares / (1 - shares))
    return Expected(shares, 1 / (1 + np.exp(room - odds)), 1 / (1 + np.exp(-room - odds)))


def _notes(votes: VoteArrays, clusters: VoteClusters, counts: np.ndarray) -> list[str]:
    """Return what a reader must know of the votes, one line each."""
    notes = []
    if (counts == 0).any():
        gone = [name for name, n in zip(votes.variants, counts, strict=True) if not n]
        notes.append(f"without a vote: {', '.join(gone)}")
    if votes.rater is None:
        notes.append("the raters are not known: intervals count every vote as another's")
    elif len(votes.raters) == 1:
        notes.append(
            f"all votes are of {votes.raters[0]}: intervals say nothing of how raters differ"
        )
    elif (votes.rater < 0).mean() > _SHARED:
        notes.append(
            f"{(votes.rater < 0).mean():.0%} of the votes have no rater and count as another's each"
        )
    if again := repeated_votes(votes):
        notes.append(
            f"{again:,} votes repeat another of their rater, pair and prompt: a file given twice?"
        )
    if "rater" in clusters.words and clusters.units < FEW and len(votes.raters) > 1:
        few = min(len(votes.raters), len(votes.prompts))
        what = "raters" if few == len(votes.raters) else "prompts"
        way = "; cluster=prompt takes these raters as they are" if what == "raters" else ""
        if few < FEW // 2:
            notes.append(f"intervals over only {few} {what} are wide{way}")
    return notes
