"""What is published: for each population, a family of subsets a metric and one for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from official_data import load_tables, official_split

import flasheval
from flasheval.base.errors import SettingError
from flasheval.scores import ScoreTable
from flasheval.selection.held_out.splits import Split, make_splits

__all__ = ["POPULATIONS", "SHARED", "SIZES", "Family", "families", "load_population", "split_kinds"]

SIZES = (5, 10, 20, 50, 100, 200, 500)
SHARED = "shared"
POPULATIONS = ("coco", "diffusiondb", "miniature")
_OFFICIAL = {"coco": "COCO", "diffusiondb": "DiffusionDB"}


@dataclass(frozen=True)
class Family:
    """The subsets of all sizes of one population that serve one metric, or all of them."""

    population: str
    serves: str
    metrics: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.population}-{self.serves.lower()}"

    def name(self, size: int) -> str:
        """Return the name of the subset of this size, such as ``coco-clip-50``."""
        return f"{self}-{size}"


def load_population(population: str, data: Path | None) -> ScoreTable:
    """Return the scores of the complete variants; the prompt set is called like the population."""
    if population in _OFFICIAL:
        if data is None:
            raise SettingError(f"{population} needs the official data: --data FOLDER")
        official = _OFFICIAL[population]
        table = load_tables(data, [official])[official]
    else:
        table = flasheval.load_scores(population)
    return replace(table, prompts=replace(table.prompts, name=population))


def families(population: str, table: ScoreTable) -> Iterator[Family]:
    """Yield the family of each metric, then the one that serves all."""
    for metric in table.metrics:
        yield Family(population, metric, (metric,))
    yield Family(population, SHARED, table.metrics)


def split_kinds(
    population: str, table: ScoreTable, data: Path | None, *, development: bool
) -> dict[str, tuple[Split, ...]]:
    """Return the splits by kind: those to choose on, or those to report.

    Settings are chosen on random halves with seeds from 0 and the even pairs of base models;
    reported are seeds from 1000, the odd pairs, and the authors' own split.
    """
    first, halves = (0, 10) if development else (1000, 30)
    kinds = {
        f"random halves, seeds from {first}": make_splits(f"random:{halves}@{first}", table),
        "two base models left out": make_splits("group:base_model:2", table)[
            0 if development else 1 :: 2
        ],
    }
    if population in _OFFICIAL and data is not None and not development:
        kinds["official split"] = (official_split(table, data),)
    return kinds
