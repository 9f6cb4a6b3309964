"""Finding the newest units of a run without looking at every file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from flasheval.runs.run_plan import folder_name
from flasheval.runs.score_files import UnitScores, read_unit_scores
from flasheval.runs.status.finished_units import image_folder
from flasheval.runs.status.pace import Finished
from flasheval.runs.status.requested_work import RequestedWork

__all__ = ["newest_units"]

_FOLDERS, _FILES = 12, 200


def newest_units(work: RequestedWork) -> list[Finished]:
    """Return the units finished last, of any variant.

    Score files record when they were made and how long it took; for kept images alone the times of
    the files are used. A folder's time is that of its newest file, so few folders are searched.
    """
    root = work.store.folder / "units"
    folders = {
        root / folder_name(name) / folder_name(metric.name): (name, metric)
        for name in work.variants
        for metric in work.metrics
    }
    paths = [path for folder in _newest(folders) for path in work.score_files(*folders[folder])]
    if not work.metrics:
        return _of_images(work)
    found = (read_unit_scores(path) for path in _newest(paths, _FILES))
    return _merged(unit for unit in found if unit is not None)


def _merged(units: Iterable[UnitScores]) -> list[Finished]:
    """Put the metrics of one unit together: its images were made once."""
    whole: dict[tuple[str, str, int], Finished] = {}
    for unit in units:
        timing, key = unit.timing, (unit.variant_key, unit.prompts, unit.image)
        before = whole.get(key, Finished(0.0, sum(timing.seconds_generate), len(unit.ids)))
        whole[key] = Finished(
            max(before.at, timing.finished),
            before.seconds + timing.seconds_score,
            before.images,
        )
    return list(whole.values())


def _of_images(work: RequestedWork) -> list[Finished]:
    sizes = {
        unit: len(chunk)
        for names in work.names.values()
        for unit, (chunk, _) in zip(names, work.parts, strict=True)
    }
    folders = {
        image_folder(work.store, folder_name(name), work.asked.image_store): name
        for name in work.names
    }
    paths = [path for folder in _newest(folders) for path in work.image_files(folders[folder])]
    newest = _newest(paths, _FILES)
    return [Finished(_time(path), 0.0, sizes[path.stem]) for path in newest if _time(path)]


def _newest(paths: Iterable[Path], count: int = _FOLDERS) -> list[Path]:
    times = {path: _time(path) for path in paths}
    return sorted((path for path in times if times[path]), key=lambda path: -times[path])[:count]


def _time(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
