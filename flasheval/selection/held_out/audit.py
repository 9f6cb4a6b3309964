"""Audit a subset that someone hands you: which ranking it fits, and whether it beats random ones.

A subset says what it was chosen for; this asks the scores. Its prompts' mean scores rank the
variants, and that ranking is compared with every ranking it may have been fitted to. Tau-b alone
tells little, for large random subsets rank well too, so each fit carries its percentile among
random subsets of as many prompts. On the variants a subset was searched on, the ranking it was
fitted to stands at the 100th percentile, whatever its label says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flasheval.base.checks import check_draws
from flasheval.base.errors import DataError, SettingError
from flasheval.scores import ScoreTable
from flasheval.scores.ranking.kendall import kendall_tau_b_many

__all__ = ["Fit", "audit_subset", "full_rankings", "percentile_among"]


@dataclass(frozen=True)
class Fit:
    """How well one metric's scores over a subset reproduce one ranking.

    Attributes:
        metric: Whose scores were averaged over the subset.
        ranking: Name of the ranking they are compared with.
        tau: Tau-b between the two; NaN where a side is constant.
        percentile: Share of random subsets that agree less with this ranking, in percent, equals
            counted half; NaN where tau is.
        random_tau: Mean tau-b of the random subsets.

    Example:
        >>> fit = Fit("clip", ranking="hps", tau=0.75, percentile=100.0, random_tau=0.5)
        >>> fit.tau - fit.random_tau  # a search for clip that fitted the ranking by hps
        0.25

    """

    metric: str
    ranking: str
    tau: float
    percentile: float
    random_tau: float


def full_rankings(table: ScoreTable) -> dict[str, NDArray[np.float64]]:
    """Full-set means of every metric, turned so that higher is better: float64 [variants] each.

    Args:
        table: Complete variants only.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> {name: ranking.shape for name, ranking in full_rankings(synthetic_scores(6, 9)).items()}
        {'quality': (6,), 'alignment': (6,)}

    """
    return {
        metric: table[metric].sign * table[metric].values.mean(axis=1, dtype=np.float64)
        for metric in table.metrics
    }


def audit_subset(
    table: ScoreTable,
    prompts: ArrayLike,
    *,
    rankings: Mapping[str, ArrayLike] | None = None,
    variants: ArrayLike | None = None,
    draws: int = 1000,
    replace: bool = False,
    rng: np.random.Generator,
) -> tuple[Fit, ...]:
    """Compare a subset's ranking by each metric with each ranking it may have been fitted to.

    Args:
        table: Scores of the whole prompt set; complete variants only.
        prompts: int [N], positions of the subset's prompts in `table.prompts`; one that is
            repeated counts as often as it stands there.
        rankings: Candidate rankings, float [variants of the table] each, higher is better; by
            default `full_rankings(table)`. Those of another prompt set may be among them.
        variants: int positions of the variants that count; all by default. Give those a search
            saw to learn what it fitted, and those it did not see to learn what it is worth.
        draws: Random subsets of N prompts, the same for all fits.
        replace: Whether a random subset may hold a prompt twice, as one drawn with replacement
            may; it then counts twice.
        rng: Source of the random subsets.

    Returns:
        One `Fit` for each metric and ranking, the highest tau first, NaN last.

    Raises:
        DataError: The subset is empty or names no prompt of the table, a ranking or `variants`
            do not fit the table, or a score that counts is missing.
        SettingError: `draws` is below 1, or N exceeds the prompt set without `replace`.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> scores = synthetic_scores(24, 300)
        >>> best = audit_subset(scores, range(300), draws=50, rng=np.random.default_rng(0))[0]
        >>> best.tau, best.percentile  # the full set: no random subset agrees better, all agree so
        (1.0, 50.0)

    """
    chosen = _checked_prompts(table, prompts, draws, replace)
    rows = _checked_variants(table, variants)
    targets = full_rankings(table) if rankings is None else rankings
    wanted = {name: _checked_ranking(table, name, values)[rows] for name, values in targets.items()}
    sets = np.concatenate([chosen[None], _random_sets(table, len(chosen), draws, replace, rng)])
    fits = []
    for metric in table.metrics:
        means = table[metric].sign * _means_of_sets(table[metric].values[rows], sets)
        if np.isnan(means).any():
            raise DataError(
                f"metric '{metric}' lacks scores of some of the {len(rows)} variants; audit "
                "complete variants only (ScoreTable.complete)"
            )
        for name, target in wanted.items():
            taus = kendall_tau_b_many(means, target)
            fits.append(
                Fit(
                    metric,
                    name,
                    float(taus[0]),
                    percentile_among(float(taus[0]), taus[1:]),
                    float(taus[1:].mean()),
                )
            )
    return tuple(sorted(fits, key=lambda fit: (np.isnan(fit.tau), -fit.tau)))


def percentile_among(value: float, others: NDArray[np.float64]) -> float:
    """Share of `others` [n] below a value, in percent; equals count half, NaN gives NaN.

    Example:
        >>> percentile_among(2.0, np.array([1.0, 2.0, 3.0, 4.0]))
        37.5

    """
    if np.isnan(value) or np.isnan(others).any():
        return float("nan")
    return float(100 * ((others < value).mean() + (others == value).mean() / 2))


def _random_sets(
    table: ScoreTable, size: int, draws: int, replace: bool, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw int64 [draws, size]."""
    if replace:
        return rng.integers(0, table.n_prompts, (draws, size))
    return np.stack([rng.choice(table.n_prompts, size, replace=False) for _ in range(draws)])


def _means_of_sets(scores: NDArray[np.float32], sets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean scores over each set, repeated prompts as often as they stand: [sets, variants]."""
    by_prompt = np.ascontiguousarray(scores.T)
    return np.stack([by_prompt[chosen].mean(axis=0, dtype=np.float64) for chosen in sets])


def _checked_prompts(
    table: ScoreTable, prompts: ArrayLike, draws: int, replace: bool
) -> NDArray[np.int64]:
    chosen = np.asarray(prompts)
    if chosen.ndim != 1 or not chosen.size or chosen.dtype.kind not in "iu":
        raise DataError("a subset to audit is a list of at least one prompt position")
    outside = chosen[(chosen < 0) | (chosen >= table.n_prompts)]
    if outside.size:
        raise DataError(
            f"the subset names prompt number {int(outside[0])}, but the table has "
            f"{table.n_prompts}, numbered from 0"
        )
    check_draws(draws)
    if not replace and len(chosen) > table.n_prompts:
        raise SettingError(
            f"{len(chosen)} prompts cannot be drawn from {table.n_prompts} without replacement; "
            "use replace=True"
        )
    return chosen.astype(np.int64)


def _checked_variants(table: ScoreTable, variants: ArrayLike | None) -> NDArray[np.int64]:
    if variants is None:
        return np.arange(len(table))
    rows = np.asarray(variants, dtype=np.int64)
    if rows.ndim != 1 or len(rows) < 2 or rows.min() < 0 or rows.max() >= len(table):
        raise DataError(
            f"variants must be at least two positions from 0 to {len(table) - 1} to be ranked"
        )
    return rows


def _checked_ranking(table: ScoreTable, name: str, values: ArrayLike) -> NDArray[np.float64]:
    ranking = np.asarray(values, dtype=np.float64)
    if ranking.shape != (len(table),):
        raise DataError(
            f"ranking '{name}' has shape {ranking.shape}; expected one number for each of the "
            f"table's {len(table)} variants"
        )
    return ranking
