"""Runs one method on splits with every finished search kept in one folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from flasheval.base.canonical import sha256_of
from flasheval.scores import ScoreTable
from flasheval.selection.held_out.finished_searches import FinishedSearches
from flasheval.selection.held_out.measure import Measurement, RandomAgreement, measure
from flasheval.selection.held_out.splits import Split
from flasheval.selection.methods.registry import make_selector, selector_settings

__all__ = ["Bench"]


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
        units = FinishedSearches(self.folder, context)
        found = measure(table, selector, sizes, splits, seed=seed, units=units, random=random)
        if found.interrupted:
            sys.exit("interrupted; the same command continues")
        return found
