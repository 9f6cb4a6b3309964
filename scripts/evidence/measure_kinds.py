"""Measure the methods on unlike kinds of data: related models, unlike ones, few, many, other seeds.

Official scores of diffusion models (halves, and 12 variants searched), human opinions of 24 unlike
models (EvalMi: 5, 8, 12 and 16 searched; with the prompts' kinds known and not), right and wrong
answers of 168 vision-language models (MMMU: 12, 40 and 84 searched), and the miniature's three
images a prompt, judged on the search's image seeds and on others. Each method beside random prompts
and paired with `frequency`. Settings were chosen on EvalMi, MMMU and the official development
splits, so those of EvalMi and MMMU are not held out from the choice: only the official reporting
splits and what others measure on other data are.

The data is not part of this repository. Finished searches are kept, so that the same command
continues after an interruption.

    python scripts/evidence/measure_kinds.py --data DIR --out docs/evidence/kinds.md
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from benchmark_agreement import gain_text
from official_data import arguments, load_tables

from flasheval import PromptSet, ScoreTable, load_scores, validate
from flasheval.base.drawing.markdown import markdown_table
from flasheval.selection.held_out.records import Summary
from flasheval.selection.held_out.report import ValidationReport

METHODS = ("stratified", "frequency", "anneal", "balanced", "pooled", "shared", "auto")
SIZES = (10, 50, 200)
FIRST = 1000  # the first reporting seed


@dataclass(frozen=True)
class Part:
    """One kind of data.

    Attributes:
        name: As the table calls it.
        table: Its scores.
        splits: How variants are held out.
        settings: Further arguments of `flasheval.validate`.

    """

    name: str
    table: ScoreTable
    splits: str
    settings: Mapping[str, Any] = field(default_factory=dict)


def main() -> None:
    """Measure what is asked for and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the scores")
    parser.add_argument("--out", type=Path, help="Markdown file to write (default: the terminal)")
    parser.add_argument("--units", type=Path, default=Path("flasheval-runs/measure-kinds"))
    parser.add_argument("--splits", type=int, default=20, help="splits of each kind")
    parser.add_argument("--official", type=int, help="splits of the official scores, if others")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--only", nargs="+", default=["EvalMi", "MMMU", "miniature", "official"])
    parser.add_argument("--workers", type=int, help="searches at a time (default: one a core)")
    options = parser.parse_args()
    begun = time.perf_counter()
    reports = {part.name: measured(part, options) for part in parts(options)}
    text = "\n".join(page(reports)) + "\n"
    if options.out is None:
        print(text)
    else:
        options.out.write_text(text, "utf-8")
    print(f"{time.perf_counter() - begun:.0f} s", file=sys.stderr)


def parts(options: argparse.Namespace) -> list[Part]:
    """Return the kinds of data, in the table's order."""
    count, found = options.splits, []
    if "official" in options.only:
        few = options.official or count
        for name, table in load_tables(options.data).items():
            found.append(Part(f"{name}, halves", table, f"random:{few}@{FIRST}"))
            found.append(Part(f"{name}, 12 searched", table, f"sample:12x{few}@{FIRST}"))
    if "EvalMi" in options.only:
        table = evalmi(options.data)
        for n in (5, 8, 12, 16):
            splits = f"sample:{n}x{count}@{FIRST}"
            found.append(Part(f"EvalMi, {n} searched", table, splits))
            bare = {"balance": "none"}
            found.append(Part(f"EvalMi, {n} searched, no tags", table, splits, bare))
    if "MMMU" in options.only:
        table = mmmu(options.data)
        found += [
            Part(f"MMMU, {n} searched", table, f"sample:{n}x{count}@{FIRST}") for n in (12, 40, 84)
        ]
    if "miniature" in options.only:
        table = load_scores("miniature-images")
        found.append(Part("miniature, halves", table, f"random:{count}@{FIRST}"))
        found.append(Part("miniature, other seeds", table, f"random:{count}@{FIRST}+seeds"))
    return found


def evalmi(data: Path) -> ScoreTable:
    """Read the opinions, with the prompts' kinds as tags; parts joined by + are several."""
    held = np.load(data / "evalmi.npz", allow_pickle=False)
    ids = tuple(map(str, held["prompt_ids"]))
    kinds = tuple(
        "[" + ", ".join(f'"{one}"' for one in str(tag).split(" + ")) + "]" for tag in held["tags"]
    )
    prompts = PromptSet("EvalMi", ids, extras={"kind": kinds}, tag_keys=("kind",))
    names = ("perception", "correspondence")
    scores = dict(zip(names, held["scores"], strict=True))
    return ScoreTable.from_arrays(scores, variants=list(map(str, held["models"])), prompts=prompts)


def mmmu(data: Path) -> ScoreTable:
    """Read right and wrong answers."""
    scores = np.load(data / "vlm-mmmu.npz", allow_pickle=False)["scores"][0]
    return ScoreTable.from_arrays(
        scores,
        variants=[f"model {n}" for n in range(scores.shape[0])],
        prompts=[f"q{n}" for n in range(scores.shape[1])],
        metric="accuracy",
        name="MMMU",
    )


def measured(part: Part, options: argparse.Namespace) -> ValidationReport:
    """Compare the methods on one kind of data."""
    print(part.name, file=sys.stderr)
    report = validate(
        part.table,
        size=[size for size in options.sizes if size < part.table.n_prompts],
        methods=list(options.methods),
        splits=part.splits,
        folder=options.units / part.name.replace(" ", "-").replace(",", ""),
        workers=options.workers,
        progress=True,
        **part.settings,
    )
    if report.interrupted:
        sys.exit("interrupted; the same command continues")
    return replace(report, cells=())


def page(reports: Mapping[str, ValidationReport]) -> list[str]:
    """Lay out one table: every kind, size and method."""
    lines = [
        "# Held-out agreement on unlike kinds of data",
        "",
        f"Made by `python scripts/evidence/measure_kinds.py {arguments()}`. Kendall tau-b on "
        "variants no search saw, mean over metrics and splits, and the paired gain over random "
        "prompts with its 90% interval over splits (which share variants, so true intervals are "
        "wider). Methods and settings were chosen on EvalMi, MMMU and the official development "
        "splits: EvalMi and MMMU are no test of the choice.",
        "",
    ]
    for name, report in reports.items():
        labels = [method.label for method in report.methods]
        lines += [f"## {name} ({len(report.kinds[0].splits)} splits)", ""]
        rows = [
            (str(size), label, *_row(report.summary(report.kinds[0].name, label, size)))
            for size in report.sizes
            for label in labels
        ]
        titles = ("N", "method", "tau-b", "over random", "over frequency", "as good as random")
        lines += [*markdown_table(titles, rows), ""]
    return lines


def _row(one: Summary) -> tuple[str, ...]:
    tau, size = one.held_out_tau, one.equivalent_random_size
    gains = [gain_text(gain) for gain in (one.over_random, one.over_reference)]
    return ("-" if tau is None else f"{tau.mean:.3f}", *gains, "" if size is None else str(size))


if __name__ == "__main__":
    main()
