"""Measure every search method on the official score matrices, on variants it never saw.

Two tables, as Markdown:

- the official split, `frequency` with 300,000 sets and five seeds, beside the published code's
  own search re-run on the same scores (three seeds);
- random halves, every method: held-out Kendall tau-b averaged over metrics and splits, the
  equivalent random size, and the gain over `frequency` on the same splits, paired.

The data is not part of this repository. Finished searches are kept, so that the same command
continues after an interruption.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flasheval.importers import import_scores
from flasheval.importers.official_names import OFFICIAL_VARIANTS
from flasheval.ranking import bootstrap_interval
from flasheval.scores import ScoreTable, load_scores
from flasheval.selectors.registry import METHODS, make_selector, selector_settings
from flasheval.storage.canonical import sha256_of
from flasheval.subset.evidence import library_versions
from flasheval.validation.equivalent import equivalent_size_with_interval
from flasheval.validation.measure import Measurement, RandomAgreement, measure, random_agreement
from flasheval.validation.splits import Split, make_splits
from flasheval.validation.units import UnitStore

# Search tau / held-out tau of the published code (github.com/thu-nics/FlashEval), re-run with
# 300,000 sets an iteration, means of three seeds; sizes 10, 50, 100.
REFERENCE = {
    ("DiffusionDB", "ImageReward"): ((0.933, 0.773), (0.972, 0.810), (0.978, 0.866)),
    ("DiffusionDB", "CLIP"): ((0.947, 0.786), (0.978, 0.824), (0.981, 0.827)),
    ("COCO", "ImageReward"): ((0.957, 0.766), (0.978, 0.860), (0.981, 0.874)),
    ("COCO", "CLIP"): ((0.967, 0.758), (0.983, 0.819), (0.986, 0.874)),
}
OFFICIAL_SIZES = (10, 50, 100)
JOINT = ("shared",)
HALVES_NOTE = (
    "Held-out tau-b is averaged over metrics (COCO: ImageReward, Aesthetic, CLIP; DiffusionDB: "
    "these and HPS) and splits; `shared` finds one subset for all metrics, the others one a "
    "metric. Brackets: 90% bootstrap over splits, which share variants and so are not independent."
)


def load_tables(data: Path) -> dict[str, ScoreTable]:
    """Read the two official tables, complete variants only."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(data / "flasheval-diffusiondb.tar.xz") as archive:
            archive.extractall(folder, filter="data")
        diffusiondb = import_scores("flasheval-official", folder).table
    files = {
        metric: data / f"coco-{metric.lower()}.npz"
        for metric in ("ImageReward", "Aesthetic", "CLIP")
    }
    coco = load_scores(files, prompts=data / "coco-prompts.jsonl.xz")
    return {"COCO": coco.complete()[0], "DiffusionDB": diffusiondb.complete()[0]}


def official_split(table: ScoreTable, data: Path) -> Split:
    """Make the authors' split, of the variants that are complete here."""
    positions = json.loads((data / "official-train-ids.json").read_text("utf-8"))
    names = {OFFICIAL_VARIANTS[position] for position in positions}
    seen = [row for row, name in enumerate(table.variant_names) if name in names]
    return make_splits({"name": "official", "search": seen}, table)[0]


class Bench:
    """Runs `measure` with every finished search kept in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(
        self,
        table: ScoreTable,
        method: str,
        sizes: Sequence[int],
        splits: Sequence[Split],
        random: RandomAgreement,
        *,
        seed: int = 0,
        **settings: object,
    ) -> Measurement:
        """Measure one method; `random` is shared by all methods on the same splits."""
        selector = make_selector(method, settings)
        context = sha256_of(
            [table.content_hash, method, selector_settings(selector), seed], digits=17
        )
        units = UnitStore(self.folder, context)
        found = measure(table, selector, sizes, splits, seed=seed, units=units, random=random)
        if found.interrupted:
            sys.exit("interrupted; the same command continues")
        return found


def official_table(
    bench: Bench, tables: dict[str, ScoreTable], data: Path, n_sets: int, seeds: Sequence[int]
) -> list[str]:
    """Compare `frequency` with the published code on the official split."""
    allowed = f"2 sqrt(s²/{len(seeds)} + s²/3)"
    lines = [
        f"| prompt set, metric | N | random | frequency: search / held-out | s over {len(seeds)} "
        f"seeds | published code: search / held-out | difference | allowed, {allowed} | within |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for prompt_set, whole in tables.items():
        for metric in whole.metrics:
            table = whole.with_metrics([metric])
            split = official_split(table, data)
            random = random_agreement(table, [split], OFFICIAL_SIZES, seed=0, draws=1000)
            runs = [
                bench.run(
                    table, "frequency", OFFICIAL_SIZES, [split], random, seed=seed, n_sets=n_sets
                )
                for seed in seeds
            ]
            published = REFERENCE.get((prompt_set, metric), (None,) * len(OFFICIAL_SIZES))
            for size, figures in zip(OFFICIAL_SIZES, published, strict=True):
                seen = np.array([run.values(size, metric, "search_tau")[0] for run in runs])
                unseen = np.array([run.values(size, metric, "held_out_tau")[0] for run in runs])
                lines.append(
                    f"| {prompt_set} {metric} | {size} | {random.at(metric, size).mean():.3f} "
                    f"| {seen.mean():.3f} / {unseen.mean():.3f} | {unseen.std(ddof=1):.3f} "
                    f"| {_beside_published(unseen, figures)} |"
                )
    return lines


def _beside_published(held_out: NDArray[np.float64], figures: tuple[float, float] | None) -> str:
    """Return the four last cells of a row; dashes where the published code was not re-run."""
    if figures is None:
        return "- | - | - | -"
    gap = held_out.mean() - figures[1]
    allowed = 2 * held_out.std(ddof=1) * np.sqrt(1 / len(held_out) + 1 / 3)
    within = "yes" if abs(gap) <= allowed else "no"
    return f"{figures[0]:.3f} / {figures[1]:.3f} | {gap:+.3f} | {allowed:.3f} | {within}"


def halves_table(
    bench: Bench,
    tables: dict[str, ScoreTable],
    spec: str,
    sizes: Sequence[int],
    methods: Sequence[str],
) -> list[str]:
    """Every method on random halves, beside random and paired with `frequency`."""
    lines = [
        "| prompt set | N | method | held-out tau-b | equivalent random size | gain over frequency "
        "| seconds a search |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for prompt_set, table in tables.items():
        splits = make_splits(spec, table)
        random = random_agreement(table, splits, sizes, seed=0, draws=200)
        curves = random.curves(table.metrics)
        taus: dict[tuple[str, int], NDArray[np.float64]] = {}
        seconds: dict[tuple[str, int], float] = {}
        for method in methods:
            for size, (tau, cost) in _by_size(bench, table, method, sizes, splits, random).items():
                taus[method, size], seconds[method, size] = tau, cost
        for size in sizes:
            mean = curves[:, random.sizes.index(size)]
            lines.append(
                f"| {prompt_set} | {size} | (random, 200 draws) | {mean.mean():.3f} | | | |"
            )
            for method in methods:
                tau = taus[method, size]
                equivalent = equivalent_size_with_interval(
                    tau, random.sizes, curves, np.random.default_rng(0)
                )
                gain = _paired_gain(tau, taus["frequency", size])
                lines.append(
                    f"| {prompt_set} | {size} | {method} | {tau.mean():.3f} | {equivalent} "
                    f"| {'' if method == 'frequency' else gain} | {seconds[method, size]:.2f} |"
                )
    return lines


def _by_size(
    bench: Bench,
    table: ScoreTable,
    method: str,
    sizes: Sequence[int],
    splits: Sequence[Split],
    random: RandomAgreement,
) -> dict[int, tuple[NDArray[np.float64], float]]:
    """Held-out tau a split, averaged over metrics, and the median seconds of a search."""
    joint = [table] if method in JOINT else [table.with_metrics([m]) for m in table.metrics]
    found = [bench.run(part, method, sizes, splits, random) for part in joint]
    result = {}
    for size in sizes:
        tau = np.mean([run.pooled(size, "held_out_tau") for run in found], axis=0)
        cost = [cell.seconds for run in found for cell in run.cells if cell.size == size]
        result[size] = (tau, float(np.median(cost)))
        print(f"{table.prompts.name} {method} {size}: {tau.mean():.3f}", file=sys.stderr)
    return result


def _paired_gain(tau: NDArray[np.float64], other: NDArray[np.float64]) -> str:
    gain = tau - other
    low, high = bootstrap_interval(gain, rng=np.random.default_rng(0), level=0.9)
    return f"{gain.mean():+.3f} ({low:+.3f} to {high:+.3f})"


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the official scores")
    parser.add_argument("--out", type=Path, help="Markdown file to write (default: the terminal)")
    parser.add_argument("--units", type=Path, default=Path("flasheval-runs/benchmark-agreement"))
    parser.add_argument("--splits", default="random:30@1000", help="the random halves")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 50, 200])
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--n-sets", type=int, default=300_000, help="for the official split")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--only-official", action="store_true", help="skip the random halves")
    parser.add_argument("--skip-official", action="store_true")
    options = parser.parse_args()
    if "frequency" not in options.methods:
        parser.error("--methods needs frequency, which the others are paired with")
    begun = time.perf_counter()
    tables, bench = load_tables(options.data), Bench(options.units)
    versions = ", ".join(f"{name} {version}" for name, version in library_versions().items())
    lines = [
        "# Held-out agreement of the search methods",
        "",
        f"Made by `python scripts/benchmark_agreement.py {_arguments()}` "
        f"({versions}; {platform.machine()}).",
        "",
    ]
    if not options.skip_official:
        lines += ["## The official split: `frequency` beside the published code", ""]
        lines += [*official_table(bench, tables, options.data, options.n_sets, options.seeds)]
        lines += [""]
    if not options.only_official:
        lines += [f"## Random halves ({options.splits})", "", HALVES_NOTE, ""]
        lines += halves_table(bench, tables, options.splits, options.sizes, options.methods)
    text = "\n".join(lines) + "\n"
    if options.out is None:
        print(text)
    else:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text, "utf-8")
    print(f"{time.perf_counter() - begun:.0f} s", file=sys.stderr)


def _arguments() -> str:
    """Return the arguments as typed, without this machine's paths."""
    words = list(sys.argv[1:])
    for flag in ("--data", "--out", "--units"):
        if flag in words:
            at = words.index(flag)
            words[at + 1 : at + 2] = ["DIR" if flag != "--out" else "FILE"]
    return " ".join(words)


if __name__ == "__main__":
    main()
