"""Measure whether calibrated subsets keep their word, on variants the search never saw.

Each split's search variants are searched and cross-fitted, as `flasheval.search` does it, and the
calibration then judges variants held out of all of it. Three tables, as Markdown, each for random
halves, one base model left out and two left out, for several methods and sizes:

- full scores: the error of the predicted full score, before and after the calibration, and how
  often a nominal 90% interval covers the true one, at what width;
- differences of two held-out variants: how often the interval covers; among the pairs decided at
  nominal 5%, the share of wrong signs in every quartile of the true difference, with the share of
  pairs decided;
- places: how often a held-out variant is put on the right side of a known one.

The data is not part of this repository. Finished searches are kept, so that the same command
continues after an interruption.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from official_data import PROMPT_SETS, arguments, load_tables

from flasheval.base.canonical import sha256_of
from flasheval.base.files import atomic_write
from flasheval.base.versions import library_versions
from flasheval.scores import ScoreTable
from flasheval.selection.calibration.cross_fit import cross_fit
from flasheval.selection.calibration.fit import fit_calibration
from flasheval.selection.calibration.folds import Expect, make_folds
from flasheval.selection.held_out.finished_searches import FinishedSearches
from flasheval.selection.held_out.splits import Split, make_splits
from flasheval.selection.methods.registry import make_selector, selector_settings
from flasheval.selection.methods.selector import Selection
from flasheval.selection.request import hints_for, make_request
from flasheval.subset.calibration import Calibration
from flasheval.subset.paired import paired_errors

METHODS = ("random", "frequency", "balanced", "shared", "pooled")
JOINT = ("shared",)
GROUP = "base_model"
HALVES, ONE_OUT, TWO_OUT = "random halves", "one base model out", "two base models out"


@dataclass(frozen=True)
class Judged:
    """What one calibration said of one metric's held-out variants, and what was true.

    Errors and widths are in standard deviations of the held-out variants' full scores.

    Attributes:
        line_error: Mean absolute error of the line fitted to the search variants.
        error: Mean absolute error of the predicted full score.
        covered: bool [held out].
        width: Mean width of the interval.
        warned: bool [held out], said to be outside the calibrated range.
        pairs: float64 [pairs, 5]: true difference, certainty of the predicted sign, whether that
            sign is right, whether the interval covers, plain |t| on the subset scores.
        pairs_from_means: float64 [pairs, 3]: certainty, right, covers, where only means are known.
        places: float64 [held out x known, 2]: certainty of the side, whether it is right.

    """

    line_error: float
    error: float
    covered: NDArray[np.bool_]
    width: float
    warned: NDArray[np.bool_]
    pairs: NDArray[np.float64]
    pairs_from_means: NDArray[np.float64]
    places: NDArray[np.float64]


def splits_of(kind: str, table: ScoreTable, development: bool, quick: bool) -> tuple[Split, ...]:
    """Return one kind's development or reporting splits."""
    if kind == HALVES:
        count = 1 if quick else 20 if development else 30
        return make_splits(f"random:{count}@{0 if development else 1000}", table)
    if kind == ONE_OUT:
        return make_splits(f"group:{GROUP}", table)[: 1 if quick else None]
    pairs = make_splits(f"group:{GROUP}:2", table)[0 if development else 1 :: 2]
    return pairs[: 1 if quick else None]


def calibrated(
    table: ScoreTable,
    split: Split,
    metrics: Sequence[str],
    method: str,
    size: int,
    expect: Expect,
    folder: Path,
) -> tuple[Selection, Calibration]:
    """Search and calibrate on a split's search variants alone."""
    selector: Any = make_selector(method)
    seen = table.with_variants(split.search)
    served = seen.with_metrics(metrics)
    seed = int(np.sum(split.search**2))  # another draw on every split, the same on every run
    hints = hints_for(seen, served) if selector.borrows else None
    request = make_request(served, selector, size, seed=seed, hints=hints)
    context = [table.content_hash, list(metrics), method, selector_settings(selector)]
    context += [] if hints is None else [hints.fingerprint()]
    units = FinishedSearches(
        folder, sha256_of([*context, split.search.tolist()], digits=17)
    ).ready()
    everyone = Split("all", np.arange(len(seen)), np.arange(0))
    folds = make_folds(seen, expect, GROUP, seed=0)
    found = cross_fit(request, (everyone, *folds), units)
    if found is None:
        sys.exit("interrupted; the same command continues")
    matrices = list(seen.matrices.values())
    calibration = fit_calibration(matrices, found[0], folds, found[1:], expect=expect, group=GROUP)
    if calibration is None:
        raise RuntimeError("the official scores differ between variants, so there is always one")
    return found[0], calibration


def judge(
    table: ScoreTable, split: Split, metric: str, selection: Selection, calibration: Calibration
) -> Judged:
    """Hold a calibration to the variants that neither search nor calibration saw."""
    chosen = {name: table[name].values[:, selection.indices] for name in table.metrics}
    means = [
        {
            name: float(np.average(scores[row].astype(np.float64), weights=selection.weights))
            for name, scores in chosen.items()
        }
        for row in range(len(table))
    ]
    errors = paired_errors(chosen[metric], selection.weights)
    full = table[metric].full_means
    out = split.held_out.tolist()
    spread = float(full[split.held_out].std())
    part = calibration.metrics[metric]
    known = {metric: {str(row): float(full[row]) for row in split.search}}
    predictions = [calibration.predict(means[row])[metric] for row in out]
    line = [part.full_mean + part.full_sd * part.standardised(means[row][metric]) for row in out]
    groups = table.factor(GROUP)
    pairs, from_means, places = [], [], []
    for first, second in combinations(out, 2):
        truth = full[first] - full[second]
        both = (means[first], means[second])
        related = groups[first] == groups[second]
        paired = {metric: float(errors[first, second])}
        found = calibration.difference(*both, paired, related=related)[metric]
        plain = abs(both[0][metric] - both[1][metric]) / max(errors[first, second], 1e-300)
        right, covers = found.value * truth > 0, found.low <= truth <= found.high
        pairs.append((truth, found.certainty, right, covers, plain))
        found = calibration.difference(*both, related=related)[metric]
        from_means.append((found.certainty, right, found.low <= truth <= found.high))
    for row in out:
        placed = calibration.place(means[row], known)[metric]
        for other in placed.neighbours:
            certainty = max(other.probability, 1 - other.probability)
            better = (full[row] > other.full_mean) == part.higher_is_better
            places.append((certainty, (other.probability > 0.5) == better))
    truths = full[split.held_out]
    return Judged(
        float(np.mean(np.abs(line - truths)) / spread),
        float(np.mean([abs(p.value - y) for p, y in zip(predictions, truths, strict=True)]))
        / spread,
        np.array([p.low <= y <= p.high for p, y in zip(predictions, truths, strict=True)]),
        float(np.mean([p.high - p.low for p in predictions])) / spread,
        np.array([bool(p.warning) for p in predictions]),
        np.array(pairs, dtype=np.float64),
        np.array(from_means, dtype=np.float64),
        np.array(places, dtype=np.float64),
    )


Key = tuple[str, str, int, str, str]
"""Kind, prompt set, size, method, what was expected."""


def measure_all(options: argparse.Namespace) -> dict[Key, list[list[Judged]]]:
    """Judge every calibration: by key one list a metric, with one entry a split."""
    found: dict[Key, list[list[Judged]]] = {}
    for prompt_set, whole in load_tables(options.data, options.prompt_sets).items():
        table = whole.with_metrics(options.metrics) if options.metrics else whole
        for kind in (HALVES, ONE_OUT, TWO_OUT):
            splits = splits_of(kind, table, options.splits == "dev", options.quick)
            expects: tuple[Expect, ...] = (
                ("similar",) if kind == HALVES else ("new_family", "similar")
            )
            for size in options.sizes:
                for method in options.methods:
                    for expect in expects:
                        key = (kind, prompt_set, size, method, expect)
                        found[key] = _by_metric(table, splits, method, size, expect, options.units)
                        print(*key, _full_row(found[key]), file=sys.stderr, flush=True)
    return found


def _by_metric(
    table: ScoreTable,
    splits: Sequence[Split],
    method: str,
    size: int,
    expect: Expect,
    folder: Path,
) -> list[list[Judged]]:
    served = [table.metrics] if method in JOINT else [(metric,) for metric in table.metrics]
    judged: dict[str, list[Judged]] = {metric: [] for metric in table.metrics}
    for metrics in served:
        for split in splits:
            chosen = calibrated(table, split, metrics, method, size, expect, folder)
            for metric in metrics:
                judged[metric].append(judge(table, split, metric, *chosen))
    return list(judged.values())


def _flat(runs: list[list[Judged]]) -> Iterator[Judged]:
    return (one for of_metric in runs for one in of_metric)


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def _covered(runs: list[list[Judged]]) -> str:
    """Coverage: the mean over metrics, and the least and greatest of them."""
    by_metric = [_mean(one.covered.mean() for one in of_metric) for of_metric in runs]
    return f"{np.mean(by_metric):.0%} ({min(by_metric):.0%} to {max(by_metric):.0%})"


def _full_row(runs: list[list[Judged]]) -> str:
    warned = np.concatenate([one.warned for one in _flat(runs)])
    covered = np.concatenate([one.covered for one in _flat(runs)])
    outside = f"{warned.mean():.0%}" + (f" ({covered[warned].mean():.0%})" if warned.any() else "")
    return (
        f"{_mean(one.line_error for one in _flat(runs)):.2f} | "
        f"{_mean(one.error for one in _flat(runs)):.2f} | {_covered(runs)} | "
        f"{_mean(one.width for one in _flat(runs)):.2f} | {outside}"
    )


def full_table(found: dict[Key, list[list[Judged]]]) -> list[str]:
    """Lay out errors and coverage of predicted full scores."""
    lines = [
        "| splits | prompt set | N | method | line alone | error | 90% interval covers | width "
        "| outside the range (covered) | covers, expecting similar |",
        "| --- " * 10 + "|",
    ]
    for key, runs in found.items():
        kind, prompt_set, size, method, expect = key
        if kind != HALVES and expect == "similar":
            continue
        other = found.get((kind, prompt_set, size, method, "similar")) if kind != HALVES else None
        lines.append(
            f"| {kind} | {prompt_set} | {size} | {method} | {_full_row(runs)} | "
            f"{'' if other is None else _covered(other)} |"
        )
    return lines


def difference_table(found: dict[Key, list[list[Judged]]]) -> list[str]:
    """Lay out coverage and wrong signs by quartile of the true difference."""
    lines = [
        "| splits | prompt set | N | method | covers | at 5%: decided | wrong | wrong of all "
        "| at 1%: decided | wrong | from means: covers | at 5%: decided | wrong "
        "| plain t > 2: decided | wrong |",
        "| --- " * 15 + "|",
    ]
    for (kind, prompt_set, size, method, expect), runs in found.items():
        if kind != HALVES and expect == "similar":
            continue
        quartile = np.concatenate([_quartiles(one.pairs[:, 0]) for one in _flat(runs)])
        pairs = np.concatenate([one.pairs for one in _flat(runs)])
        means = np.concatenate([one.pairs_from_means for one in _flat(runs)])
        at_5 = _by_quartile(quartile, pairs[:, 1] >= 0.975, pairs[:, 2])
        at_1 = _by_quartile(quartile, pairs[:, 1] >= 0.995, pairs[:, 2])
        less = _by_quartile(quartile, means[:, 0] >= 0.975, means[:, 1])
        plain = _by_quartile(quartile, pairs[:, 4] > 2, pairs[:, 2])
        cells = (
            *(kind, prompt_set, size, method),
            *(f"{pairs[:, 3].mean():.0%}", *at_5, at_1[0], at_1[1]),
            *(f"{means[:, 2].mean():.0%}", less[0], less[1], plain[0], plain[1]),
        )
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return lines


def _quartiles(differences: NDArray[np.float64]) -> NDArray[np.int64]:
    """Quartile of each pair's true difference within its split: 0 for the closest."""
    size = np.abs(differences)
    return np.searchsorted(np.quantile(size, [0.25, 0.5, 0.75]), size)


def _by_quartile(
    quartile: NDArray[np.int64], decided: NDArray[np.bool_], right: NDArray[np.float64]
) -> tuple[str, str, str]:
    """Shares by quartile: decided; wrong among the decided; decided and wrong among all."""
    shares, wrong, of_all = [], [], []
    for number in range(4):
        here = quartile == number
        chosen = here & decided
        false = 1 - right[chosen]
        shares.append(f"{chosen.sum() / here.sum():.0%}")
        wrong.append(f"{false.mean():.1%}" if len(false) else "-")
        of_all.append(f"{false.sum() / here.sum():.1%}")
    return " ".join(shares), " ".join(wrong), " ".join(of_all)


def place_table(found: dict[Key, list[list[Judged]]]) -> list[str]:
    """Lay out how often a held-out variant is put on the right side of a known one."""
    lines = [
        "| splits | prompt set | N | method | right side | said on average | certain (97.5%) "
        "| wrong among these |",
        "| --- " * 8 + "|",
    ]
    for (kind, prompt_set, size, method, expect), runs in found.items():
        if kind != HALVES and expect == "similar":
            continue
        places = np.concatenate([one.places for one in _flat(runs)])
        sure = places[:, 0] >= 0.975
        wrong = f"{1 - places[sure, 1].mean():.1%}" if sure.any() else "-"
        lines.append(
            f"| {kind} | {prompt_set} | {size} | {method} | {places[:, 1].mean():.1%} "
            f"| {places[:, 0].mean():.1%} | {sure.mean():.0%} | {wrong} |"
        )
    return lines


def report(found: dict[Key, list[list[Judged]]], options: argparse.Namespace) -> str:
    """Return the page."""
    versions = ", ".join(f"{name} {version}" for name, version in library_versions().items())
    which = "development" if options.splits == "dev" else "reporting"
    lines = [
        "# Calibration: do the intervals hold?",
        "",
        f"Made by `python scripts/evidence/benchmark_calibration.py {arguments()}` "
        f"({versions}; {platform.machine()}), on the {which} splits.",
        "",
        "Every number is of variants that neither the search nor its calibration saw, averaged "
        "over metrics and splits. Base models left out are predicted with `expect=new_family`.",
        "",
        "## Full scores",
        "",
        "In standard deviations of the held-out variants' full scores: mean absolute error of the "
        "line through the search variants alone, of the calibrated prediction, and the mean width "
        "of the interval. Coverage: mean over metrics (lowest to highest metric). Outside the "
        "range: share of variants predicted with a warning, and how many of their intervals "
        "cover.",
        "",
        *full_table(found),
        "",
        "## Differences",
        "",
        "All pairs of held-out variants, scored prompt by prompt; *from means* without the paired "
        "standard errors. Four numbers: by quartile of the true difference within a split, the "
        "closest pairs first. Decided: the share of pairs whose predicted sign is certain to 97.5% "
        "(a two-sided test at 5%) or to 99.5%; wrong: the share of wrong signs among those, *of "
        "all* among all pairs. In the closest quartile the truth is often so near 0 that whatever "
        "is decided there is close to a coin toss: mind how little is.",
        "",
        *difference_table(found),
        "",
        "## Places",
        "",
        "Each held-out variant against each search variant, whose full score is known.",
        "",
        *place_table(found),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the official scores")
    parser.add_argument("--out", type=Path, help="Markdown file to write (default: the terminal)")
    parser.add_argument("--units", type=Path, default=Path("flasheval-runs/benchmark-calibration"))
    parser.add_argument("--splits", choices=("report", "dev"), default="report")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 50])
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    parser.add_argument("--metrics", nargs="+", help="default: all")
    parser.add_argument("--prompt-sets", nargs="+", default=PROMPT_SETS, choices=PROMPT_SETS)
    parser.add_argument("--quick", action="store_true", help="one split of each kind")
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
