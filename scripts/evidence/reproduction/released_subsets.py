"""Audit of the authors' 40 released subsets: what each really fits, and what it is worth."""

from __future__ import annotations

import json
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flasheval.scores import ScoreTable
from flasheval.selection.held_out.audit import Fit, audit_subset, full_rankings
from flasheval.selection.released_labels import Label, fitted, label_of
from flasheval.selection.released_subset import import_released
from reproduction.study import Study, say

SIDES = ("search", "held-out", "all")
LABELS = ("ImageReward", "HPS", "Aesthetic", "CLIP")


@dataclass(frozen=True)
class Released:
    """One released file: its name's prompt set, metric and size, and the positions it lists."""

    prompt_set: str
    label: str
    size: int
    prompts: NDArray[np.int64]

    @property
    def distinct(self) -> int:
        """Different prompts in it."""
        return len(np.unique(self.prompts))


@dataclass(frozen=True)
class Audited:
    """A released subset with its fits on the variants searched, held out, and all."""

    subset: Released
    fits: dict[str, tuple[Fit, ...]]

    @property
    def fitted(self) -> Fit | None:
        """The ranking it was fitted to: its best one, if no random subset comes near.

        A rule by percentile alone would depend on the draws, for one of 28 candidates reaches a
        high one by chance.
        """
        return fitted(self.fits["search"])

    def own(self, metric: str, side: str) -> Fit | None:
        """Return the fit to a metric's own ranking on its own prompt set; None without scores."""
        ranking = f"{self.subset.prompt_set} {metric}"
        found = [fit for fit in self.fits[side] if (fit.metric, fit.ranking) == (metric, ranking)]
        return found[0] if found else None


def audit_all(study: Study) -> list[Audited]:
    """Audit every released subset, by prompt set, size and label."""
    audited = []
    rankings = {name: candidate_rankings(study, name) for name in study.tables}
    for subset in sorted(
        released(study), key=lambda s: (s.prompt_set, s.size, LABELS.index(s.label))
    ):
        say(f"{subset.prompt_set} {subset.label} {subset.size}: audit")
        table = study.tables[subset.prompt_set]
        split = study.official(table)
        sides = (split.search, split.held_out, np.arange(len(table)))
        fits = {
            name: audit_subset(
                table,
                subset.prompts,
                rankings=rankings[subset.prompt_set],
                variants=rows,
                draws=study.effort.draws,
                replace=True,
                rng=np.random.default_rng([0, subset.size]),
            )
            for name, rows in zip(SIDES, sides, strict=True)
        }
        audited.append(Audited(subset, fits))
    return audited


def released(study: Study) -> Iterator[Released]:
    """Read the released files; each prompt is checked by its text, ids of the two sets collide."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(study.data / "flasheval-released-subsets.tar.xz") as archive:
            archive.extractall(folder, filter="data")
        for path in sorted(Path(folder).rglob("*.json")):
            label = label_of(path)
            if label is not None:
                yield _read(path, label, study.tables[label.prompt_set])


def _read(path: Path, label: Label, table: ScoreTable) -> Released:
    subset = import_released(path, prompts=table.prompts).subset
    subset.verify(table.prompts)
    draws = [prompt.multiplicity for prompt in subset.prompts]
    positions = np.repeat(table.prompts.index_of(subset.ids), draws)
    return Released(label.prompt_set, label.metric, len(positions), positions)


def candidate_rankings(study: Study, prompt_set: str) -> dict[str, NDArray[np.float64]]:
    """Every full-set ranking at hand: of the prompt set's own metrics, and COCO's."""
    table = study.tables[prompt_set]
    own = {f"{prompt_set} {name}": ranking for name, ranking in full_rankings(table).items()}
    coco = json.loads((study.data / "official-coco-full-means.json").read_text("utf-8"))
    order = [coco["variants"].index(name) for name in table.variant_names]
    others = {
        f"COCO {metric}": np.array(means)[order]
        for metric, means in coco.items()
        if metric != "variants"
    }
    return {**others, **own}
