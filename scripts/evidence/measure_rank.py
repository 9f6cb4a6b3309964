"""Measure the leaderboard: do its rank intervals hold, how wide are they, how fast is it.

Coverage: tables of 20 made-up variants, some of them truly tied (groups of 4, 3, 3 and 2, the rest
apart; "all tied" is the hardest case), scored on prompts of which each moves all variants. A table
counts as covered where every variant's interval holds all ranks that its tie group spans, all
variants at once. Beside it the mean width of an interval (1 where a rank is certain, 20 where
nothing is known), the share of truly ordered pairs that are told apart, how often two standard
errors, pair by pair, tell no pair apart in error, and how often tau's interval between two metrics
holds, beside that of a percentile bootstrap.

Evaluations: on random halves of the miniature's variants 50 prompts are searched on one half; some
of the other half are "evaluated" on them and ranked by `rank_reports` beside the half searched. A
split counts as covered where every variant's ranks hold the true one, all at once.

Speed: the whole `flasheval.rank` on a table of 1,000 variants x 1,000,000 prompts in memory.

    python scripts/evidence/measure_rank.py --tables 1000 --only coverage speed
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

import flasheval
from flasheval.evaluation import MetricScores
from flasheval.evaluation.full_board import rank_reports
from flasheval.generators.variants import Variant
from flasheval.prompts import PromptSet
from flasheval.scores import ScoreMatrix, ScoreTable
from flasheval.scores.leaderboard.standings import standings_of
from flasheval.scores.ranking.moments import cross_products, paired_moments
from flasheval.scores.ranking.simultaneous import normal_draws
from flasheval.scores.ranking.two_orders import tau_interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Noise = Callable[[np.random.Generator, tuple[int, int]], Floats]

GROUPS = (1, 1, 4, 1, 3, 1, 1, 3, 1, 1, 2, 1)  # variants that are truly tied, the best first
STEP = 0.25  # between neighbouring groups, in standard deviations of a score
LEVEL = 0.95
FIRST_SPLIT = 1000
PARTS = ("coverage", "tau", "evaluations", "speed")


def _normal(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return rng.normal(size=shape)


def _skewed(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return rng.exponential(size=shape) - 1


def _spreads(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Give each variant a spread of its own, from a half to two."""
    wide: Floats = rng.normal(size=shape) * np.exp(rng.uniform(-0.7, 0.7, (shape[0], 1)))
    return wide


KINDS: dict[str, Noise] = {
    "normal": _normal,
    "skewed": _skewed,
    "unlike spreads": _spreads,
    "all tied": _normal,
}
CLUSTER = 5  # prompts of a cluster, in the tables with clusters


def truth(kind: str) -> Floats:
    """Return the true means of the variants."""
    if kind == "all tied":
        return np.zeros(sum(GROUPS))
    level = np.repeat(np.arange(len(GROUPS))[::-1], GROUPS)
    return level * STEP


def scores_of(kind: str, n_prompts: int, rng: np.random.Generator) -> Floats:
    """Return the scores of one table: [variants, prompts]."""
    true = truth(kind)
    shape = (len(true), n_prompts)
    if kind == "right or wrong":  # 0 or 1, by a prompt's difficulty
        chance = 1 / (1 + np.exp(-(true[:, None] - true.mean() + rng.normal(size=n_prompts))))
        drawn: Floats = (rng.random(shape) < chance).astype(np.float64)
        return drawn
    if kind == "clusters":
        groups = n_prompts // CLUSTER
        common = np.repeat(rng.normal(size=(shape[0], groups)), CLUSTER, axis=1)
        return true[:, None] + 0.6 * common + 0.8 * rng.normal(size=shape)
    return true[:, None] + rng.normal(size=n_prompts) + KINDS[kind](rng, shape)


def coverage(kind: str, n_prompts: int, tables: int) -> list[str]:
    """Return a row: share of tables in which all intervals hold, width, pairs told apart."""
    true = truth(kind)
    best = 1 + (true[None] > true[:, None]).sum(axis=1)
    worst = len(true) - (true[None] < true[:, None]).sum(axis=1)
    names = tuple(map(str, range(len(true))))
    labels = np.repeat(np.arange(n_prompts // CLUSTER), CLUSTER) if kind == "clusters" else None
    held, near_held, width, apart = 0, 0, 0.0, 0.0
    ordered = true[:, None] != true
    for seed in range(tables):
        scores = scores_of(kind, n_prompts, np.random.default_rng(seed))
        moments = paired_moments(scores, labels)
        found = standings_of(
            "m", True, names, moments, prompts=n_prompts, level=LEVEL, draws=2000, seed=seed
        )
        rows = np.array([int(name) for name in found.variants])
        held += bool(np.all(found.best <= best[rows]) and np.all(found.worst >= worst[rows]))
        width += float((found.worst - found.best + 1).mean()) / tables
        if ordered.any():
            apart += float(found.separated[ordered[np.ix_(rows, rows)]].mean()) / tables
        gaps = moments.means[:, None] - moments.means
        beyond = np.abs(gaps) > 2 * moments.pair_errors
        near_held += not (beyond & ~(np.sign(gaps) == np.sign(true[:, None] - true))).any()
    told = f"{apart:.1%}" if ordered.any() else "-"
    cells = [kind, f"{n_prompts:,}", f"{held / tables:.3f}", f"{width:.2f}", told]
    return [*cells, f"{near_held / tables:.3f}"]


def tau_coverage(n: int, n_prompts: int, spread: float, tables: int) -> list[str]:
    """Return a row: how often tau's interval between two metrics holds the true tau."""
    held, width, plain_held = 0, 0.0, 0
    for seed in range(tables):
        rng = np.random.default_rng(seed)
        true = rng.normal(size=(2, n))
        true[1] = 0.7 * true[0] + np.sqrt(1 - 0.7**2) * true[1]
        common = rng.normal(size=(n, n_prompts))
        scores = spread * true[:, :, None] + 0.6 * common + 0.8 * rng.normal(size=(2, n, n_prompts))
        crossed = cross_products(scores[0], scores[1]) / (n_prompts - 1) / n_prompts
        moments = [paired_moments(one) for one in scores]
        _, low, high = tau_interval(moments[0], moments[1], crossed, level=LEVEL, rng=rng)
        wanted = kendalltau(*true).statistic
        held += low <= wanted <= high
        joint = np.block([[moments[0].covariance, crossed], [crossed.T, moments[1].covariance]])
        means = np.concatenate([one.means for one in moments])
        low_plain, high_plain = percentiles(means[:, None] + normal_draws(joint, 1000, rng))
        plain_held += low_plain <= wanted <= high_plain
        width += (high - low) / tables
    found = f"{held / tables:.3f}", f"{width:.2f}", f"{plain_held / tables:.3f}"
    return [str(n), f"{n_prompts:,}", f"{spread:g}", *found]


def percentiles(drawn: Floats) -> Floats:
    """Return the ends of the percentile bootstrap of tau; drawn: means [2 variants, draws]."""
    n = len(drawn) // 2
    first, second = np.triu_indices(n, 1)
    signs = [np.sign(one[first] - one[second]) for one in (drawn[:n], drawn[n:])]
    taus = (signs[0] * signs[1]).mean(axis=0)
    ends: Floats = np.quantile(taus, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return ends


def evaluations(metric: str, counts: Sequence[int], splits: int) -> list[list[str]]:
    """Return a row for each number of variants evaluated on 50 prompts."""
    table = flasheval.load_scores("miniature")
    found: dict[int, list[Floats]] = {count: [] for count in counts}
    for split in range(FIRST_SPLIT, FIRST_SPLIT + splits):
        order = np.random.default_rng(split).permutation(len(table))
        searched, held_out = np.sort(order[: len(order) // 2]), order[len(order) // 2 :]
        settings = {"method": "balanced", "curve": None, "draws": 10, "splits": "random:4"}
        half = table.with_variants(searched)
        subset = flasheval.search(half, size=50, metric=metric, **settings).subset
        for count in counts:
            found[count].append(_placed(table, metric, subset, held_out[:count]))
    rows = []
    for count, measured in found.items():
        held, alone, width, decided, wrong = np.transpose(measured)
        pairs = splits * count * (count - 1) // 2
        told = f"{decided.sum() / pairs:.0%}" if pairs else "-"
        shares = [f"{held.mean():.3f}", f"{alone.mean():.3f}", f"{width.mean():.1f}"]
        rows.append([metric, str(count), *shares, told, f"{wrong.sum():.0f}"])
    return rows


def _placed(table: ScoreTable, metric: str, subset: flasheval.Subset, rows: Ints) -> Floats:
    """Rank some variants by their scores on a subset, and see what holds of the truth.

    Returns whether all ranks hold, the share of intervals that do, the mean width of the ranks, the
    pairs told apart, and those of them in the wrong order.
    """
    matrix, places = table[metric], table.prompts.index_of(subset.ids)
    reports = []
    for row in rows:
        scores = tuple(map(float, matrix.values[row, places]))
        measured = {metric: MetricScores("1", matrix.higher_is_better, scores)}
        reports.append(flasheval.Report(subset, 0, measured, matrix.variants[row]))
    (one,) = rank_reports(reports, metric=metric, level=LEVEL).standings
    full = dict(zip(matrix.variants, matrix.full_means, strict=True))
    true = np.array([full[name] for name in one.models])
    better = true if matrix.higher_is_better else -true
    first = 1 + (better[None] > better[:, None]).sum(axis=1)
    last = len(better) - (better[None] < better[:, None]).sum(axis=1)
    held = (one.best <= last) & (one.worst >= first)
    new = list(one.evaluated)
    alone = (one.low[new] <= true[new]) & (true[new] <= one.high[new])
    apart = np.triu(one.separated, 1)[np.ix_(new, new)]
    wrong = apart & (better[new][:, None] < better[new][None])
    width = np.mean(one.worst[new] - one.best[new] + 1)
    return np.array([held.all(), alone.mean(), width, apart.sum(), wrong.sum()], dtype=np.float64)


def speed(n_variants: int, n_prompts: int) -> list[str]:
    """Return the seconds and the peak memory of ranking a table of this size."""
    rng = np.random.default_rng(0)
    values = np.empty((n_variants, n_prompts), dtype=np.float32)
    shared = rng.standard_normal(n_prompts, dtype=np.float32)
    for row in range(n_variants):
        values[row] = rng.standard_normal(n_prompts, dtype=np.float32)
        values[row] += shared + np.float32(rng.normal(0, 0.01))
    ids = tuple(map(str, range(n_prompts)))
    names = tuple(f"v{row}" for row in range(n_variants))
    matrix = ScoreMatrix("m", values, names, ids)
    table = ScoreTable(PromptSet("made up", ids), tuple(map(Variant, names)), {"m": matrix})
    flasheval.rank(
        ScoreTable.from_arrays([[0, 1], [1, 0]], variants=["a", "b"], prompts=["a", "b"])
    )
    begun, processor = time.perf_counter(), time.process_time()
    board = flasheval.rank(table)
    took, worked = time.perf_counter() - begun, time.process_time() - processor
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return [
        f"- {n_variants:,} variants x {n_prompts:,} prompts, seconds: {took:.1f}",
        f"- the same, seconds of processors: {worked:.1f}",
        f"- peak memory, GiB (the table itself {values.nbytes / 2**30:.2f}): {peak:.2f}",
        f"- pairs not told apart: {board['m'].tied_pairs:,} of {board['m'].pairs:,}",
    ]


def main() -> None:
    """Measure what is asked for and print Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", type=int, default=1000, help="tables a row of coverage")
    parser.add_argument("--only", nargs="+", choices=PARTS)
    parser.add_argument("--splits", type=int, default=30, help="of evaluations")
    parser.add_argument("--variants", type=int, default=1000, help="of the table of speed")
    parser.add_argument("--prompts", type=int, default=1_000_000, help="of the table of speed")
    arguments = parser.parse_args()
    wanted = arguments.only or PARTS
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} {platform.machine()} processors, load {load:.1f} at the start\n")
    if "coverage" in wanted:
        print(f"## Rank intervals, {arguments.tables:,} tables a row, nominal {LEVEL}\n")
        print("| scores | prompts | all hold | mean width | pairs told apart | 2 errors alone |")
        print("| --- | --- | --- | --- | --- | --- |")
        rows = [(kind, size) for kind in KINDS for size in (50, 200, 1000)]
        rows += [("normal", 10), ("right or wrong", 200), ("right or wrong", 1000)]
        rows += [("clusters", 200), ("clusters", 1000)]
        for kind, size in rows:
            print(f"| {' | '.join(coverage(kind, size, arguments.tables))} |", flush=True)
        print()
    if "tau" in wanted:
        tables = max(1, arguments.tables // 4)
        print(f"## Tau between two metrics, {tables:,} tables a row, nominal {LEVEL}\n")
        print(
            "| variants | prompts | spread of true means | holds | mean width | percentile holds |"
        )
        print("| --- | --- | --- | --- | --- | --- |")
        for case in (
            (20, 200, 0.1),
            (20, 1000, 0.1),
            (20, 200, 0.3),
            (8, 200, 0.3),
            (50, 500, 0.2),
        ):
            print(f"| {' | '.join(tau_coverage(*case, tables))} |", flush=True)
        print()
    if "evaluations" in wanted:
        print(f"## Evaluations on 50 prompts, {arguments.splits} splits, nominal {LEVEL}\n")
        print(
            "| metric | models | all ranks hold | intervals hold, each alone | mean width "
            "| pairs told apart | wrongly |"
        )
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for metric in flasheval.load_scores("miniature").metrics:
            for row in evaluations(metric, (1, 5, 16), arguments.splits):
                print(f"| {' | '.join(row)} |", flush=True)
        print()
    if "speed" in wanted:
        print("## Speed\n")
        print("\n".join(speed(arguments.variants, arguments.prompts)))


if __name__ == "__main__":
    main()
