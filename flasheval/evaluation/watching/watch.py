"""`flasheval watch`: evaluate the checkpoints of a folder as they are written, each once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flasheval.base.arguments import checked_arguments
from flasheval.base.canonical import sha256_of
from flasheval.base.errors import DataError, SettingError
from flasheval.base.files import atomic_write
from flasheval.base.run_folders import FOLDER_OF_RUNS
from flasheval.evaluation.fidelity import FidelityRule
from flasheval.evaluation.loaded_scorers import loaded_scorer
from flasheval.evaluation.trackers import Tracker
from flasheval.evaluation.trackers.registry import make_trackers
from flasheval.evaluation.watching.checkpoint_files import find_checkpoints
from flasheval.evaluation.watching.leaderboard import Leaderboard, make_leaderboard
from flasheval.evaluation.watching.loading import CheckpointLoader
from flasheval.evaluation.watching.records import WatchFolder
from flasheval.evaluation.watching.watcher import Watcher
from flasheval.runs.devices import choose_device
from flasheval.runs.leftovers import remove_leftovers
from flasheval.scorers.of_subset import asked_scorers
from flasheval.subset import Subset
from flasheval.subset.image_plan import plan_images
from flasheval.subset.library import load_subset

__all__ = ["watch", "watch_folder"]


@checked_arguments
def watch(
    folder: str | Path,
    subset: Subset | str | Path,
    scorers: Any = None,
    *,
    out: str | Path | None = None,
    base: str | None = None,
    loader: str | Callable[..., Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    call: Mapping[str, Any] | None = None,
    pattern: str | None = None,
    metric: str | None = None,
    fidelity: str | None = None,
    most_lost: float | None = None,
    level: float = 0.9,
    images_per_prompt: int | None = None,
    seeds: str = "search",
    seed: int | None = None,
    batch: int = 8,
    device: str = "auto",
    interval: float = 30.0,
    settle: float = 5.0,
    once: bool = False,
    trackers: Iterable[Tracker | str | Mapping[str, Any]] | str | Mapping[str, Any] | None = (),
    on_change: Callable[[Leaderboard], None] | None = None,
    progress: bool = True,
) -> Leaderboard:
    """Evaluate the checkpoints in a folder as they come, each once, in order of their steps.

    A checkpoint is identified by its path and the hash of its files: an overwritten one is new. It
    is evaluated when it is complete and two looks, some seconds apart, find it unchanged. One that
    cannot be evaluated is recorded with the reason and tried again only when its files change; the
    others go on. `out` gets ``reports/NAME.json``, ``leaderboard.md`` and ``leaderboard.csv``; a
    watch that was killed continues, and several on one ``out`` share the work.

    Args:
        folder: The folder of checkpoints: diffusers folders; with ``base`` also folders of parts
            (``checkpoint-2000/unet``) and safetensors files (LoRAs, or all weights of a denoiser).
        subset: A subset with its prompts' texts, or what `flasheval.load_subset` takes.
        scorers: As for `flasheval.evaluate`.
        out: The folder to write; by default one under ``flasheval-runs/``.
        base: The pipeline that parts, LoRAs and weights belong to: a folder or a name on the Hub.
        loader: A function, or its name (``file.py:name``): it takes the path of anything that
            matches the pattern and returns a pipeline on its device or a function of prompts and
            seeds.
        settings: Settings of `flasheval.generators.diffusers_settings.DiffusersSettings`, such as
            scheduler, dtype and components.
        call: Arguments of the pipeline's call, such as ``num_inference_steps``.
        pattern: Only checkpoints whose names match, such as ``checkpoint-*``.
        metric: The metric to rank by; by default the first scorer's.
        fidelity: A second metric, one of the scorers', of which the leaderboard tells what was lost
            since the checkpoint of the first step; the subset is calibrated for it.
        most_lost: The most of it that may be lost on the full set, in its own units: checkpoints
            whose whole interval lies above that come last.
        level: Probability that a full score lies in its interval.
        images_per_prompt: Images of each prompt; by default as many as the subset was searched on.
        seeds: ``search`` for the seeds of the images searched on, ``other`` for others; see
            `flasheval.evaluate`.
        seed: The run seed; by default the search's, 0 where it is not known.
        batch: Images made at a time.
        device: The device of models and scorers.
        interval: Seconds from one look to the next.
        settle: Seconds that the files of a checkpoint must have been unchanged.
        once: Return when all existing checkpoints are done, instead of watching for ever.
        trackers: Trackers, or their names or settings, that get each checkpoint with a later step
            than all before; the caller finishes them.
        on_change: Called with the leaderboard whenever it has changed.
        progress: Whether to show the progress of each evaluation: a bar, or lines where there is no
            terminal.

    Returns:
        The leaderboard; only with ``once``.

    Raises:
        SettingError: A bad setting.
        DataError: A folder, a subset or a base that does not exist.
        ConflictError: ``out`` holds evaluations on another subset, with another seed, ...

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from flasheval import PromptSet
        >>> from flasheval.subset import Method, MetricInfo
        >>> pets = PromptSet("pets", ("1", "2"), texts=("a cat", "a white dog"))
        >>> subset = Subset.choose(pets, [0, 1], name="pets-2", metrics=(MetricInfo("light"),),
        ...                        method=Method("random"), with_texts=True)
        >>> def load(path):
        ...     value = float(path.read_text())
        ...     return lambda prompts, seeds: [np.full((8, 8, 3), value) for _ in prompts]
        >>> def light(images, prompts):
        ...     return [image.getpixel((0, 0))[0] / 255 for image in images]
        >>> with tempfile.TemporaryDirectory() as place:
        ...     for step, value in ((1, 0.2), (2, 0.6), (3, 0.4)):
        ...         _ = Path(place, f"step-{step}").write_text(str(value))
        ...     board = watch(place, subset, [light], out=f"{place}/out", loader=load,
        ...                   pattern="step-*", settle=0.0, once=True)
        >>> [one.name for one in board.standings]
        ['step-2', 'step-3', 'step-1']

    """
    place = Path(folder)
    if not place.is_dir():
        raise DataError(f"{folder} is not a folder; expected the folder of checkpoints")
    if min(interval, settle) < 0 or batch < 1:
        raise SettingError(
            f"interval={interval}, settle={settle}, batch={batch}: expected seconds from 0 on, and "
            "a batch of at least 1"
        )
    chosen = subset if isinstance(subset, Subset) else load_subset(subset)
    chosen.texts  # noqa: B018 - a manifest without them is told now
    judges, where = asked_scorers(scorers, chosen), choose_device(device)
    told = make_trackers(trackers)
    metrics = [judge.metric for judge in judges]
    if metric is not None and metric not in metrics:
        raise SettingError(f"metric={metric}: no scorer gives it; there are: {', '.join(metrics)}")
    images = plan_images(chosen.record, images_per_prompt=images_per_prompt, seeds=seeds, seed=seed)
    rule = FidelityRule.of(fidelity, most_lost, metric or metrics[0])
    if rule is not None:
        rule.check_given(metrics)
        rule.check_calibrated(chosen, images.kind)
    loading = CheckpointLoader(where, base, loader, dict(settings or {}), dict(call or {}))
    asked: dict[str, Any] = {
        "folder": str(place.resolve()),
        "subset": f"{chosen.name} ({chosen.content_hash[:12]})",
        "seed": images.seeds.run_seed,
        **({"images_per_prompt": images.images} if images.images > 1 else {}),
        "scorers": {judge.metric: judge.version for judge in judges},
        **loading.check(),
    }
    store = WatchFolder(Path(out or watch_folder(place)), asked)
    find_checkpoints(place, loader=loader is not None, pattern=pattern)  # a bad pattern, now
    store.begin()
    remove_leftovers(store.folder)
    for judge in judges:  # a mistake in one is told now
        loaded_scorer(judge, where)
    watcher = Watcher(
        place,
        pattern,
        loading,
        store,
        chosen,
        judges,
        images,
        batch,
        settle,
        told,
        progress,
    )
    shape = _Shape(metric or metrics[0], level, rule)
    return _until_done(watcher, shape, interval, once, on_change)


def watch_folder(folder: Path) -> str:
    """Return the default folder for the results of watching a folder.

    >>> watch_folder(Path("out/my-run"))[:27]
    'flasheval-runs/watch/my-run'
    """
    name = folder.resolve().name or "folder"
    return f"{FOLDER_OF_RUNS}/watch/{name[:100]}-{sha256_of(str(folder.resolve()))[:8]}"


@dataclass(frozen=True)
class _Shape:
    """What the leaderboard ranks by, how sure its intervals are, and what may be lost."""

    metric: str
    level: float
    fidelity: FidelityRule | None


def _until_done(
    watcher: Watcher,
    shape: _Shape,
    interval: float,
    once: bool,
    on_change: Callable[[Leaderboard], None] | None,
) -> Leaderboard:
    shown = Leaderboard(shape.metric, shape.level)

    def publish() -> Leaderboard:
        nonlocal shown
        board = _published(watcher, shape)
        if on_change is not None and board != shown:
            on_change(board)
        shown = board
        return board

    while True:
        look = watcher.look(publish)
        board = publish()
        if once and not (look.evaluated or look.settling):
            return board
        if not look.evaluated:  # else others may have come meanwhile
            time.sleep(watcher.settle if look.settling else interval)


def _published(watcher: Watcher, shape: _Shape) -> Leaderboard:
    """Write the leaderboard; again where another watch has finished one meanwhile."""
    store = watcher.store
    while True:
        records = store.records()
        reports = [
            report
            for name, one in records.items()
            if one.reason is None and (report := store.report(name)) is not None
        ]
        failed = {
            name: one.reason
            for name, one in records.items()
            if one.reason is not None and name in watcher.there
        }
        board = make_leaderboard(
            reports,
            metric=shape.metric,
            level=shape.level,
            failed=failed,
            waiting=watcher.waiting,
            fidelity=shape.fidelity,
        )
        for name, text in (("md", board.to_markdown()), ("csv", board.to_csv())):
            path = store.folder / f"leaderboard.{name}"
            if not path.exists() or path.read_bytes() != text.encode():
                with atomic_write(path) as temporary:
                    temporary.write_bytes(text.encode())
        if store.records() == records:
            return board
