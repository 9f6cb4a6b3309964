"""The images that a run keeps: which are there, and reading some of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from flasheval.generators.images import ImageFault
from flasheval.runs.kept.images import ImageUnit
from flasheval.runs.kept.opening import open_image_store
from flasheval.runs.run_plan import folder_name
from flasheval.runs.score_files import read_unit_scores
from flasheval.runs.status.finished_units import image_folder
from flasheval.runs.status.requested_work import RequestedWork
from flasheval.runs.store import score_name

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["KeptImages", "Key"]

Key: TypeAlias = tuple[str, str, int]
"""A variant's name, a prompt's id and an image's number."""


class KeptImages:
    """The kept images of the last command on a run folder.

    Args:
        run: The run folder. Raises DataError for one that holds no run.

    Attributes:
        texts: The texts of the run's prompts by id, in order.
        variants: The variants with any kept image, in the population's order.
        images_per_prompt: How many images of a prompt were made.

    >>> KeptImages("no-such-run")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.DataError: no-such-run holds no run; expected the out= of flasheval run

    """

    def __init__(self, run: str | Path) -> None:
        work = RequestedWork.of_run(run)
        self.texts = {
            one: text for c in work.chunks for one, text in zip(c.ids, c.texts, strict=True)
        }
        self.images_per_prompt = work.asked.images_per_prompt
        self._store = open_image_store(work.store.folder / "images", work.asked.image_store)
        # A unit is found by the first of its prompts: a large run has millions of images.
        self._first = {one: chunk.ids[0] for chunk in work.chunks for one in chunk.ids}
        self._units: dict[Key, ImageUnit] = {
            (name, unit.ids[0], unit.image): unit
            for name in work.variants
            for unit in _units(work, name)
            if self._store.has(unit)
        }
        there = {name for name, _, _ in self._units}
        self.variants = tuple(name for name in work.variants if name in there)

    def has(self, key: Key) -> bool:
        """Return whether an image is kept, or the reason why it could not be made."""
        return self._place(key) in self._units

    def _place(self, key: Key) -> Key:
        variant, prompt, image = key
        return variant, self._first.get(prompt, ""), image

    def read(self, keys: Iterable[Key]) -> Iterator[dict[Key, Image | ImageFault]]:
        """Yield some images, all of one file at a time; an ImageFault where there is none."""
        wanted: dict[ImageUnit, list[Key]] = {}
        for key in keys:
            wanted.setdefault(self._units[self._place(key)], []).append(key)
        for unit, some in wanted.items():
            images = self._store.read(unit)
            if images is None:
                yield dict.fromkeys(some, ImageFault("its file is damaged"))
            else:
                by_id = dict(zip(unit.ids, images, strict=True))
                yield {key: by_id[key[1]] for key in some}


def _units(work: RequestedWork, name: str) -> Iterator[ImageUnit]:
    """Yield a variant's units.

    Units of images from a user's folder are named after the state of the files there; which
    prompts they hold stands in the files of their scores. The newest of a chunk counts.
    """
    if name in work.names:
        yield from work.image_units(name)
        return
    slug = folder_name(name)
    newest: dict[tuple[str, int], tuple[float, ImageUnit]] = {}
    chunks = {chunk.digest: chunk for chunk in work.chunks}
    for metric in work.metrics:
        folder = work.store.folder / "units" / slug / folder_name(metric.name)
        for path in _marks(image_folder(work.store, slug, work.asked.image_store)):
            scores = read_unit_scores(folder / score_name(path.stem, metric.key))
            if scores is None or scores.prompts not in chunks:
                continue
            chunk, place = chunks[scores.prompts], (scores.prompts, scores.image)
            unit = ImageUnit(path.stem, slug, chunk.ids, chunk.texts, scores.image)
            if place not in newest or scores.timing.finished > newest[place][0]:
                newest[place] = scores.timing.finished, unit
    yield from (unit for _, unit in newest.values())


def _marks(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix in (".tar", ".json"))
