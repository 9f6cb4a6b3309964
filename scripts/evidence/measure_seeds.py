"""Measure what a subset is worth on image seeds that its search did not see.

On random halves of the miniature's variants a subset is searched on one image of each prompt and
judged on the other half of the variants twice: by the very images of the numbers searched, and by
images of other numbers, so of other seeds. The ranking that counts is by each variant's mean over
all prompts and images. "Kept" is the share of the gain over random prompts that is left on other
seeds; intervals are 90%, from drawing the splits again.

Images 0 and 1 are for development (`--development`: halves with seeds 0 and on); what is reported
has image 2 or a later one on one side or the other, and halves with seeds 1000 and on.

    python scripts/evidence/measure_seeds.py --splits 16 --out docs/evidence/seeds.md
"""

from __future__ import annotations

import argparse
import itertools
import os
import textwrap
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

from flasheval.scores import ScoreMatrix, ScoreTable, load_scores
from flasheval.scores.variance import variance_shares
from flasheval.selection.held_out.one_search import search_part
from flasheval.selection.methods.registry import make_method
from flasheval.selection.methods.selector import Selection, subset_means
from flasheval.selection.request import make_request
from flasheval.selection.search import search

Floats = NDArray[np.float64]

METHODS = ("frequency", "anneal", "balanced", "pooled", "shared")
SIZES = (10, 25, 50)
DRAWS = 200
BOOTSTRAP = 2000


@dataclass(frozen=True)
class Cell:
    """One subset on one split, judged by one metric: tau on the seeds searched and on others."""

    what: str
    size: int
    split: int
    on_search: float
    on_other: float


@cache
def _table(name: str) -> ScoreTable:
    return load_scores(name)


def halves(n: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the search and the held-out variants of a random half."""
    order = np.random.default_rng(seed).permutation(n)
    return np.sort(order[: n // 2]), np.sort(order[n // 2 :])


def picked(table: ScoreTable, images: Sequence[int]) -> ScoreTable:
    """Return the table with some of the images of each prompt only."""
    matrices = {}
    for name, matrix in table.matrices.items():
        assert matrix.images is not None  # noqa: S101 - the table has several
        matrices[name] = ScoreMatrix.from_images(
            name,
            matrix.images[:, :, list(images)],
            matrix.variants,
            matrix.prompt_ids,
            higher_is_better=matrix.higher_is_better,
            seeds=matrix.seeds,
        )
    return ScoreTable(table.prompts, table.variants, matrices)


def unshared(table: ScoreTable, images: Sequence[int], seed: int) -> ScoreTable:
    """Return a table of one image a prompt, whose number is drawn for each variant and prompt.

    What variants with seeds of their own would be like, as far as so few images can show it.
    """
    rng = np.random.default_rng(seed)
    numbers = rng.choice(list(images), (len(table), table.n_prompts))
    matrices = {}
    for name, matrix in table.matrices.items():
        assert matrix.images is not None  # noqa: S101 - the table has several
        values = np.take_along_axis(matrix.images, numbers[:, :, None], 2)[:, :, 0]
        matrices[name] = ScoreMatrix(name, values, matrix.variants, matrix.prompt_ids)
    return ScoreTable(table.prompts, table.variants, matrices)


def tau(means: Floats, full: Floats) -> float:
    """Return Kendall's tau-b of two rankings."""
    return float(kendalltau(means, full).statistic)


def _judged(
    what: str,
    size: int,
    split: int,
    selection: Selection,
    held: NDArray[np.int64],
    searched: ScoreMatrix,
    other: ScoreMatrix,
    full: Floats,
) -> Cell:
    on = [tau(subset_means(one.values[held], selection), full[held]) for one in (searched, other)]
    return Cell(what, size, split, on[0], on[1])


def _random(
    size: int,
    split: int,
    held: NDArray[np.int64],
    searched: ScoreMatrix,
    other: ScoreMatrix,
    full: Floats,
) -> Cell:
    rng = np.random.default_rng([split, size])
    sets = [rng.choice(len(searched.prompt_ids), size, replace=False) for _ in range(DRAWS)]
    on = [
        np.mean([tau(one.values[np.ix_(held, chosen)].mean(axis=1), full[held]) for chosen in sets])
        for one in (searched, other)
    ]
    return Cell("random", size, split, float(on[0]), float(on[1]))


def one_split(name: str, split: int, pairs: Sequence[tuple[int, int]]) -> list[Cell]:
    """Search on one half of the variants by single images, and judge on the other half."""
    table = _table(name)
    rows, held = halves(len(table), split)
    cells = []
    for number, (a, b) in enumerate(pairs):
        seen, others = picked(table, [a]), picked(table, [b])
        for size in SIZES:
            together = make_request(seen, make_method("shared"), size, seed=number)
            shared = search_part(together, rows).selection
            for metric in table.metrics:
                full = table[metric].values.mean(axis=1, dtype=np.float64)
                sides = (held, seen[metric], others[metric], full)
                cells.append(_random(size, split, *sides))
                cells.append(_judged("shared", size, split, shared, *sides))
                for method in METHODS:
                    if method == "shared":
                        continue
                    request = make_request(
                        seen.with_metrics([metric]), make_method(method), size, seed=number
                    )
                    chosen = search_part(request, rows).selection
                    cells.append(_judged(method, size, split, chosen, *sides))
    return cells


def several_images(name: str, split: int, triples: Sequence[tuple[int, int, int]]) -> list[Cell]:
    """Search by two images in three ways, and by unshared ones; judge by a third image."""
    table = _table(name)
    rows, held = halves(len(table), split)
    cells = []
    for number, (a, b, c) in enumerate(triples):
        both, others = picked(table, [a, b]), picked(table, [c])
        forms = {
            "one image": (picked(table, [a]), "auto"),
            "mean of two": (both, "mean"),
            "two as rows": (both, "rows"),
            "one, unshared": (unshared(table, [a, b], split), "auto"),
        }
        for size, metric in itertools.product(SIZES, table.metrics):
            full = table[metric].values.mean(axis=1, dtype=np.float64)
            cells.append(_random(size, split, held, both[metric], others[metric], full))
            for method in METHODS[:4]:
                for form, (scores, as_what) in forms.items():
                    if form == "two as rows" and method not in ("frequency", "anneal"):
                        continue
                    request = make_request(
                        scores.with_metrics([metric]),
                        make_method(method),
                        size,
                        seed=number,
                        images_as=as_what,
                        images_per_prompt=1 if scores is both else None,
                    )
                    chosen = search_part(request, rows).selection
                    sides = (held, scores[metric], others[metric], full)
                    cells.append(_judged(f"{method}, {form}", size, split, chosen, *sides))
    return cells


def images_against_prompts(name: str, split: int, images: Sequence[int]) -> list[Cell]:
    """Search on the first of the images; judge by one, two, ... of the others."""
    table = _table(name)
    rows, held = halves(len(table), split)
    first, *others = images
    seen = picked(table, [first])
    cells = []
    for size, metric in itertools.product((10, 12, 25, 50, 100), table.metrics):
        full = table[metric].values.mean(axis=1, dtype=np.float64)
        request = make_request(seen.with_metrics([metric]), make_method("anneal"), size)
        chosen = search_part(request, rows).selection
        for count in range(1, len(others) + 1):
            judged = picked(table, others[:count])
            sides = (held, seen[metric], judged[metric], full)
            cells.append(_judged(f"anneal x {count}", size, split, chosen, *sides))
            random = _random(size, split, *sides)
            cells.append(Cell(f"random x {count}", *list(vars(random).values())[1:]))
    return cells


@dataclass(frozen=True)
class Covered:
    """How predictions of held-out variants held on images of a number nobody searched on."""

    size: int
    split: int
    calibration: str
    inside: float
    width: float
    wrong: float
    decided: float


def predictions(name: str, split: int, triples: Sequence[tuple[int, int, int]]) -> list[Covered]:
    """Search by two images on half of the variants, predict the others from a third image."""
    table = _table(name)
    rows, held = halves(len(table), split)
    found = []
    for a, b, c in triples:
        both, third = picked(table, [a, b]).with_variants(rows), picked(table, [c])
        for size in SIZES:
            subset = search(
                both, size=size, method="anneal", metric="Composition", splits=None,
                images_per_prompt=1, seed=split, calibrate=True, progress=False,
            ).subset  # fmt: skip
            places = third.prompts.index_of(subset.ids)
            truth = table["Composition"].values.mean(axis=1, dtype=np.float64)
            chosen = third["Composition"].values[:, places]
            for seeds in ("search", "other"):
                means = chosen.mean(axis=1, dtype=np.float64)
                said = [
                    subset.predict({"Composition": float(means[row])}, seeds=seeds)["Composition"]
                    for row in held
                ]
                inside = [
                    one.low <= truth[row] <= one.high for one, row in zip(said, held, strict=True)
                ]
                decided = wrong = 0
                for one, other in itertools.combinations(held, 2):
                    scores = [{"Composition": chosen[row]} for row in (one, other)]
                    told = subset.difference(*scores, seeds=seeds)["Composition"]
                    if told.certainty >= 0.95:
                        decided += 1
                        wrong += (told.value > 0) != (truth[one] > truth[other])
                pairs = len(held) * (len(held) - 1) / 2
                found.append(
                    Covered(
                        size,
                        split,
                        seeds,
                        float(np.mean(inside)),
                        float(np.mean([one.high - one.low for one in said]) / truth.std()),
                        wrong / max(1, decided),
                        decided / pairs,
                    )
                )
    return found


def interval(values: Floats) -> tuple[float, float]:
    """Return the 90% interval of a mean over splits, from drawing the splits again."""
    rng = np.random.default_rng(0)
    draws = values[rng.integers(0, len(values), (BOOTSTRAP, len(values)))].mean(axis=1)
    low, high = np.quantile(draws, (0.05, 0.95))
    return float(low), float(high)


def by_split(cells: Iterable[Cell], what: str, size: int) -> tuple[Floats, Floats]:
    """Return tau on the seeds searched and on others, averaged over metrics and images a split."""
    found: dict[int, list[tuple[float, float]]] = {}
    for cell in cells:
        if (cell.what, cell.size) == (what, size):
            found.setdefault(cell.split, []).append((cell.on_search, cell.on_other))
    means = np.array([np.mean(found[split], axis=0) for split in sorted(found)])
    return means[:, 0], means[:, 1]


def kept(gain: Floats, left: Floats) -> str:
    """Return the share of a gain that is left, with the interval of the ratio of means."""
    rng = np.random.default_rng(0)
    rows = rng.integers(0, len(gain), (BOOTSTRAP, len(gain)))
    draws = left[rows].mean(axis=1) / gain[rows].mean(axis=1)
    low, high = np.quantile(draws, (0.05, 0.95))
    return f"{left.mean() / gain.mean():.0%} ({low:.0%} to {high:.0%})"


def main_rows(cells: Sequence[Cell]) -> list[str]:
    """Return the table of methods: on the search's seeds, on others, what is kept."""
    lines = [
        "| prompts | method | search's seeds | other seeds | lost | gain over random kept |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for size in SIZES:
        base = by_split(cells, "random", size)
        for what in ("random", *METHODS):
            on, off = by_split(cells, what, size)
            low, high = interval(on - off)
            share = "" if what == "random" else kept(on - base[0], off - base[1])
            lines.append(
                f"| {size} | `{what}` | {on.mean():.3f} | {off.mean():.3f} | "
                f"{(on - off).mean():.3f} ({low:.3f} to {high:.3f}) | {share} |"
            )
    return lines


def form_rows(cells: Sequence[Cell]) -> list[str]:
    """Return the table of the ways to search by two images."""
    lines = [
        "| prompts | method | one image | mean of two | two as rows | one, unshared |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for size in SIZES:
        base = by_split(cells, "random", size)[1].mean()
        lines.append(f"| {size} | `random` | {base:.3f} |  |  |  |")
        for method in METHODS[:4]:
            one = by_split(cells, f"{method}, one image", size)[1]
            row = [f"{one.mean():.3f}"]
            for form in ("mean of two", "two as rows", "one, unshared"):
                if not any(cell.what == f"{method}, {form}" for cell in cells):
                    row.append("")
                    continue
                values = by_split(cells, f"{method}, {form}", size)[1]
                low, high = interval(values - one)
                row.append(f"{values.mean():.3f} ({low:+.3f} to {high:+.3f})")
            lines.append(f"| {size} | `{method}` | {' | '.join(row)} |")
    return lines


def budget_rows(cells: Sequence[Cell]) -> list[str]:
    """Return the table of prompts by images."""
    counts = sorted({cell.what for cell in cells})
    lines = [f"| prompts | {' | '.join(counts)} |", "| --- |" + " --- |" * len(counts)]
    for size in sorted({cell.size for cell in cells}):
        values = [f"{by_split(cells, what, size)[1].mean():.3f}" for what in counts]
        lines.append(f"| {size} | {' | '.join(values)} |")
    return lines


def noise_rows(table: ScoreTable) -> list[str]:
    """Return what seed noise is: its share, what stays, and how variants share it."""
    models = np.array([str(one) for one in table.factor("base_model")])
    lines = [
        "| metric | stays on another seed | noise shared in a base model | across base models | "
        "seed noise | of it common | model by prompt | prompt | model |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, matrix in table.matrices.items():
        assert matrix.images is not None  # noqa: S101 - the table has several
        images = matrix.images.astype(np.float64)
        images = images[:, ~np.isnan(images).any(axis=(0, 2))]
        pairs = list(itertools.combinations(range(images.shape[2]), 2))
        stays = np.mean(
            [np.corrcoef(row[:, a], row[:, b])[0, 1] for row in images for a, b in pairs]
        )
        noise = (images - images.mean(axis=2, keepdims=True)).reshape(len(images), -1)
        shared = np.corrcoef(noise)
        same = models[:, None] == models[None]
        off = ~np.eye(len(models), dtype=bool)
        parts = variance_shares(images, shared_seeds=True)
        assert parts is not None  # noqa: S101 - the table has several variants and prompts
        shares = (
            parts.seed_noise, parts.shared_noise, parts.model_by_prompt, parts.prompt, parts.model,
        )  # fmt: skip
        lines.append(
            f"| {name} | {stays:.2f} | {shared[same & off].mean():.2f} | "
            f"{shared[~same].mean():.2f} | {' | '.join(f'{one:.1%}' for one in shares)} |"
        )
    return lines


def coverage_rows(found: Sequence[Covered]) -> list[str]:
    """Return the table of predictions."""
    lines = [
        "| prompts | calibration | in the 90% interval | width, sd | decided pairs | wrong signs |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for size, seeds in itertools.product(SIZES, ("search", "other")):
        some = [one for one in found if (one.size, one.calibration) == (size, seeds)]
        decided = sum(one.decided for one in some)
        wrong = sum(one.wrong * one.decided for one in some) / max(decided, 1e-9)
        lines.append(
            f"| {size} | `seeds={seeds}` | {np.mean([one.inside for one in some]):.1%} | "
            f"{np.mean([one.width for one in some]):.2f} | {decided / len(some):.0%} | "
            f"{wrong:.1%} |"
        )
    return lines


_MAIN = """\
*Lost*: tau on the seeds searched less tau on others, with its 90% interval. *Kept*: the share of
the gain over as many random prompts, judged on the same seeds, that is left."""
_FORMS = """\
Tau on the third image's seeds. *Mean of two* and *two as rows* see both other images of each
search variant; *one, unshared* sees one of the two, drawn for each variant and prompt, which is
what variants with seeds of their own are like as far as two images show it. In brackets the 90%
interval of the difference from one image."""
_BUDGET = """\
Searched on one image of each prompt; judged by one, two, ... other images of each (x 1, x 2,
...), tau on those seeds. Equal numbers of images stand on a diagonal: 50 x 1 beside 25 x 2."""
_COVERED = """\
`anneal` on two images of half of the variants, Composition; the other half's full scores are
predicted from one image of a third number, with the calibration of the search's seeds (which is
not meant for it) and with the one for other seeds. Nominal: 90% in the interval; pairs decided at
.95, of which at most 5% wrong."""
_NOISE = """\
*Stays*: the correlation, over prompts, of one variant's scores on two seeds. *Shared*: the
correlation of two variants' deviations from their means over images, within a base model and
across. The shares are those of `flasheval show`: of the variance of one image's score."""


def _head(
    options: argparse.Namespace, table: ScoreTable, pairs: Sequence[tuple[int, int]]
) -> list[str]:
    said = ", ".join(f"{a} to {b}" for a, b in pairs)
    about = (
        f"Made by `python scripts/evidence/measure_seeds.py --splits {options.splits}` from "
        f"`scores={options.scores}`: {len(table)} variants, {table.n_prompts:,} prompts, "
        f"{table.images_per_prompt} images of each, {len(table.metrics)} metrics one at a time "
        "(`shared` serves all together). On random halves of the variants a subset is searched on "
        f"the images of one number and judged on the other half by those of another ({said}). The "
        "ranking that counts is by the mean over all prompts and images. Images 0 and 1 together "
        "were for development; intervals are 90%, from drawing the splits again."
    )
    return ["# Other seeds", "", textwrap.fill(about, 108), ""]


def _all(work: object, name: str, splits: Sequence[int], more: object) -> list[object]:
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        parts = [pool.submit(work, name, split, more) for split in splits]  # type: ignore[arg-type]
        return [cell for part in parts for cell in part.result()]  # type: ignore[attr-defined]


def main() -> None:
    """Measure, print and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scores", default="miniature-images")
    parser.add_argument("--splits", type=int, default=16)
    parser.add_argument("--development", action="store_true", help="images 0 and 1, other halves")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    begun = time.monotonic()
    table = _table(options.scores)
    images = range(table.images_per_prompt)
    every = list(itertools.permutations(images, 2))
    pairs = [pair for pair in every if (max(pair) < 2) == options.development]
    first = 0 if options.development else 1000
    splits = range(first, first + options.splits)
    lines = [*_head(options, table, pairs), "## On the search's seeds and on others", ""]
    lines += [_MAIN, ""]
    lines += main_rows(_all(one_split, options.scores, splits, pairs))  # type: ignore[arg-type]
    if not options.development and len(images) > 2:
        triples = [(0, 1, last) for last in images if last > 1]
        forms = _all(several_images, options.scores, splits, triples)
        lines += ["", "## Searching by two images, judged by a third", "", _FORMS, ""]
        lines += form_rows(forms)  # type: ignore[arg-type]
        order = [0, *[one for one in images if one > 1], 1]
        budget = _all(images_against_prompts, options.scores, splits, order)
        lines += ["", "## Prompts or images", "", _BUDGET, "", *budget_rows(budget)]  # type: ignore[arg-type]
        covered = _all(predictions, options.scores, splits[: options.splits // 2], triples)
        lines += ["", "## Predictions on other seeds", "", _COVERED, ""]
        lines += coverage_rows(covered)  # type: ignore[arg-type]
    lines += ["", "## Seed noise", "", _NOISE, "", *noise_rows(table)]
    text = "\n".join(lines)
    print(text)
    print(f"\n{time.monotonic() - begun:.0f} s")
    if options.out is not None:
        options.out.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
