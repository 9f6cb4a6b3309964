"""The work that the last command on a run folder requested, read from the folder alone."""

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
        settings: The settings the run was begun with.
        asked: The work that the command requested.

    Attributes:
        chunks: The prompts by units.
        parts: The chunk and the image's number of each unit of a variant.
        variants: The variants' names.
        metrics: The metrics.
        keeps: Whether kept images are an output.
        factors: Factors by variant, when known.
        names: Units' names by variant, in the order of the parts. Variants whose images lie in a
            user's folder are missing, because their names depend on the files there.

    """

    def __init__(self, store: RunStore, settings: RunSettings, asked: Asked) -> None:
        self.store, self.asked = store, asked
        self.chunks = chunks_of(load_prompts(store.folder / "prompts.parquet"), settings.chunk)
        numbers = range(asked.images_per_prompt)
        self.parts = [(chunk, image) for chunk in self.chunks for image in numbers]
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
                unit_name(
                    known[name].key if name in known else "",
                    settings.seed,
                    chunk,
                    image=image,
                    own=name if settings.variant_seeds else None,
                )
                for chunk, image in self.parts
            ]
            for name in self.variants
            if name not in known or known[name].kind != IMAGES
        }

    @classmethod
    def of_run(cls, folder: str | Path) -> RequestedWork:
        """Return the requested work of a run folder. Raises DataError for any other folder.

        >>> RequestedWork.of_run("no-such-run")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.DataError: no-such-run holds no run; expected the out= of ...
        """
        store = RunStore(Path(folder))
        settings, asked = store.settings(), store.asked()
        if settings is None or asked is None:
            raise DataError(f"{folder} holds no run; expected the out= of flasheval run")
        return cls(store, settings, asked)

    def finished_units(self, name: str) -> FinishedUnits:
        """Return the finished units of a variant, without reading any file."""
        return finished_units(
            self.store,
            folder_name(name),
            self.names.get(name, len(self.parts)),
            [(folder_name(metric.name), metric.key) for metric in self.metrics],
            self.asked.image_store,
            keeps=self.keeps,
        )

    def score_files(
        self, name: str, metric: RegisteredMetric, most: int | None = None
    ) -> list[Path]:
        """Return the score files of a variant in a metric, at most ``most``, in no order."""
        folder = self.store.folder / "units" / folder_name(name) / folder_name(metric.name)
        try:
            there = {entry for entry in os.listdir(folder) if entry.endswith(".json")}
        except OSError:
            return []
        if name in self.names:
            there &= {score_name(unit, metric.key) for unit in self.names[name]}
        return [folder / entry for entry in sorted(there)[:most]]

    def image_files(self, name: str) -> list[Path]:
        """Return the files that mark a variant's units of kept images."""
        folder = image_folder(self.store, folder_name(name), self.asked.image_store)
        try:
            there = [entry for entry in os.listdir(folder) if not entry.startswith(".")]
        except OSError:
            return []
        wanted = set(self.names.get(name, ()))
        return [folder / entry for entry in there if Path(entry).stem in wanted]

    def image_units(self, name: str) -> Iterator[ImageUnit]:
        """Yield the units of a variant as `ImageUnit`, by which kept images are found."""
        for unit, (chunk, image) in zip(self.names.get(name, ()), self.parts, strict=False):
            yield ImageUnit(unit, folder_name(name), chunk.ids, chunk.texts, image)

    def first_images(self, name: str) -> Iterator[ImageUnit]:
        """Yield the units of a variant that hold the first image of each prompt."""
        return (unit for unit in self.image_units(name) if unit.image == 0)
