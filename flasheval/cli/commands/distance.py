"""`flasheval distance`: distances of images from a reference, and prompts chosen for them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flasheval.base.canonical import sha256_of
from flasheval.base.drawing.terminal import as_text, drawn
from flasheval.base.errors import SettingError
from flasheval.base.files import slug
from flasheval.base.progress import ProgressBar, duration
from flasheval.base.run_folders import append_log, shown_path
from flasheval.base.version import __version__
from flasheval.base.versions import library_versions
from flasheval.cli.commands.context import Answer, Context, Outcome
from flasheval.cli.configs import DistanceConfig
from flasheval.cli.exit_codes import DONE
from flasheval.runs.devices import choose_device

if TYPE_CHECKING:
    from flasheval.set_metrics.extractor_settings import ExtractorSettings
    from flasheval.set_metrics.feature_sets import FeatureSets
    from flasheval.set_metrics.features import FeatureExtractor
    from flasheval.set_metrics.protocol import ImageProtocol
    from flasheval.set_metrics.references import Reference
    from flasheval.subset import Subset

__all__ = ["distance_name", "run_distance"]

TABLE = "distances.parquet"
_THREADS = 8  # by default: a search takes up to a gigabyte on each
_NEUTRAL = ("out", "overwrite", "save_reference", "threads", "device")  # change no number


def distance_name(settings: Mapping[str, Any]) -> str:
    """Return the name of the folder of a comparison with these settings.

    >>> distance_name({"run": "runs/coco", "reference": "val2014", "size": 50})
    'coco-val2014-cd749fe7'
    """
    images = settings.get("images")
    source = settings.get("run") or (images if isinstance(images, str) else None) or "images"
    parts = [Path(str(source)).name, Path(str(settings.get("reference"))).stem]
    name = slug("-".join(parts))
    told = {key: value for key, value in settings.items() if key not in _NEUTRAL}
    return f"{name}-{sha256_of(told)[:8]}"


def run_distance(config: DistanceConfig, context: Context) -> Outcome:
    """Compare variants with the settings of the command line, write the folder, print it.

    Args:
        config: The settings.
        context: Its folder is the one to write.

    Returns:
        The outcome.

    Raises:
        FlashevalError: A setting, a file or features that cannot be used.

    """
    from flasheval.set_metrics.comparison import compare_sets
    from flasheval.set_metrics.distance_view import distance_view

    begun, folder, console = time.monotonic(), context.folder, context.console
    sizes = _checked(config)
    threads = config.threads or min(_THREADS, os.cpu_count() or 1)
    with context.progress(whole=False) as progress:
        sets, reference = _sources(config, progress)
        choose = _chooser(config, sizes, sets, reference, threads, progress) if sizes else None
        if config.save_reference:
            reference.statistics.save(config.save_reference)
        found = compare_sets(
            sets,
            reference,
            extrapolate=config.extrapolate,
            seed=config.seed,
            threads=threads,
            done=lambda count: progress("distances", count, len(sets)),
        )
        subsets = [choose(size) for size in sizes] if choose else []
    found.save(folder / TABLE)
    for subset in subsets:
        subset.save(folder / f"subset-{subset.size}.json")
    view = distance_view(found, reference, subsets, sets.version)
    shown = drawn(view)
    where = [
        f"files:    {shown_path(folder)}/",
        *([f"use them: {_usage(folder, subsets[0])}"] if subsets else []),
    ]
    timing = f"{duration(time.monotonic() - begun)} in all"
    versions = {"flasheval": __version__, **library_versions()}
    text = as_text(shown, "", *where, timing)
    append_log(folder, context.command, versions, text, name="distance.log")
    console.print(shown)
    console.print()
    for line in where:
        console.print(line, soft_wrap=True, markup=False)
    files = {"folder": folder, "table": folder / TABLE}
    files |= {f"subset-{one.size}": folder / f"subset-{one.size}.json" for one in subsets}
    return Outcome(DONE, answer=Answer(found, view=view, files=files))


def _checked(config: DistanceConfig) -> list[int]:
    """Return the sizes of the subsets asked for, and check all other settings."""
    if bool(config.run) == bool(config.images):
        raise SettingError(
            "say where the images are: run=FOLDER (of flasheval run ... keep_embeddings=true), or "
            "images={name:folder,...}" + (", not both" if config.run else "")
        )
    if not config.reference:
        raise SettingError(
            "reference is missing: a folder of real images, an .npz of their statistics, or the "
            "name of a variant"
        )
    if config.seed < 0 or min(config.n_sets, config.draws, config.threads or 1) < 1:
        raise SettingError(
            f"seed={config.seed}, n_sets={config.n_sets}, draws={config.draws}, "
            f"threads={config.threads}: expected a seed from 0 on, and the others from 1"
        )
    if config.save_reference and not config.save_reference.endswith(".npz"):
        raise SettingError(f"save_reference={config.save_reference}: expected a name in .npz")
    sizes = config.size if isinstance(config.size, list) else [config.size]
    sizes = [] if config.size is None else sizes
    if any(isinstance(size, bool) or not isinstance(size, int) for size in sizes):
        raise SettingError(f"size={config.size}: expected a whole number, or a list as [50,100]")
    return sorted(set(sizes))


def _sources(config: DistanceConfig, progress: ProgressBar) -> tuple[FeatureSets, Reference]:
    from flasheval.set_metrics.extractor_settings import make_extractor
    from flasheval.set_metrics.feature_sets import features_of_folders, features_of_run
    from flasheval.set_metrics.references import find_reference

    extractor = make_extractor(config.extractor)
    protocol = _protocol(config.protocol)
    load = cache(partial(_load, config, extractor))
    if config.run:
        if protocol is not None or config.prompts is not None:
            raise SettingError(
                "protocol and prompts belong to images=...; a run has kept its embeddings already"
            )
        sets = features_of_run(config.run, config.metric)
    else:
        if config.metric is not None:
            raise SettingError("metric belongs to run=...; with images=... choose an extractor")
        sets = features_of_folders(
            config.images,
            load(),
            extractor.label,
            protocol=protocol,
            seed=config.seed,
            prompts=config.prompts,
            report=progress,
        )
    progress("features of the reference", 0.0, 0)
    return sets, find_reference(str(config.reference), sets, load, protocol)


def _load(config: DistanceConfig, extractor: ExtractorSettings) -> FeatureExtractor:
    from flasheval.set_metrics.extractor_settings import ScorerExtractorSettings

    if config.run and not isinstance(extractor, ScorerExtractorSettings):
        raise SettingError(
            f"reference={config.reference} is a folder of images, which must go through the scorer "
            "that made the run's embeddings: add extractor=scorer extractor.scorer=..., the words "
            "in scorers=[...] of the run"
        )
    return extractor.load(choose_device(config.device))


def _protocol(settings: Mapping[str, Any] | None) -> ImageProtocol | None:
    from flasheval.set_metrics.protocol import ImageProtocol

    chosen = dict(settings or {"name": "none"})
    if chosen.pop("name") == "none":
        return None
    return ImageProtocol(**chosen)


def _chooser(
    config: DistanceConfig,
    sizes: Sequence[int],
    sets: FeatureSets,
    reference: Reference,
    threads: int,
    progress: ProgressBar,
) -> Callable[[int], Subset]:
    """Check that subsets can be made, and return the function that makes one of a size."""
    from flasheval.set_metrics.subset_choice import check_sizes, choose_subset, part_variants

    check_sizes(sets, sizes)
    halves = part_variants(sets, reference, config.held_out, config.seed)

    def choose(size: int) -> Subset:
        return choose_subset(
            sets,
            reference,
            halves,
            size,
            seed=config.seed,
            n_sets=config.n_sets,
            draws=config.draws,
            threads=threads,
            report=partial(progress, f"a subset of {size}"),
        )

    return choose


def _usage(folder: Path, subset: Subset) -> str:
    return f'flasheval.load_subset("{shown_path(folder / f"subset-{subset.size}.json")}")'
