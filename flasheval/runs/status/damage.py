"""Finding damaged files of a run by reading them and comparing their checksums."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flasheval.runs.kept.opening import open_image_store
from flasheval.runs.run_plan import folder_name
from flasheval.runs.score_files import damage_of
from flasheval.runs.status.requested_work import RequestedWork

__all__ = ["Damage", "find_damage"]


@dataclass(frozen=True)
class Damage:
    """A file that differs from what was written.

    Attributes:
        path: The file; for images in a folder, the file that marks the complete unit.
        reason: What is wrong with it.
        is_score: Whether it is a score file, which the next run makes again automatically.

    """

    path: Path
    reason: str
    is_score: bool = False


def find_damage(work: RequestedWork) -> Iterator[Damage]:
    """Yield every damaged score file, unit of kept images and archive of embeddings."""
    for name in work.variants:
        for metric in work.metrics:
            for path in work.score_files(name, metric):
                if (reason := damage_of(path)) is not None:
                    yield Damage(path, reason, is_score=True)
        yield from _images(work, name)
        yield from _embeddings(work, name)


def _images(work: RequestedWork, name: str) -> Iterator[Damage]:
    store, asked = work.store, work.asked
    images = open_image_store(store.folder / "images", asked.image_store, asked.image_format)
    files = {path.stem: path for path in work.image_files(name)}
    for unit in work.image_units(name):
        if unit.name in files and (reason := images.damage(unit)) is not None:
            yield Damage(files[unit.name], reason)


def _embeddings(work: RequestedWork, name: str) -> Iterator[Damage]:
    features = work.store.features
    if not (features.folder / folder_name(name)).is_dir():
        return
    for unit in work.image_units(name):
        for metric in work.metrics:
            if (reason := features.damage(unit, metric.key)) is not None:
                yield Damage(features.path(unit, metric.key), reason)
