"""Measure how often two models are told apart, how often wrongly, and with how many prompts.

Random halves of the variants: subsets are searched (nested, 10, 20 and 50 prompts) and calibrated
on one half, and every pair of the other half is compared by `flasheval.evaluation`. Beside that,
the same prompts at once, a plain test repeated at every look, and 50 random prompts. The tables, as
Markdown, are by quartile of the true difference over the full prompt set.

The miniature's scores are in the package; the official ones are not part of this repository.
Finished searches are kept, so that the same command continues after an interruption.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from official_data import PROMPT_SETS, arguments, load_tables

import flasheval
from flasheval.base.files import atomic_write
from flasheval.base.versions import library_versions
from flasheval.evaluation.comparison import Comparison, compare
from flasheval.evaluation.report import MetricScores, Report
from flasheval.evaluation.sequential import compare_in_looks, spent_errors
from flasheval.scores import ScoreTable
from flasheval.selection.held_out.splits import Split, make_splits
from flasheval.subset import Subset
from flasheval.subset.paired import paired_errors
from flasheval.subset.student import t_quantile

LOOKS = (10, 20, 50)
ERROR = 0.05
DRAWS = 10
"""Random subsets a split and metric."""
IN_LOOKS, AT_ONCE = "calibrated, in looks", "calibrated, 50 at once"
NAIVE, RANDOM = "plain t > 2, every look", "50 random, paired t"
RULES = (IN_LOOKS, AT_ONCE, NAIVE, RANDOM)

Verdicts = NDArray[np.float64]
"""[pairs, 3]: whether it was decided, whether that sign is wrong, prompts used."""


@dataclass(frozen=True)
class Judged:
    """One split and metric: every pair of held-out variants.

    Attributes:
        metric: The metric.
        quartile: int64 [pairs], of the true difference within the split: 0 for the closest.
        verdicts: By rule.
        covered: bool [pairs], whether the true difference lies in the interval of every look, at
            the share of the error that the look may spend.
        pairs: The variants' names.

    """

    metric: str
    quartile: NDArray[np.int64]
    verdicts: Mapping[str, Verdicts]
    covered: NDArray[np.bool_]
    pairs: tuple[tuple[str, str], ...]


def judge(table: ScoreTable, split: Split, metric: str, seed: int, folder: Path) -> Judged:
    """Search and calibrate on a split's search variants, and compare the others in pairs."""
    seen = table.with_variants(split.search)
    subset = flasheval.search(
        seen,
        method="pooled",
        metric=metric,
        nested=LOOKS,
        seed=seed,
        splits=None,
        calibrate=True,
        folder=folder,
        progress=False,
    ).subset
    out = split.held_out.tolist()
    reports = {row: prefixes(table, subset, metric, row) for row in out}
    pairs = list(combinations(out, 2))
    full, higher = table[metric].full_means, table[metric].higher_is_better
    truth = np.array([full[first] - full[second] for first, second in pairs])
    better = (truth > 0) == higher
    verdicts = {
        rule: np.array(
            [
                verdict(reports[first], reports[second], metric, bool(right))
                for (first, second), right in zip(pairs, better, strict=True)
            ]
        )
        for rule, verdict in (
            (IN_LOOKS, in_looks),
            (AT_ONCE, at_once),
            (NAIVE, naive(higher)),
        )
    }
    verdicts[RANDOM] = random_verdicts(table[metric].values[out], truth, seed)
    covered = np.array(
        [
            all_hold(reports[first], reports[second], metric, gap)
            for (first, second), gap in zip(pairs, truth, strict=True)
        ]
    )
    names = tuple((table.variant_names[a], table.variant_names[b]) for a, b in pairs)
    return Judged(metric, quartiles(truth), verdicts, covered, names)


Prefixes = Mapping[int, Report]
Rule = Callable[[Prefixes, Prefixes, str, bool], tuple[bool, bool, int]]


def prefixes(table: ScoreTable, subset: Subset, metric: str, row: int) -> Prefixes:
    """Return what `flasheval.evaluate` would report of a variant at every look."""
    scores = table[metric].values[row, table.prompts.index_of(subset.ids)]
    part = MetricScores("1", table[metric].higher_is_better, tuple(map(float, scores)))
    whole = Report(subset, 0, {metric: part}, name=table.variant_names[row])
    return {size: whole.prefix(size) for size in LOOKS}


def in_looks(
    first: Prefixes, second: Prefixes, metric: str, first_is_better: bool
) -> tuple[bool, bool, int]:
    """Compare as `compare_in_looks` does."""
    found = compare_in_looks(
        first.__getitem__, second.__getitem__, LOOKS, metric=metric, error=ERROR
    )
    wrong = found.better == ("second" if first_is_better else "first")
    return found.better is not None, wrong, found.size


def at_once(
    first: Prefixes, second: Prefixes, metric: str, first_is_better: bool
) -> tuple[bool, bool, int]:
    """Compare once, with all prompts."""
    found = compare(first[LOOKS[-1]], second[LOOKS[-1]], metrics=metric).full[metric]
    decided = found.certainty >= 1 - ERROR / 2
    return decided, decided and (found.probability > 0.5) != first_is_better, LOOKS[-1]


def naive(higher_is_better: bool) -> Rule:
    """Stop at the first look at which the scores differ by two paired standard errors."""

    def rule(
        first: Prefixes, second: Prefixes, metric: str, first_is_better: bool
    ) -> tuple[bool, bool, int]:
        for size in LOOKS:
            found: Comparison = compare(first[size], second[size], metrics=metric)
            paired = found.paired[metric]
            if abs(paired.value) > 2 * paired.error:
                said = (paired.value > 0) == higher_is_better
                return True, said != first_is_better, size
        return False, False, LOOKS[-1]

    return rule


def all_hold(first: Prefixes, second: Prefixes, metric: str, truth: float) -> bool:
    """Whether the truth lies in the intervals of all looks, decided or not."""
    for size, share in zip(LOOKS, spent_errors(LOOKS, ERROR), strict=True):
        found = compare(first[size], second[size], metrics=metric, level=1 - share).full[metric]
        if not found.low <= truth <= found.high:
            return False
    return True


def random_verdicts(scores: NDArray[np.float32], truth: NDArray[np.float64], seed: int) -> Verdicts:
    """Test the pairs on random prompts; shares over `DRAWS` draws."""
    rng = np.random.default_rng(seed)
    size = LOOKS[-1]
    first, second = np.triu_indices(len(scores), 1)
    decided, wrong = np.zeros(len(truth)), np.zeros(len(truth))
    for _ in range(DRAWS):
        chosen = scores[:, rng.choice(scores.shape[1], size, replace=False)].astype(np.float64)
        means = chosen.mean(axis=1)
        gaps = means[first] - means[second]
        errors = paired_errors(chosen, None)[first, second]
        sure = np.abs(gaps) > t_quantile(1 - ERROR / 2, size - 1) * errors
        decided += sure / DRAWS
        wrong += (sure & ((gaps > 0) != (truth > 0))) / DRAWS
    return np.stack([decided, wrong, np.full(len(truth), float(size))], axis=1)


def quartiles(truth: NDArray[np.float64]) -> NDArray[np.int64]:
    """Quartile of each pair's true difference: 0 for the closest."""
    size = np.abs(truth)
    return np.searchsorted(np.quantile(size, [0.25, 0.5, 0.75]), size)


def measure_all(options: argparse.Namespace) -> dict[str, list[Judged]]:
    """Judge every population on every split, by its name."""
    tables = {"miniature": flasheval.load_scores("miniature").complete()[0]}
    if options.data is not None:
        tables |= load_tables(options.data, options.prompt_sets)
    start = 0 if options.splits == "dev" else 1000
    found: dict[str, list[Judged]] = {}
    for name, table in tables.items():
        splits = make_splits(f"random:{options.seeds}@{start}", table)
        found[name] = [
            judge(table, split, metric, start + number, options.units)
            for number, split in enumerate(splits)
            for metric in options.metrics or table.metrics
        ]
        print(name, *row(found[name], IN_LOOKS), file=sys.stderr, flush=True)
    return {**found, "tuning series": judge_series(tables["miniature"], start, options)}


def judge_series(population: ScoreTable, seed: int, options: argparse.Namespace) -> list[Judged]:
    """Compare the checkpoints of one training, after searches on the whole miniature population."""
    series = flasheval.load_scores("miniature-tuning")
    table, count = population.merge(series), len(population)
    split = Split("series", np.arange(count), np.arange(count, count + len(series)))
    metrics = options.metrics or table.metrics
    return [judge(table, split, metric, seed, options.units) for metric in metrics]


def row(runs: Sequence[Judged], rule: str) -> tuple[str, ...]:
    """Return one rule's cells: decided, wrong among decided and of all, prompts; by quartile."""
    verdicts = np.concatenate([one.verdicts[rule] for one in runs])
    quartile = np.concatenate([one.quartile for one in runs])
    parts = [verdicts, *(verdicts[quartile == number] for number in range(4))]
    decided, wrong, used = (np.array([part[:, at].mean() for part in parts]) for at in range(3))
    among = [f"{w / d:.1%}" if d else "-" for w, d in zip(wrong, decided, strict=True)]
    return (
        _cell([f"{share:.0%}" for share in decided]),
        _cell(among),
        _cell([f"{share:.2%}" for share in wrong]),
        _cell([f"{size:.0f}" for size in used]),
    )


def _cell(values: Sequence[str]) -> str:
    """Write the value of all pairs, then those by quartile."""
    return f"{values[0]} ({' '.join(values[1:])})"


def rule_table(found: Mapping[str, list[Judged]]) -> list[str]:
    """Lay out every rule on every population."""
    titles = ("population", "rule", "decided", "wrong among decided", "wrong of all", "prompts")
    lines = [f"| {' | '.join(titles)} |", "| --- " * len(titles) + "|"]
    for name, runs in found.items():
        lines += [f"| {name} | {rule} | {' | '.join(row(runs, rule))} |" for rule in RULES]
    return lines


def metric_table(found: Mapping[str, list[Judged]]) -> list[str]:
    """Lay out the looks by metric, and how often their intervals hold."""
    titles = (
        *("population", "metric", "decided", "wrong among decided", "wrong of all", "prompts"),
        "all intervals hold",
    )
    lines = [f"| {' | '.join(titles)} |", "| --- " * len(titles) + "|"]
    for name, runs in found.items():
        for metric in dict.fromkeys(one.metric for one in runs):
            chosen = [one for one in runs if one.metric == metric]
            hold = np.concatenate([one.covered for one in chosen]).mean()
            cells = (name, metric, *row(chosen, IN_LOOKS), f"{hold:.1%}")
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def population_lines(found: Mapping[str, list[Judged]]) -> list[str]:
    """Say how many pairs there were."""
    lines = []
    for name, runs in found.items():
        count = sum(len(one.quartile) for one in runs)
        distinct = len({(one.metric, frozenset(pair)) for one in runs for pair in one.pairs})
        metrics = {one.metric for one in runs}
        lines.append(
            f"- {name}: {count:,} comparisons in {len(metrics)} metrics; "
            f"splits: {len(runs) // len(metrics)}; different comparisons: {distinct:,}"
        )
    return lines


def report(found: Mapping[str, list[Judged]], options: argparse.Namespace) -> str:
    """Return the page."""
    versions = ", ".join(f"{name} {version}" for name, version in library_versions().items())
    which = "development" if options.splits == "dev" else "reporting"
    lines = [
        "# Comparing two models: is the sign right?",
        "",
        f"Made by `python scripts/evidence/benchmark_comparisons.py {arguments()}` "
        f"({versions}; {platform.machine()}), on the {which} splits.",
        "",
        *population_lines(found),
        "",
        "Pairs of held-out variants; subset (`pooled`, nested 10, 20, 50) and calibrations come "
        "from the other half alone. Of the *tuning series*, the checkpoints of one training, "
        "they come from the miniature's population. First all pairs, in brackets by quartile of "
        "the true difference within a split and metric, the closest pairs first. Decided: at "
        f"nominal 5%, two-sided. *In looks* stops at the first of {', '.join(map(str, LOOKS))} "
        "prompts that decides, the 5% shared out over them; *at once* takes 50. *Plain t* is "
        f"repeated, on the same prompts. *Random*: {DRAWS} draws a split, a plain paired t test.",
        "",
        *rule_table(found),
        "",
        "The looks by metric. The intervals of the three looks, each at its share of the error, "
        "should all hold the true difference for 95% of the pairs at least:",
        "",
        *metric_table(found),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of the official scores, if you have it")
    parser.add_argument("--out", type=Path, help="Markdown file to write (default: the terminal)")
    parser.add_argument("--units", type=Path, default=Path("flasheval-runs/benchmark-comparisons"))
    parser.add_argument("--splits", choices=("report", "dev"), default="report")
    parser.add_argument("--seeds", type=int, default=10, help="random halves a population")
    parser.add_argument("--metrics", nargs="+", help="default: all")
    parser.add_argument("--prompt-sets", nargs="+", default=PROMPT_SETS, choices=PROMPT_SETS)
    options = parser.parse_args()
    begun = time.perf_counter()
    text = report(measure_all(options), options)
    if options.out is None:
        print(text)
    else:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(options.out) as temporary:
            temporary.write_text(text, "utf-8")
    print(f"{time.perf_counter() - begun:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
