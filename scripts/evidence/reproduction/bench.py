"""Runs one method on splits with every finished search kept in one folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from flasheval.scores import ScoreTable
from flasheval.selection.held_out.engine import measure
from flasheval.selection.held_out.kinds import Kind
from flasheval.selection.held_out.measurement import Measurement
from flasheval.selection.held_out.random_curve import RandomAgreement
from flasheval.selection.held_out.searches import Procedure
from flasheval.selection.held_out.splits import Split
from flasheval.selection.methods.registry import make_selector
from flasheval.selection.request import SearchRequest

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
        requests = tuple(SearchRequest(table, selector, (size,), seed) for size in sizes)
        found = measure(
            table,
            [Procedure(method, requests)],
            [Kind("splits", "splits", tuple(splits))],
            sizes,
            seed=seed,
            judge_random=False,
            baseline=random,
            folder=self.folder,
        )
        if found.interrupted:
            sys.exit("interrupted; the same command continues")
        return found
