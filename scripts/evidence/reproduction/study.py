"""What all tables share: the scores, how much to compute, searches that are kept, Markdown."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from official_data import load_tables, official_split

from flasheval.scores import ScoreTable
from flasheval.selection.held_out.finished_searches import FinishedSearches
from flasheval.selection.held_out.measurement import Measurement
from flasheval.selection.held_out.one_search import search_part
from flasheval.selection.held_out.random_curve import RandomAgreement, random_means
from flasheval.selection.held_out.splits import Split
from flasheval.selection.methods.registry import make_selector
from flasheval.selection.methods.selector import Selection
from flasheval.selection.request import SearchRequest
from reproduction.bench import Bench

_FIGURES = re.compile(r"[-+*/%.,()\d\s\N{MINUS SIGN}e]*")
NOTHING = RandomAgreement((), {})


@dataclass(frozen=True)
class Effort:
    """How much is computed: draws of random subsets, seeds and sets of a search, which metrics."""

    draws: int = 1000
    seeds: tuple[int, ...] = (0, 1, 2)
    n_sets: int = 300_000
    long_sets: int | None = 3_000_000
    paper_sets: int = 30_000
    splits: int = 20
    metrics: tuple[str, ...] = ("ImageReward", "HPS", "Aesthetic", "CLIP")


FULL = Effort()
QUICK = Effort(
    draws=100,
    seeds=(0,),
    n_sets=3_000,
    long_sets=None,
    paper_sets=300,
    splits=2,
    metrics=("CLIP",),
)


@dataclass(frozen=True)
class Study:
    """The official scores and the effort spent on them; every finished search is kept."""

    data: Path
    tables: dict[str, ScoreTable]
    bench: Bench
    effort: Effort = field(default_factory=Effort)

    @classmethod
    def load(cls, data: Path, units: Path, effort: Effort) -> Study:
        """Read the two official tables."""
        return cls(data, load_tables(data), Bench(units), effort)

    def by_metric(self) -> Iterator[tuple[str, str, ScoreTable]]:
        """Prompt set, metric, and the table of that metric alone."""
        for prompt_set, table in self.tables.items():
            for metric in table.metrics:
                if metric in self.effort.metrics:
                    yield prompt_set, metric, table.with_metrics([metric])

    def official(self, table: ScoreTable) -> Split:
        """Return the authors' split of the variants that are complete here."""
        return official_split(table, self.data)

    def random_tau(
        self, table: ScoreTable, splits: Sequence[Split], sizes: Sequence[int]
    ) -> dict[int, NDArray[np.float64]]:
        """Held-out tau of random subsets averaged over splits, by size: float64 [draws] each."""
        (metric,) = table.metrics
        scores = table[metric].values
        target = scores.mean(axis=1, dtype=np.float64)
        rng = np.random.default_rng([0, 7])
        means = random_means(scores, sizes, rng, draws=self.effort.draws)
        tau = np.mean([means.tau(target, split.held_out) for split in splits], axis=0)
        return {size: tau[:, means.sizes.index(size)] for size in sizes}

    def search(
        self,
        table: ScoreTable,
        method: str,
        sizes: Sequence[int],
        splits: Sequence[Split],
        seed: int = 0,
        **settings: object,
    ) -> Measurement:
        """Search and judge on every split, without a random baseline."""
        say(f"{table.prompts.name} {'+'.join(table.metrics)} {method}, seed {seed}")
        return self.bench.run(table, method, sizes, splits, NOTHING, seed=seed, **settings)

    def selection(self, table: ScoreTable, method: str, size: int, split: Split) -> Selection:
        """One search's prompts (seed 0, default settings)."""
        request = SearchRequest(table, make_selector(method, {}), (size,))
        units = FinishedSearches(self.bench.folder, request.context())
        outcome = search_part(request, split.search, units)
        if outcome.interrupted:
            sys.exit("interrupted; the same command continues")
        return outcome.selection


def say(what: str) -> None:
    """Tell what is being done."""
    print(what, file=sys.stderr, flush=True)


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lay out a Markdown table; columns of figures are right-aligned."""
    body = [list(row) for row in rows]
    figures = [all(_FIGURES.fullmatch(row[at]) for row in body) for at in range(len(header))]
    rule = ["---:" if right else "---" for right in figures]
    return [f"| {' | '.join(row)} |" for row in ([*header], rule, *body)]


def short(value: float, digits: int = 3, *, sign: bool = False) -> str:
    """Write a tau without its leading zero: .831, -.020, 1.000; with `sign` also +.020."""
    rounded = round(float(value), digits)
    text = f"{abs(rounded):.{digits}f}".removeprefix("0")
    if rounded < 0:
        return f"\N{MINUS SIGN}{text}"
    return f"+{text}" if sign and rounded > 0 else text


def judged(gap: float, allowed: float, digits: int = 3) -> str:
    """Write a difference, bold where it is larger than chance allows."""
    text = short(gap, digits, sign=True)
    return text if abs(gap) <= allowed else f"**{text}**"


def count(n: int, noun: str) -> str:
    """Say "1 file", "2 files"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
