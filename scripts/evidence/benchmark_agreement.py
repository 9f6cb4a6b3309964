"""Measure every search method on the official scores, on variants no search has seen.

Six kinds of splits: random halves, 12 search variants, a solver out, quantised variants out, one
base model out, two base models out. For each, every method beside random prompts of the same size
and paired with `frequency`, FlashEval's own search. Written as Markdown, the answer first.

The splits are parted in two: methods and settings were chosen on `--splits development`, and are
reported on the others. One base model out, a solver out and quantised out are too few to part, and
were looked at in development.

The data is not part of this repository. Finished searches are kept, so that the same command
continues after an interruption.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from official_data import PROMPT_SETS, arguments, load_tables

from flasheval import validate
from flasheval.base.drawing.markdown import markdown_table
from flasheval.base.versions import library_versions
from flasheval.scores import ScoreTable
from flasheval.selection.held_out.records import Gain, Summary
from flasheval.selection.held_out.report import ValidationReport
from flasheval.selection.held_out.splits import Split, make_splits
from flasheval.selection.held_out.table import spread_text

METHODS = ("ridge", "frequency", "anneal", "balanced", "shared", "pooled")
SIZES = (10, 50)
HALVES, FEW, PAIRS = "random halves", "12 search variants", "two base models out"
TITLES = (
    *("N", "method", "held-out tau-b", "over random", "over frequency", "as good as random"),
    *("on significant pairs", "full-score error", "seconds"),
)
TARGETS = {  # equivalent random size wanted, by kind and size
    (HALVES, 50): 500,
    (HALVES, 10): 150,
    (PAIRS, 50): 300,
}
EXPLAINED = (
    "Held-out tau-b is averaged over metrics (COCO: ImageReward, Aesthetic, CLIP; DiffusionDB: "
    "these and HPS) and splits. `shared` searches one subset for all metrics, the others one a "
    "metric. Round brackets: 5-95% of the splits, and 90% bootstrap intervals over splits, which "
    "share variants and so are not independent; square brackets, where there are fewer than 8 "
    "splits or groups: the least and the greatest split. Full-score error: the mean absolute error "
    "of the straight-line prediction, in standard deviations of the held-out full scores. `auto` "
    "chooses by inner cross-validation, and is told to expect a new family where base models are "
    "held out. Seconds: median wall time of one search, several at a time."
)


@dataclass(frozen=True)
class Effort:
    """How much is measured: numbers of splits, and the first seed of those drawn.

    `most` bounds the splits of a kind that holds groups out.
    """

    halves: int
    few: int
    first_seed: int
    pairs: int
    most: int | None = None

    def similar(self, table: ScoreTable) -> Mapping[str, Sequence[Split]]:
        """Hold out variants of families that the search has seen."""
        return {
            HALVES: make_splits(f"random:{self.halves}@{self.first_seed}", table),
            FEW: make_splits(f"sample:12x{self.few}@{self.first_seed}", table),
            "a solver out": make_splits("group:scheduler", table)[: self.most],
            "quantised out": make_splits("value:precision=_6,_8", table),
        }

    def families(self, table: ScoreTable) -> Mapping[str, Sequence[Split]]:
        """Hold out whole base models; of the pairs every second one."""
        return {
            "one base model out": make_splits("group:base_model", table)[: self.most],
            PAIRS: make_splits("group:base_model:2", table)[self.pairs :: 2][: self.most],
        }


EFFORTS = {
    "reporting": Effort(halves=30, few=20, first_seed=1000, pairs=1),
    "development": Effort(halves=20, few=20, first_seed=0, pairs=0),
    "quick": Effort(halves=2, few=2, first_seed=0, pairs=0, most=2),
}


def compare(
    table: ScoreTable, effort: Effort, methods: Sequence[str], options: argparse.Namespace
) -> list[ValidationReport]:
    """Compare the methods on splits of similar variants, and on those of new families."""
    found = []
    for expect, splits in (
        ("similar", effort.similar(table)),
        ("new_family", effort.families(table)),
    ):
        wanted = {name: parts for name, parts in splits.items() if name in options.kinds}
        if not wanted:
            continue
        entries: list[object] = list(methods)
        if "auto" in options.methods:
            entries.append({"name": "auto", "expect": expect})
        report = validate(
            table,
            size=options.sizes,
            methods=entries,
            splits=wanted,
            metric=options.metrics,
            folder=options.units,
            workers=options.workers,
            progress=True,
        )
        if report.interrupted:
            sys.exit("interrupted; the same command continues")
        found.append(report)
    return found


def table_of(report: ValidationReport, kind: str) -> list[str]:
    """Lay out one kind of splits, all methods and sizes, mean over metrics."""
    rows = [
        _row(report.summary(kind, method.label, size))
        for size in report.sizes
        for method in report.methods
    ]
    return markdown_table(TITLES, rows)


def _row(one: Summary) -> tuple[str, ...]:
    size = one.equivalent_random_size
    means = [one.measures.get(name) for name in ("held_out_tau_significant", "full_score_error")]
    return (
        str(one.size),
        one.method.partition("(")[0],
        spread_text(one.held_out_tau),
        gain_text(one.over_random),
        gain_text(one.over_reference),
        "" if size is None else str(size),
        *("-" if spread is None else f"{spread.mean:.3f}" for spread in means),
        f"{one.seconds:.2f}" if one.seconds else "",
    )


def gain_text(gain: Gain | None) -> str:
    """Write a paired gain to three digits, for intervals that end near 0."""
    if gain is None:
        return ""
    if gain.low is not None and gain.high is not None:
        return f"{gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})"
    low, high = gain.range
    return f"{gain.mean:+.3f} [{low:+.3f} to {high:+.3f}]"


def by_metric(report: ValidationReport, kind: str, method: str) -> list[str]:
    """Lay out one method's gain over random, metric by metric, to see which one loses."""
    rows = [
        (
            str(size),
            metric,
            spread_text(report.summary(kind, method, size, metric).held_out_tau),
            spread_text(report.summary(kind, "random", size, metric).held_out_tau),
            gain_text(report.summary(kind, method, size, metric).over_random),
        )
        for size in report.sizes
        for metric in report.metrics
    ]
    return markdown_table(("N", "metric", method.partition("(")[0], "random", "gain"), rows)


def targets(reports: Mapping[str, list[ValidationReport]]) -> list[str]:
    """Set `auto` beside the targets: as good as how many random prompts it is."""
    rows = []
    for (kind, size), wanted in TARGETS.items():
        row = [kind, str(size), str(wanted)]
        for found in reports.values():
            row += [_reached(report, kind, size) for report in found if _has(report, kind)]
        rows.append(tuple(row))
    return markdown_table(("splits", "N", "wanted", *reports), rows)


def _has(report: ValidationReport, kind: str) -> bool:
    return any(one.name == kind for one in report.kinds)


def _reached(report: ValidationReport, kind: str, size: int) -> str:
    label = next((one.label for one in report.methods if one.name == "auto"), None)
    if label is None or size not in report.sizes:
        return "-"
    one = report.summary(kind, label, size)
    return f"{one.equivalent_random_size}; over frequency {gain_text(one.over_reference)}"


def page(reports: Mapping[str, list[ValidationReport]], options: argparse.Namespace) -> list[str]:
    """Lay out everything."""
    lines = ["## `auto` beside the targets", ""]
    lines += ["Equivalent random size, and the paired gain over `frequency` in tau-b.", ""]
    lines += [*targets(reports), "", EXPLAINED, ""]
    for prompt_set, found in reports.items():
        for report in found:
            about = f"{report.n_variants} variants, {report.n_prompts:,} prompts"
            for kind in report.kinds:
                count = f"{len(kind.splits)} split{'' if len(kind.splits) == 1 else 's'}"
                lines += [f"## {prompt_set}, {kind.name} ({about}, {count})", ""]
                lines += [*table_of(report, kind.name), ""]
                if kind.name == FEW and "auto" in options.methods:
                    label = next(one.label for one in report.methods if one.name == "auto")
                    lines += [*by_metric(report, kind.name, label), ""]
    return lines


def main() -> None:
    """Measure and write the report."""
    options = _options()
    begun = time.perf_counter()
    effort = EFFORTS["quick" if options.quick else options.splits]
    methods = [name for name in options.methods if name != "auto"]
    tables = load_tables(options.data, options.prompt_sets)
    reports = {name: compare(table, effort, methods, options) for name, table in tables.items()}
    versions = ", ".join(f"{name} {version}" for name, version in library_versions().items())
    lines = [
        "# Held-out agreement of the search methods",
        "",
        f"Made by `python scripts/evidence/benchmark_agreement.py {arguments()}` "
        f"({versions}; {platform.machine()}), on the {'quick' if options.quick else options.splits}"
        " splits.",
        "",
        *page(reports, options),
    ]
    text = "\n".join(lines).rstrip("\n") + "\n"
    if options.out is None:
        print(text)
    else:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text, "utf-8")
    print(f"{time.perf_counter() - begun:.0f} s", file=sys.stderr)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    every = [HALVES, FEW, "a solver out", "quantised out", "one base model out", PAIRS]
    parser.add_argument("--data", type=Path, required=True, help="folder of the official scores")
    parser.add_argument("--out", type=Path, help="Markdown file to write (default: the terminal)")
    parser.add_argument("--units", type=Path, default=Path("flasheval-runs/benchmark-agreement"))
    parser.add_argument("--splits", default="reporting", choices=("reporting", "development"))
    parser.add_argument("--sizes", type=int, nargs="+", help="default: 10 50; with --quick 50")
    parser.add_argument("--methods", nargs="+", default=[*METHODS, "auto"])
    parser.add_argument("--kinds", nargs="+", default=every, choices=every)
    parser.add_argument("--metrics", nargs="+", help="default: all")
    parser.add_argument("--prompt-sets", nargs="+", default=list(PROMPT_SETS), choices=PROMPT_SETS)
    parser.add_argument("--workers", type=int, help="searches at a time (default: one a core)")
    parser.add_argument("--quick", action="store_true", help="two splits of each kind, N=50")
    options = parser.parse_args()
    options.sizes = options.sizes or (SIZES[-1:] if options.quick else SIZES)
    if "frequency" not in options.methods:
        parser.error("--methods needs frequency, which the others are paired with")
    return options


if __name__ == "__main__":
    main()
