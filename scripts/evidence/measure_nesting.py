"""Choose how the published subsets are made: which method, and whether sizes may be nested.

Nested sizes (each a prefix of one list) are handier: one list serves every budget, and the scores
of its first ten prompts are not lost when fifty are wanted. This measures what they cost: held-out
tau-b of every size searched by itself and as a prefix, paired by split, on development splits only
(random halves with seeds from 0, the even pairs of base models).

The official data is not part of this repository. Finished searches are kept, so that the same
command continues after an interruption.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from official_data import arguments

from flasheval.base.drawing.markdown import markdown_table
from flasheval.base.files import atomic_write
from flasheval.scores import ScoreTable
from flasheval.selection.held_out.finished_searches import FinishedSearches
from flasheval.selection.held_out.judge import Judge
from flasheval.selection.held_out.one_search import search_part
from flasheval.selection.held_out.splits import Split
from flasheval.selection.methods.registry import make_selector
from flasheval.selection.request import hints_for, make_request

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "release")]

from publishing.families import (  # noqa: E402
    POPULATIONS,
    SHARED,
    SIZES,
    Family,
    families,
    load_population,
    split_kinds,
)

METHODS: dict[str, tuple[str, dict[str, int]]] = {
    **{name: (name, {}) for name in ("pooled", "balanced", "anneal", "shared")},
    **{f"padded, core {core}": ("padded", {"core": core}) for core in (20, 50, 100, 200)},
}
EXPLAINED = (
    "Held-out tau-b, mean over the metrics served and the splits. In brackets what nesting gains "
    "or costs: nested less searched alone, paired by split, with the 90% bootstrap interval. "
    "Chosen for the published subsets: the method with the highest mean of both kinds of splits, "
    "nested if that costs it nothing beyond the interval."
)


@dataclass(frozen=True)
class Result:
    """Held-out tau-b of one method, float64 [splits, sizes], alone and nested."""

    family: Family
    kind: str
    method: str
    alone: NDArray[np.float64]
    nested: NDArray[np.float64]


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the official data")
    parser.add_argument("--units", type=Path, required=True, help="folder of finished searches")
    parser.add_argument("--out", type=Path, required=True, help="Markdown file to write")
    parser.add_argument("--populations", nargs="+", default=POPULATIONS, choices=POPULATIONS)
    parser.add_argument("--quick", action="store_true", help="two splits of a kind, two sizes")
    options = parser.parse_args(argv)
    with ProcessPoolExecutor(2) as pool:
        jobs = [
            pool.submit(_population, name, options.data, options.units, options.quick)
            for name in options.populations
        ]
        results = [result for job in jobs for result in job.result()]
    sizes = SIZES[:2] if options.quick else SIZES
    with atomic_write(options.out) as temporary:
        temporary.write_text(_page(results, sizes), "utf-8")


def _population(name: str, data: Path, units: Path, quick: bool) -> list[Result]:
    table = load_population(name, data)
    sizes = SIZES[:2] if quick else SIZES
    results = []
    for family in families(name, table):
        for kind, splits in split_kinds(name, table, data, development=True).items():
            parts = splits[:2] if quick else splits
            for method in METHODS:
                if method == "shared" and family.serves != SHARED:
                    continue
                print(f"{family}, {kind}: {method}", file=sys.stderr, flush=True)
                taus = (
                    _taus(table, family, method, parts, groups, units)
                    for groups in ([(size,) for size in sizes], [sizes])
                )
                results.append(Result(family, kind, method, *taus))
    return results


def _taus(
    table: ScoreTable,
    family: Family,
    method: str,
    splits: Sequence[Split],
    groups: Sequence[tuple[int, ...]],
    folder: Path,
) -> NDArray[np.float64]:
    """Held-out tau-b averaged over the metrics, float64 [splits, sizes]; sizes of a group nest."""
    served = table.with_metrics(family.metrics)
    judges = [Judge(served[metric]) for metric in served.metrics]
    rows = []
    for split in splits:
        row = []
        for sizes in groups:
            nested = sizes if len(sizes) > 1 else None
            selector = make_selector(*METHODS[method])
            hints = hints_for(table, served)
            request = make_request(served, selector, sizes[-1], nested, hints=hints)
            finished = FinishedSearches(folder, request.context()).ready()
            outcome = search_part(request, split.search, finished)
            for size in sizes:
                part = outcome.selection.first(size)
                row.append(np.mean([judge(split, part).held_out_tau for judge in judges]))
        rows.append(row)
    return np.array(rows)


def _page(results: Sequence[Result], sizes: Sequence[int]) -> str:
    lines = ["# Nested or not, and by which method", ""]
    lines += [
        f"Made by `python scripts/evidence/measure_nesting.py {arguments()}`.",
        "",
        EXPLAINED,
        "",
    ]
    lines += [*_summary(results, sizes), ""]
    for kind in dict.fromkeys(result.kind for result in results):
        lines += [f"## {kind[0].upper()}{kind[1:]}", ""]
        rows = [
            (str(result.family), result.method, *_cells(result.alone, result.nested))
            for result in results
            if result.kind == kind
        ]
        titles = ("family", "method", *(f"N={size}" for size in sizes), "mean")
        lines += [*markdown_table(titles, rows), ""]
    return "\n".join(lines)


def _summary(results: Sequence[Result], sizes: Sequence[int]) -> list[str]:
    """Return a table of the methods, averaged over families and sizes."""
    titles = ("serves", "method", *dict.fromkeys(_short(result.kind) for result in results))
    rows = []
    for serves in ("one metric", SHARED):
        chosen = [one for one in results if (one.family.serves == SHARED) == (serves == SHARED)]
        for method in dict.fromkeys(one.method for one in chosen):
            cells = [
                _cells(*_averaged([one for one in chosen if (one.method, one.kind) == key]))[-1]
                for key in dict.fromkeys((method, one.kind) for one in chosen)
            ]
            means = [float(cell.split()[0]) for cell in cells]
            rows.append((serves, method, *cells, f"{np.mean(means):.3f}"))
    about = f"Averaged over populations, metrics and the sizes {', '.join(map(str, sizes))}:"
    return [about, "", *markdown_table((*titles, "mean of both"), rows)]


def _short(kind: str) -> str:
    return kind.partition(",")[0]


def _averaged(results: Sequence[Result]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Average families of one population, which share splits; stack the populations' splits."""
    by_population: dict[str, list[Result]] = {}
    for one in results:
        by_population.setdefault(one.family.population, []).append(one)
    parts = [
        (
            np.mean([one.alone for one in same], axis=0),
            np.mean([one.nested for one in same], axis=0),
        )
        for same in by_population.values()
    ]
    alone, nested = (np.concatenate(side) for side in zip(*parts, strict=True))
    return alone, nested


def _cells(alone: NDArray[np.float64], nested: NDArray[np.float64]) -> list[str]:
    both = [np.column_stack([taus, taus.mean(axis=1)]) for taus in (alone, nested)]
    gains = both[1] - both[0]
    picks = np.random.default_rng(0).integers(0, len(gains), (2000, len(gains)))
    low, high = np.quantile(gains[picks].mean(axis=1), [0.05, 0.95], axis=0)
    numbers = zip(both[1].mean(axis=0), gains.mean(axis=0), low, high, strict=True)
    return [f"{tau:.3f} ({gain:+.3f}, {a:+.3f} to {b:+.3f})" for tau, gain, a, b in numbers]


if __name__ == "__main__":
    main()
