"""`flasheval.rank`: a score table's variants in order, and which of them are really apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, count
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flasheval.base.arguments import checked_arguments
from flasheval.base.checks import check_draws, checked_names, checked_seed
from flasheval.base.errors import DataError
from flasheval.base.progress import Report as Progress
from flasheval.base.progress import reporting
from flasheval.generators.image_time import uneven_times
from flasheval.prompts import PromptSet
from flasheval.scores.given_seconds import fast_enough, with_seconds
from flasheval.scores.importers.by_shape import load_scores
from flasheval.scores.leaderboard.board import Agreement
from flasheval.scores.leaderboard.result import Leaderboard
from flasheval.scores.leaderboard.standings import Standings, standings_of
from flasheval.scores.matrix import ScoreMatrix
from flasheval.scores.ranking.moments import Moments, cross_products, paired_moments
from flasheval.scores.ranking.simultaneous import FEW, check_level
from flasheval.scores.ranking.two_orders import flipped_pairs, tau_interval
from flasheval.scores.table import Incomplete, ScoreTable

__all__ = ["rank"]

_TAU_DRAWS = 2000


@checked_arguments
def rank(
    scores: Any,
    *,
    metric: str | Sequence[str] | None = None,
    by: str | None = None,
    cluster: str | Sequence[object] | None = None,
    level: float = 0.95,
    incomplete: Incomplete = "drop",
    draws: int = 10_000,
    seed: int = 0,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    drop: str | Sequence[str] = (),
    seconds: Any = None,
    max_seconds: float | None = None,
    progress: Progress | bool | None = None,
) -> Leaderboard:
    """Say who is ahead in a score table, and whether it is real.

    Args:
        scores: A score table, or anything `load_scores` reads: a file, a frame, arrays with names.
        metric: One metric or several; all of the table's when not given. Of several those that
            cannot be ranked (no variant or one complete, the same score everywhere) are left out,
            which a warning of the leaderboard says.
        by: A column of the prompts, such as a category: the order on each value's prompts too.
        cluster: Which prompts do not err apart, such as images of one group: a column of the
            prompts, or a label for each prompt. Their deviations are then counted together.
        level: Probability that a mean's interval holds, each alone; and that all rank intervals of
            one metric hold together.
        incomplete: What to leave out for missing scores, metric by metric: the variants (`drop`),
            or, where few are missing, the `prompts`; or an `error`. Means are never compared over
            different prompts.
        draws: Draws of the greatest difference, see `flasheval.scores.ranking.simultaneous`.
        seed: Same scores, settings and seed give the same leaderboard.
        columns: Which columns of a table are what, as for `load_scores`.
        drop: Columns, variants and prompts to leave out, as for `load_scores`.
        seconds: Seconds an image of each variant, in place of those the scores know: a file of two
            columns, a mapping, or a column of the scores; see
            `flasheval.scores.given_seconds.with_seconds`.
        max_seconds: The most seconds an image: slower variants, and those whose seconds are not
            known, are left out before anything is tested.
        progress: A function of a label, the parts done and those there are; False for none; by
            default lines or a bar on standard error after two seconds.

    Raises:
        SettingError: An invalid setting.
        DataError: Scores that cannot be used.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> board = rank(synthetic_scores(n_variants=6, n_prompts=400), metric="quality")
        >>> one = board["quality"]
        >>> one.variants[0], int(one.best[0]), int(one.worst[0]), one.near_ties
        ('charlie/DDIM10', 1, 4, 4)

    """
    check_level(level)
    check_draws(draws)
    seed = checked_seed(seed)
    table, told = with_seconds(load_scores(scores, columns=columns, drop=drop), seconds)
    table, left_out = fast_enough(table, max_seconds)
    names = checked_names("metric", metric) or table.metrics
    labels = _labels(table.prompts, cluster)
    parts = {} if by is None else table.prompts.by_tag(by)
    with reporting(progress) as report:
        tell = report or _silent
        measured, unranked = _measured(table, names, incomplete, labels)
        pairs = list(combinations(measured, 2))
        whole = len(measured) * (1 + len(parts)) + len(pairs)
        steps = count()

        def ranked(one: _Measured) -> Standings:
            tell(f"leaderboard of {one.matrix.metric}", next(steps), whole)
            return one.standings(level, draws, seed).with_costs(table.variants)

        standings = tuple(map(ranked, measured.values()))
        uneven = uneven_times(variant.time for variant in table.variants)
        agreements, notes = [], [*left_out, *told, *unranked, *_notes(standings), *uneven]
        for first, second in combinations(standings, 2):
            tell("agreement of metrics", next(steps), whole)
            pair = (measured[first.metric], measured[second.metric])
            try:
                shared = _shared(table, pair, incomplete, labels)
            except DataError as error:
                notes.append(f"{first.metric} and {second.metric} are not compared: {error}")
            else:
                agreements.append(_agreement(shared, (first, second), labels, level, seed))
        by_value: dict[str, tuple[Standings, ...]] = {}
        for value, rows in parts.items():
            found = [one.on_prompts(rows, labels) for one in measured.values()]
            if any(one is None for one in found):
                notes.append(f"{by} {value}: no prompt is left that all variants were measured on")
                continue
            by_value[value] = tuple(ranked(one) for one in found if one is not None)
    return Leaderboard(
        table.prompts.name,
        level,
        standings,
        tuple(agreements),
        by,
        by_value,
        None if cluster is None else cluster if isinstance(cluster, str) else "the labels given",
        tuple(notes),
        max_seconds,
    )


def _silent(label: str, done: float, total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, eq=False)
class _Measured:
    """A metric's scores without gaps, and what follows from them."""

    matrix: ScoreMatrix
    moments: Moments
    prompts: NDArray[np.int64]  # positions in the table given
    left_out: tuple[str, ...] = ()
    prompts_left_out: int = 0

    def standings(self, level: float, draws: int, seed: int) -> Standings:
        return standings_of(
            self.matrix.metric,
            self.matrix.higher_is_better,
            self.matrix.variants,
            self.moments,
            prompts=len(self.prompts),
            level=level,
            draws=draws,
            seed=seed,
            left_out=self.left_out,
            prompts_left_out=self.prompts_left_out,
        )

    def on_prompts(
        self, rows: NDArray[np.int64], labels: NDArray[np.int64] | None
    ) -> _Measured | None:
        """Return the same on some prompts of the table given; None where none of them is left."""
        inside = np.flatnonzero(np.isin(self.prompts, rows))
        if not inside.size:
            return None
        kept = self.prompts[inside]
        moments = paired_moments(
            self.matrix.values[:, inside], None if labels is None else labels[kept]
        )
        return _Measured(self.matrix, moments, kept, self.left_out)


def _measured(
    table: ScoreTable,
    names: Sequence[str],
    incomplete: Incomplete,
    labels: NDArray[np.int64] | None,
) -> tuple[dict[str, _Measured], list[str]]:
    """Return what can be ranked, and a line for each metric left out because it cannot.

    A metric alone is ranked whatever it is. Raises DataError where none of several is left, and,
    with ``incomplete="error"``, for the first with a gap.
    """
    if len(names) == 1:
        return {names[0]: _measure(table, names[0], incomplete, labels)}, []
    found: dict[str, _Measured] = {}
    why = {}
    for name in names:
        try:
            one = _measure(table, name, incomplete, labels)
        except DataError as error:
            if incomplete == "error":
                raise
            why[name] = str(error)
            continue
        variants = one.matrix.variants
        if len(variants) == 1 < len(table):
            why[name] = f"only {variants[0]} is measured on every prompt of it"
        elif len(variants) > 1 and np.ptp(one.matrix.values) == 0:
            why[name] = "every score is the same"
        else:
            found[name] = one
    lines = [f"{name} is left out: {reason}" for name, reason in why.items()]
    if not found:
        raise DataError(f"no metric can be ranked: {'; '.join(lines)}")
    return found, lines


def _measure(
    table: ScoreTable, metric: str, incomplete: Incomplete, labels: NDArray[np.int64] | None
) -> _Measured:
    part, dropped = table.complete(metric, incomplete)
    prompts = table.prompts.index_of(part.prompts.ids)
    if not len(prompts):
        raise DataError("the score table has no prompt; expected at least one")
    moments = paired_moments(part[metric].values, None if labels is None else labels[prompts])
    return _Measured(part[metric], moments, prompts, dropped, table.n_prompts - part.n_prompts)


def _shared(
    table: ScoreTable,
    pair: tuple[_Measured, _Measured],
    incomplete: Incomplete,
    labels: NDArray[np.int64] | None,
) -> tuple[_Measured, _Measured]:
    """Return two metrics on the variants and prompts that both have."""
    first, second = pair
    same = first.matrix.variants == second.matrix.variants
    if same and np.array_equal(first.prompts, second.prompts):
        return pair
    both, _ = table.complete([first.matrix.metric, second.matrix.metric], incomplete)
    found = [_measure(both, one.matrix.metric, "error", None) for one in pair]
    prompts = table.prompts.index_of(both.prompts.ids)
    groups = None if labels is None else labels[prompts]
    return tuple(  # type: ignore[return-value]
        _Measured(one.matrix, paired_moments(one.matrix.values, groups), prompts) for one in found
    )


def _agreement(
    pair: tuple[_Measured, _Measured],
    standings: tuple[Standings, Standings],
    labels: NDArray[np.int64] | None,
    level: float,
    seed: int,
) -> Agreement:
    first, second = pair
    groups = None if labels is None else labels[first.prompts]
    units = first.moments.units
    crossed = cross_products(first.matrix.values, second.matrix.values, groups)
    signs = first.matrix.sign * second.matrix.sign
    if units > 1:
        crossed *= signs * units / (units - 1) / len(first.prompts) ** 2
    tau, low, high = tau_interval(
        _upwards(first),
        _upwards(second),
        crossed,
        level=level,
        draws=_TAU_DRAWS,
        rng=np.random.default_rng(seed),
    )
    names = first.matrix.variants
    return Agreement(
        first.matrix.metric,
        second.matrix.metric,
        tau,
        low,
        high,
        len(names),
        _flips(names, *standings),
    )


def _flips(
    names: Sequence[str], first: Standings, second: Standings
) -> tuple[tuple[str, str], ...]:
    """Return the pairs that flip, first those that lie furthest apart in both orders."""
    at, there = _places(first, names), _places(second, names)
    pairs = flipped_pairs(
        -at,
        -there,
        first.separated[np.ix_(at, at)],
        second.separated[np.ix_(there, there)],
    )
    apart = [np.abs(places[pairs[:, 0]] - places[pairs[:, 1]]) for places in (at, there)]
    order = np.argsort(-np.minimum(*apart), kind="stable")
    return tuple((names[better], names[worse]) for better, worse in pairs[order])


def _upwards(one: _Measured) -> Moments:
    return Moments(one.matrix.sign * one.moments.means, one.moments.covariance, one.moments.units)


def _places(standings: Standings, names: Sequence[str]) -> NDArray[np.int64]:
    place = {name: number for number, name in enumerate(standings.variants)}
    return np.array([place[name] for name in names], dtype=np.int64)


def _labels(prompts: PromptSet, cluster: str | Sequence[object] | None) -> NDArray[np.int64] | None:
    if cluster is None:
        return None
    given: ArrayLike = prompts.column(cluster, "cluster") if isinstance(cluster, str) else cluster  # type: ignore[assignment]
    labels = np.asarray(given)
    if labels.shape != (len(prompts),):
        raise DataError(
            f"cluster has {len(labels)} labels for {len(prompts)} prompts; expected one for each"
        )
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _notes(standings: Sequence[Standings]) -> list[str]:
    notes = []
    for one in standings:
        if one.left_out:
            shown = ", ".join(one.left_out[:5]) + (", ..." if len(one.left_out) > 5 else "")
            notes.append(
                f"{one.metric}: left out {len(one.left_out)} variants that are not measured on "
                f"every prompt: {shown}; incomplete=prompts leaves out prompts, where few are "
                "missing"
            )
        if one.prompts_left_out:
            notes.append(
                f"{one.metric}: left out {one.prompts_left_out:,} prompts that a variant lacks; "
                "all means are over the same prompts"
            )
        if one.units < FEW and len(one.variants) > 1:
            notes.append(
                f"{one.metric}: only {one.units} prompts (or clusters) err apart, so intervals are "
                "wide, and right only for scores that are nearly normal"
            )
    return notes
