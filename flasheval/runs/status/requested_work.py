"""The work the last command on a run folder asked for, known from the folder alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from flasheval.base.errors import DataError
from flasheval.prompts import load_prompts
from flasheval.runs.chunks import chunks_of
from flasheval.runs.kept.images import ImageUnit
from flasheval.runs.run_plan import folder_name, unit_name
from flasheval.runs.status.finished_units import FinishedUnits, finished_units, image_folder
from flasheval.runs.store import Asked, RegisteredMetric, RunSettings, RunStore, score_name
from flasheval.runs.unit_work import IMAGES

__all__ = ["RequestedWork"]


class RequestedWork:
    """The units of the last command, without its population, scorers or any of their files.

    Args:
        store: The run.
        settings: What it was begun with.
        asked: What the command asked for.

    Attributes:
        chunks: The prompts by units.
        variants: The variants' names.
        metrics: The metrics.
        keeps: Whether kept images are an output.
        factors: Factors by variant, as far as known.
        names: Units' names by variant. Those of a variant whose images lie in a folder of the
            user's depend on the files there, and are not known here.

    """

    def __init__(self, store: RunStore, settings: RunSettings, asked: Asked) -> None:
        self.store, self.asked = store, asked
        self.chunks = chunks_of(load_prompts(store.folder / "prompts.parquet"), settings.chunk)
        self.variants = asked.variants
        self.keeps = asked.stage == "generate" or (asked.stage == "run" and asked.keep_images)
        by_name = {metric.name: metric for metric in store.known_metrics()}
        self.metrics = [by_name[name] for name in asked.metrics if name in by_name]
        known = {variant.name: variant for variant in store.known_variants()}
        self.factors = {
            name: known[name].factors if name in known else {} for name in self.variants
        }
        self.names = {  # a variant not known has never been usable: no file has such a name
            name: [
                unit_name(known[name].key if name in known else "", settings.seed, chunk)
                for chunk in self.chunks
            ]
            for name in self.variants
            if name not in known or known[name].kind != IMAGES
        }

    @classmethod
    def of_run(cls, folder: str | Path) -> RequestedWork:
        """Return the work of a run folder. Raises DataError where it is none."""
        store = RunStore(Path(folder))
        settings, asked = store.settings(), store.asked()
        if settings is None or asked is None:
            raise DataError(f"{folder} holds no run; expected the out= of flasheval run")
        return cls(store, settings, asked)

    def finished_units(self, name: str) -> FinishedUnits:
        """Count what there is of a variant, reading no file."""
        return finished_units(
            self.store,
            folder_name(name),
            self.names.get(name, len(self.chunks)),
            [(folder_name(metric.name), metric.key) for metric in self.metrics],
            self.asked.image_store,
            keeps=self.keeps,
        )

    def score_files(
        self, name: str, metric: RegisteredMetric, most: int | None = None
    ) -> list[Path]:
        """Return the files there are of a variant in a metric, or some, in no order."""
        folder = self.store.folder / "units" / folder_name(name) / folder_name(metric.name)
        try:
            there = {entry for entry in os.listdir(folder) if entry.endswith(".json")}
        except OSError:
            return []
        if name in self.names:
            there &= {score_name(unit, metric.key) for unit in self.names[name]}
        return [folder / entry for entry in sorted(there)[:most]]

    def image_files(self, name: str) -> list[Path]:
        """Return the files that stand for a variant's kept units."""
        folder = image_folder(self.store, folder_name(name), self.asked.image_store)
        try:
            there = [entry for entry in os.listdir(folder) if not entry.startswith(".")]
        except OSError:
            return []
        wanted = set(self.names.get(name, ()))
        return [folder / entry for entry in there if Path(entry).stem in wanted]

    def image_units(self, name: str) -> Iterator[ImageUnit]:
        """Give the units of a variant under the names their images are kept under."""
        for unit, chunk in zip(self.names.get(name, ()), self.chunks, strict=False):
            yield ImageUnit(unit, folder_name(name), chunk.ids, chunk.texts)
